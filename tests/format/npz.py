"""npz.py NPZ_COPY: archives between numpy and the library, both ways; and damaged ones, each with its message."""
import io, struct, subprocess, sys, zipfile, zlib
import numpy as np

copy = sys.argv[1]


def run(path, width="f8", method="stored"):
    p = subprocess.run([copy, path, "out.npz", width, method], capture_output=True, text=True)
    return p.returncode, p.stdout.strip()


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


rng = np.random.RandomState(7)
arrays = [
    rng.normal(size=(5, 7)).astype("<f4"), rng.normal(size=(3, 4, 3, 3)).astype("<f8"),
    np.asfortranarray(rng.normal(size=(6, 5, 2))), np.array(2.5, "<f4"), np.zeros(0, "<f4"), np.zeros((3, 0), "<f8"),
    np.array([np.inf, -np.inf, -0.0, 1e-45, np.finfo("f4").max], "<f4"), rng.normal(size=1).astype("<f8"),
    rng.randint(-1, 2, size=(64, 100)).astype("<f4"),
]

# numpy -> library -> numpy, every way of packing
for save in (np.savez, np.savez_compressed):
    save("in.npz", *arrays)
    for method in ("stored", "deflated"):
        for width in ("f4", "f8"):
            code, text = run("in.npz", width, method)
            assert code == 0, text
            with np.load("out.npz") as out:
                assert out.files == ["arr_%d" % i for i in range(len(arrays))]
                for a, b in zip(arrays, (out[k] for k in out.files)):
                    assert same(np.ascontiguousarray(a).astype("<" + width).reshape(a.shape), b), (save, method, width, a.shape)
            assert zipfile.ZipFile("out.npz").testzip() is None
            stored = {i.compress_type for i in zipfile.ZipFile("out.npz").infolist()}
            assert stored == {zipfile.ZIP_DEFLATED if method == "deflated" else zipfile.ZIP_STORED}

# names, other members, npy version 2.0, a comment at the end, headers written by Python 2
buffer = io.BytesIO()
np.lib.format.write_array(buffer, np.arange(6.0).reshape(2, 3), version=(2, 0))
header = b"{'shape': (2L, 2L), 'descr': '<f4', 'fortran_order': False}".ljust(117) + b"\n"
python2 = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + np.arange(4, dtype="<f4").tobytes()
with zipfile.ZipFile("named.npz", "w") as z:
    z.comment = b"PK\5\6 is no end " + 40 * b"x"
    z.writestr("README", "not an array")
    z.writestr("two.npy", buffer.getvalue())
    z.writestr("old.npy", python2)
assert run("named.npz") == (0, "")
with np.load("out.npz") as out:
    assert out.files == ["two", "old"] and same(out["two"], np.arange(6.0).reshape(2, 3)) and out["old"].tolist() == [[0, 1], [2, 3]]

# the same archive gives the same bytes
first = open("out.npz", "rb").read()
run("named.npz")
assert first == open("out.npz", "rb").read()


def refused(data, code, words):
    open("bad.npz", "wb").write(data)
    status, text = run("bad.npz")
    assert status == 1 and text.startswith(code + " bad.npz: ") and words in text, (words, text)


def archive(member, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        z.writestr("a.npy", member)
    return bytearray(out.getvalue())


def npy(header, values=b"", version=1):
    header = header.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + values


good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8 * b"\0")
refused(b"", "EMAGIC", "no end of a zip archive")
refused(b"PK\3\4" + 100 * b"\0", "EMAGIC", "no end of a zip archive")
refused(archive(b"hello"), "EMAGIC", "a.npy: not a NumPy array")
for header, code, words in [
    ("{'descr': '<i4', 'fortran_order': False, 'shape': (2,)}", "ECORRUPT", "values of type '<i4'"),
    ("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", "ECORRUPT", "values of type '>f4'"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "ECORRUPT", "8 bytes of values; the shape needs 12"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999, 999999999, 999999999)}", "ECORRUPT", "more values"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}", "ECORRUPT", "npy header"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "ECORRUPT", "npy header"),
    ("{'descr': '<f4', 'fortran_order': False}", "ECORRUPT", "npy header"),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "ECORRUPT", "npy header"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "ECORRUPT", "npy header"),
]:
    refused(archive(npy(header, 8 * b"\0")), code, words)
refused(archive(npy("{}", version=4)), "EVERSION", "npy version 4.0")

bad = archive(good)
bad[bad.index(good) + len(good) - 1] ^= 1
refused(bad, "ECORRUPT", "CRC")
packed = archive(good, zipfile.ZIP_DEFLATED)
directory = packed.index(b"PK\1\2")
for at, value, words in [
    (10, struct.pack("<H", 12), "method 12"),
    (8, struct.pack("<H", 1), "encrypted"),
    (24, struct.pack("<I", 1 << 30), "bytes unpacked; expected at most"),
    (24, struct.pack("<I", 1 << 20), "that cannot be"),  # 2^20 bytes from less than 100
    (24, struct.pack("<I", 70), "damaged after"),
    (20, struct.pack("<I", 0xffffffff), "the file ends before"),
    (42, struct.pack("<I", 9999999), "no member at byte 9999999"),
]:
    bad = packed[:]
    bad[directory + at:directory + at + len(value)] = value
    refused(bad, "ECORRUPT", words)
end = packed.index(b"PK\5\6")
for at, value, words in [(10, struct.pack("<H", 9), "in several"), (16, struct.pack("<I", 0xffffffff), "zip64"),
                         (16, struct.pack("<I", 99999), "zip directory at byte 99999")]:
    bad = packed[:]
    bad[end + at:end + at + len(value)] = value
    refused(bad, "ECORRUPT", words)

# a bomb: eighty members that are one, 16 MiB of zeros in 16 KiB, 1.3 GB together
deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
zeros = deflate.compress(bytes(1 << 24)) + deflate.flush()
local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 33, zlib.crc32(bytes(1 << 24)), len(zeros), 1 << 24, 5, 0) + b"a.npy" + zeros
entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 33, zlib.crc32(bytes(1 << 24)), len(zeros), 1 << 24, 5, 0, 0, 0, 0, 0, 0) + b"a.npy"
refused(local + 80 * entry + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 80, 80, 80 * len(entry), len(local), 0), "ECORRUPT", "in all")

# no prefix of an archive is taken for one
whole = open("out.npz", "rb").read()
for n in range(0, len(whole), 7):
    open("cut.npz", "wb").write(whole[:n])
    assert run("cut.npz")[0] == 1
print("archives equal numpy's both ways; damaged ones are refused")
