"""lasagne.py: trained archives become networks.

--fold finnthesizer: every byte of the folder against the rules of the original's converter, written here once more, array by
array. --fold exact: the outputs of the network against the trained graph in float64. The archives are full of what goes wrong:
negative gammas, zeros and halves among the weights, thresholds exactly on integers and halves, thresholds out of range.
"""
import os, struct, subprocess, sys
import numpy as np

bnn = os.environ["BNN"]
rng = np.random.RandomState(2018)

# kind, MW, MH, SIMD, PE (one bit of weights), SIMD, PE (two bits); a pool follows those of pooled
LFC = [("fc", 784, 1024, 64, 32), ("fc", 1024, 1024, 32, 64), ("fc", 1024, 1024, 64, 32), ("fc", 1024, 64, 8, 16)]
CNV1 = [("conv", 27, 64, 3, 16), ("conv", 576, 64, 32, 32), ("conv", 576, 128, 32, 16), ("conv", 1152, 128, 32, 16),
        ("conv", 1152, 256, 32, 4), ("conv", 2304, 256, 32, 1), ("fc", 256, 512, 4, 1), ("fc", 512, 512, 8, 1), ("fc", 512, 64, 1, 4)]
CNV2 = [("conv", 27, 64, 3, 8), ("conv", 576, 64, 16, 16), ("conv", 576, 128, 16, 8), ("conv", 1152, 128, 16, 8),
        ("conv", 1152, 256, 8, 4), ("conv", 2304, 256, 8, 1), ("fc", 256, 512, 2, 1), ("fc", 512, 512, 2, 2), ("fc", 512, 64, 1, 4)]
POOLED = {1, 3}
NETWORKS = {"lfcW1A1": (LFC, 1, 1), "lfcW1A2": (LFC, 1, 2), "cnvW1A1": (CNV1, 1, 1), "cnvW1A2": (CNV1, 1, 2), "cnvW2A2": (CNV2, 2, 2)}


# ------------------------------------------------------------------------------------------------ archives

def pick(n, *values):
    return rng.choice(np.array(values, "f4"), n)


def make_norm(n, fan_in, unit, zeros):
    """Five arrays. Half of the rows are of round numbers, so that sums meet their thresholds exactly."""
    spread = unit * np.sqrt(fan_in)
    general = rng.normal(size=(5, n)).astype("f4") * np.array([[0.3], [0.7], [1], [spread], [0]], "f4")
    general[4] = np.exp(rng.normal(size=n) - np.log(spread)).astype("f4")
    mean = (np.round(rng.normal(size=n) * np.sqrt(fan_in)) * unit).astype("f4")
    exact = np.array([pick(n, 0, 0.5, -0.25, 1), pick(n, 0, 0.5, -0.5, 1, -1), pick(n, 1, -1, 0.5, -0.5, 2), mean,
                      pick(n, 1, 0.5, 0.25, 0.125)], "f4")
    norm = np.where(rng.rand(n) < 0.5, general, exact)
    norm[4, rng.rand(n) < 0.03] = 1e-6  # thresholds of millions
    if zeros:
        norm[2, rng.rand(n) < 0.05] = 0
    return [norm[i].copy() for i in range(5)]


def make_weights(shape):
    w = rng.uniform(-1, 1, size=shape).astype("f4")
    special = pick(shape, 0, -0.0, 0.5, -0.5, 1, -1)
    return np.where(rng.rand(*shape) < 0.2, special, w).astype("f4")


def make_archive(name, classes, zeros, scalar=True):
    layers, _, _ = NETWORKS[name]
    arrays = []
    for i, (kind, mw, mh, _, _) in enumerate(layers):
        last = i == len(layers) - 1
        out = classes if last else mh
        arrays.append(make_weights((out, mw // 9, 3, 3) if kind == "conv" else (mw, out)))
        norm = make_norm(1 if last and name[0] == "c" else out, mw, 1 / 128 if i == 0 and name[0] == "c" else 1, zeros and not last)
        if last and name[0] == "c":
            norm = [np.array(v[0]) for v in norm[1:]]
        arrays += norm
    np.savez("in.npz", *arrays)
    return [a.astype("f8") for a in arrays]


def layers_of(name, arrays):
    """(W as out x synapses with the channel innermost, b, beta, gamma, mean, inv_std) of each layer."""
    for i, (kind, mw, mh, _, _) in enumerate(NETWORKS[name][0]):
        w = arrays[6 * i]
        w = w.transpose(0, 2, 3, 1).reshape(w.shape[0], mw) if kind == "conv" else w.T
        rest = arrays[6 * i + 1:6 * i + 6]
        n = len(w)
        if len(rest) == 4:
            rest = [np.zeros(())] + rest
        yield (w,) + tuple(np.broadcast_to(v, (n,)) for v in rest)


def convert(*args):
    p = subprocess.run([bnn, "convert", *args], capture_output=True, text=True)
    return p.returncode, p.stdout + p.stderr


# ---------------------------------------------------------------- the original's converter, one number after another

def threshold_word(name, index, kind, mw, wbits, abits, b, beta, gamma, mean, inv_std, step):
    s = 1.0 if gamma > 0 else -1.0
    t = s * ((mean - b) + (step - beta) / (gamma * inv_std))
    everything_one_bit = wbits == 1 and abits == 1
    first_conv = kind == "conv" and index == 0
    if first_conv:
        t = t * 256
    if kind == "conv" or not everything_one_bit:
        t = np.ceil(t) if gamma < 0 else np.floor(t)
    if everything_one_bit and not first_conv:
        t = float(np.trunc((mw + t) / 2))
    if name == "lfcW1A2" and index == 0:
        t = t - 48
    return int(t) if first_conv else int(min(max(t, -32768.0), 32767.0))


def thresholds(name, index, layer, params):
    kind, mw, mh, simd, pe = layer
    _, wbits, abits = NETWORKS[name]
    last = index == len(NETWORKS[name][0]) - 1
    steps = [0.0] if abits == 1 or last else [-0.5, 0.5]
    w, b, beta, gamma, mean, inv_std = params
    rows = [[threshold_word(name, index, kind, mw, wbits, abits, b[n], beta[n], gamma[n], mean[n], inv_std[n], s) for s in steps]
            for n in range(len(w))]
    return rows + [[32767] * len(steps)] * (mh - len(w))


def folder(name, arrays, classes):
    layers, wbits, abits = NETWORKS[name]
    files = {}
    for i, params in enumerate(layers_of(name, arrays)):
        kind, mw, mh, simd, pe = layers[i]
        w, gamma = params[0], params[3]
        w = np.sign(gamma)[:, None] * w
        if wbits == 1:
            bits = (w >= 0).astype("u1")[:, :, None]
        else:
            q = np.floor(w + 0.5).astype("i8")
            bits = np.stack([q & 1, q >> 1 & 1], 2).astype("u1")
        padded = np.full((mh, -(-mw // simd) * simd, wbits), 1 if wbits == 1 else 0, "u1")
        padded[:len(w), :mw] = bits
        words = padded.reshape(mh // pe, pe, -1, simd * wbits)  # nf, p, sf, bits
        packed = np.zeros(words.shape[:3], "<u8")
        for bit in range(simd * wbits):
            packed |= words[..., bit].astype("<u8") << np.uint64(bit)
        for p in range(pe):
            files["%d-%d-weights.bin" % (i, p)] = packed[:, p].tobytes()
        if i == 8:
            continue
        t = thresholds(name, i, layers[i], params)
        for p in range(pe):
            files["%d-%d-thres.bin" % (i, p)] = b"".join(struct.pack("<q", v) for n in range(p, mh, pe) for v in t[n])
    files["classes.txt"] = "\n".join(classes).encode()
    return files


def test_finnthesizer(name):
    classes = ["zero", "one, two", "drei", "\u00fc"] + ["c%d" % i for i in range(6)]
    arrays = make_archive(name, len(classes), zeros=False)
    with open("names.txt", "wb") as f:
        f.write("\n".join(classes).encode() + b"\n")
    assert convert("in.npz", "out/", "--fold", "finnthesizer", "--topology", name, "--names", "names.txt") == (0, "")
    expected = folder(name, arrays, classes)
    assert sorted(os.listdir("out")) == sorted(expected)
    for file, content in expected.items():
        found = open("out/" + file, "rb").read()
        assert found == content, (name, file, np.frombuffer(found, "<i8")[:8], np.frombuffer(content, "<i8")[:8])
    if name == "cnvW1A2":  # once is enough: through our network file the folder is the same
        test_folder_again(name)
    subprocess.run(["rm", "-r", "out"], check=True)


def test_folder_again(name):
    assert convert("in.npz", "n.safetensors", "--fold", "finnthesizer", "--topology", name, "--names", "names.txt") == (0, "")
    assert convert("n.safetensors", "again/") == (0, "")
    subprocess.run(["diff", "-r", "out", "again"], check=True)
    subprocess.run(["rm", "-r", "again"], check=True)


# -------------------------------------------------------------------------------- the trained graph, in float64

def windows(x):
    """Images x height x width x channels -> the 3 x 3 windows, channel innermost."""
    n, h, w, c = x.shape
    s = x.strides
    v = np.lib.stride_tricks.as_strided(x, (n, h - 2, w - 2, 3, 3, c), s[:3] + s[1:])
    return v.reshape(n, h - 2, w - 2, 9 * c)


def pool(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).max((2, 4))


def quantise(w, bits):
    return np.where(w >= 0, 1.0, -1.0) if bits == 1 else np.clip(np.floor(w + 0.5), -1, 1)


def run_graph(name, arrays, x):
    """Outputs of the last norm, and the sums before it."""
    layers, wbits, abits = NETWORKS[name]
    for i, (w, b, beta, gamma, mean, inv_std) in enumerate(layers_of(name, arrays)):
        kind = layers[i][0]
        if kind == "fc":
            x = x.reshape(len(x), -1)
        acc = (windows(x) if kind == "conv" else x) @ quantise(w, wbits).T
        if i in POOLED and kind == "conv":
            acc = pool(acc)
        z = ((acc + b) - mean) * (gamma * inv_std) + beta
        x = np.where(z >= 0, 1.0, -1.0) if abits == 1 else -1.0 + (z >= -0.5) + (z >= 0.5)
    return z, acc


def write_images(name, count):
    if name[0] == "l":
        pixels = rng.randint(0, 256, size=(count, 28, 28)).astype("u1")
        with open("images.idx", "wb") as f:
            f.write(struct.pack(">IIII", 0x803, count, 28, 28) + pixels.tobytes())
        return "images.idx", np.where(pixels.reshape(count, 784) >= 128, 1.0, -1.0)
    planes = rng.randint(0, 256, size=(count, 3, 32, 32)).astype("u1")
    planes[:, :, :2] = rng.choice([0, 127, 128, 254, 255], size=(count, 3, 2, 32))
    with open("images.bin", "wb") as f:
        for p in planes:
            f.write(b"\0" + p.tobytes())
    q = np.clip(np.floor((-1 + 2 * np.arange(256) / 255) * 128 + 0.5), -128, 127)
    return "images.bin", np.ascontiguousarray(q[planes].transpose(0, 2, 3, 1) / 128)


def test_exact(name, classes, same_norm=False):
    arrays = make_archive(name, classes, zeros=True)
    if same_norm:  # one norm for all classes, as five arrays of it
        for a in arrays[-5:]:
            a[...] = a.flat[0]
        np.savez("in.npz", *[a.astype("f4") for a in arrays])
    path, x = write_images(name, 200 if name[0] == "l" else 12)
    z, acc = run_graph(name, arrays, x)
    code, text = convert("in.npz", "exact.safetensors", "--topology", name)
    assert code == 0, text
    raw = subprocess.run([bnn, "classify", "exact.safetensors", path, "--format", "raw"], capture_output=True, check=True).stdout
    if name[0] == "l" and not same_norm:
        words = np.frombuffer(raw, "<u8")
        bits = (words[:, None] >> np.arange(classes, dtype="u8") & np.uint64(1)).astype(bool)
        assert (bits == (z >= 0)).all(), name
        assert 0.05 < bits.mean() < 0.95
    else:
        slope = arrays[-3].flat[0]
        scores = np.frombuffer(raw, "<i4").reshape(len(x), classes)
        assert (scores == np.sign(slope) * acc).all(), name
        assert len(np.unique(scores)) > 5
        labels = subprocess.run([bnn, "classify", "exact.safetensors", path, "--format", "labels"], capture_output=True, check=True)
        assert (np.array(labels.stdout.split(), int) == (slope * acc).argmax(1)).all()


def read_words(path):
    return np.frombuffer(open(path, "rb").read(), "<i8")


def test_writing(name):
    """The network of test_exact as an archive: numpy reads it, and both folds give the network back."""
    assert convert("exact.safetensors", "written.npz") == (0, "")
    with np.load("written.npz") as f:
        assert f.files == ["arr_%d" % i for i in range(24 if name[0] == "l" else 53)]
        weights = f["arr_0"]
        assert weights.dtype == np.dtype("<f4") and weights.shape == ((784, 1024) if name[0] == "l" else (64, 3, 3, 3))
        assert set(np.unique(weights)) == ({-1, 1} if NETWORKS[name][1] == 1 else {-1, 0, 1})
    assert convert("written.npz", "again.safetensors", "--topology", name)[0] == 0
    assert open("exact.safetensors", "rb").read() == open("again.safetensors", "rb").read()
    convert("exact.safetensors", "out/")
    assert convert("written.npz", "again/", "--topology", name, "--fold", "finnthesizer") == (0, "")
    for file in os.listdir("out"):
        if name[0] == "c" and file.startswith("0-") and file.endswith("thres.bin"):  # the last bit there means nothing
            a, b = (np.maximum(read_words(d + file) >> 1, -3457) for d in ("out/", "again/"))  # nor what is below all sums
            assert (a == b).all(), (name, file)
        else:
            a, b = open("out/" + file, "rb").read(), open("again/" + file, "rb").read()
            if name == "lfcW1A2" and file.startswith("3-") and file.endswith("thres.bin"):  # from -1025 down it always fires
                a, b = (np.maximum(read_words(d + file), -1025).tobytes() for d in ("out/", "again/"))
            assert a == b, (name, file)
    subprocess.run(["rm", "-r", "out", "again"], check=True)


def test_own_topology():
    """A map of 2x2 before a dense layer, whose inputs the scripts have as (c, y, x); pooled ternary activations; six arrays at the end."""
    open("small.topology", "w").write("input 6x6x3 uint8\nconv 8 3x3 w1 a2\nmaxpool 2x2\ndense 10 w2 a1\ndense <=7 w2 scores\n")
    conv, dense, last = make_weights((8, 3, 3, 3)), make_weights((32, 10)), make_weights((10, 5))
    norms = [make_norm(8, 27, 1 / 128, True), make_norm(10, 32, 1, True), [np.full(5, v, "f4") for v in (0.5, 0.25, -2, 3, 0.5)]]
    np.savez_compressed("small.npz", conv, *norms[0], dense, *norms[1], last, *norms[2])
    assert convert("small.npz", "small.safetensors", "--topology", "small.topology") == (0, "")
    planes = rng.randint(0, 256, size=(300, 3, 6, 6)).astype("u1")
    with open("small.bin", "wb") as f:
        for p in planes:
            f.write(b"\0" + p.tobytes())
    q = np.clip(np.floor((-1 + 2 * np.arange(256) / 255) * 128 + 0.5), -128, 127)
    x = np.ascontiguousarray(q[planes].transpose(0, 2, 3, 1) / 128)

    def norm(acc, n):
        b, beta, gamma, mean, inv_std = (v.astype("f8") for v in n)
        return ((acc + b) - mean) * (gamma * inv_std) + beta

    acc = windows(x) @ quantise(conv.transpose(0, 2, 3, 1).reshape(8, 27).astype("f8"), 1).T
    z = norm(pool(acc), norms[0])
    x = -1.0 + (z >= -0.5) + (z >= 0.5)
    z = norm(x.transpose(0, 3, 1, 2).reshape(-1, 32) @ quantise(dense.astype("f8"), 2), norms[1])
    scores = np.where(z >= 0, 1.0, -1.0) @ quantise(last.astype("f8"), 2)
    raw = subprocess.run([bnn, "classify", "small.safetensors", "small.bin", "--record", "6x6x3", "--format", "raw"],
                         capture_output=True, check=True).stdout
    assert (np.frombuffer(raw, "<i4").reshape(-1, 5) == -scores).all()  # gamma is negative
    return len(np.unique(scores, axis=0))


def test_refusals():
    code, text = convert("in.npz", "x.safetensors")
    assert code == 1 and "in.npz: 53 arrays do not say how many bits" in text, text
    code, text = convert("in.npz", "x.safetensors", "--topology", "lfcW1A1")
    assert code == 1 and "in.npz: 53 arrays; a network of 4 layers" in text, text
    os.rename("in.npz", "cifar10-2w-2a.npz")  # the scripts' own names say it
    assert convert("cifar10-2w-2a.npz", "x.safetensors")[0] == 0
    with np.load("cifar10-2w-2a.npz") as f:
        arrays = [f[k] for k in f.files]
    for index, value, words in [
        (4, np.zeros(63, "f4"), "arr_4: 63 values of mean; expected 64"),
        (5, -np.ones(64, "f4"), "arr_5: inv_std -1; expected a positive number"),
        (3, np.full(64, np.nan, "f4"), "arr_3: value 0 is not finite"),
        (6, np.zeros((64, 64, 5, 5), "f4"), "arr_6: 64x64x5x5 weights; expected those of 64 neurons of 576 inputs"),
        (48, np.zeros((512, 65), "f4"), "arr_48: 512x65 weights; expected those of up to 64 neurons"),
    ]:
        bad = list(arrays)
        bad[index] = value
        np.savez("bad.npz", *bad)
        code, text = convert("bad.npz", "x.safetensors", "--topology", "cnvW2A2")
        assert code == 1 and "bad.npz: " + words in text, text
    bad = list(arrays)
    bad[0] = np.full((64, 3, 3, 3), 1.75, "f4")
    np.savez("bad.npz", *bad)
    code, text = convert("bad.npz", "x/", "--topology", "cnvW2A2", "--fold", "finnthesizer")
    assert code == 1 and "expected one that rounds to -1, 0 or +1" in text, text
    open("three.txt", "w").write("a\nb\nc\n")
    code, text = convert("bad.npz", "x/", "--topology", "cnvW2A2", "--names", "three.txt")
    assert code == 1 and "three.txt: 3 lines; the archive has 10 classes" in text, text


for network in NETWORKS:
    test_finnthesizer(network)
    print(network, "finnthesizer: every byte as the rules say")
for network in NETWORKS:
    test_exact(network, 10)
    test_writing(network)
    print(network, "exact: as the trained graph; written as an archive: the same network")
test_exact("lfcW1A1", 10, same_norm=True)
test_exact("lfcW1A2", 47)
assert sum(test_own_topology() for _ in range(20)) > 200  # different answers
make_archive("cnvW2A2", 10, zeros=False)
test_refusals()
