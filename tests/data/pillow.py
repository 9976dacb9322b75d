"""Pictures through input rules, byte for byte as Pillow does it (modes, sizes, thumbnail, resize, paste).

usage: pillow.py PREPARE_FILES
The reference for a colour rule is BNN-PYNQ's image_to_cifar, with size and background of the rule;
for a grey rule the same after convert("L").
"""
import random, struct, subprocess, sys, warnings, zlib

try:
    import PIL
    from PIL import Image, ImageDraw
except ImportError:
    print("skipped: no Pillow (Debian: python3-pil)")
    sys.exit(77)
if PIL.__version__.split(".")[0] != "9":
    print("skipped: Pillow %s; the bytes are those of 9.x" % PIL.__version__)
    sys.exit(77)

random.seed(1)
warnings.simplefilter("ignore") # of transparency that convert("L") drops
LANCZOS = Image.Resampling.LANCZOS


def luma(rgb):
    return (19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 32768) >> 16


def grey_jpeg(img, size):
    """A JPEG is decoded at a fraction for a thumbnail, as thumbnail itself has it done, before it turns grey."""
    small = Image.new("1", img.size)
    small.thumbnail(size)  # for its size
    if small.size == img.size:
        return img.convert("L")
    box = img.draft(None, (2 * small.size[0], 2 * small.size[1]))[1]
    return img.convert("L").resize(small.size, LANCZOS, box, 2.0)


def reference(path, size, fit, background, grey):
    """`size` is (width, height)."""
    img = Image.open(path)
    if img.mode == "I" and path.endswith("png"):  # 16-bit grey: we take the upper byte, Pillow clips
        img = img.point(lambda v: v * (1 / 256)).convert("L")
    if grey and img.format == "JPEG" and fit == "thumbnail":
        return paste(grey_jpeg(img, size), size, background, grey)
    if grey:
        img = img.convert("L")
    if fit == "thumbnail":
        img.thumbnail(size, LANCZOS)
    else:
        img = img.resize(size, LANCZOS)
    return paste(img, size, background, grey)


def paste(img, size, background, grey):
    canvas = Image.new("L", size, luma(background)) if grey else Image.new("RGBA", size, background + (0,))
    canvas.paste(img, ((size[0] - img.size[0]) // 2, (size[1] - img.size[1]) // 2))
    return canvas.tobytes() if grey else canvas.convert("RGB").tobytes()


def content(width, height):
    """Noise, edges, gradients and lines: what resampling gets wrong."""
    kind = random.randrange(3)
    if kind == 0:
        return Image.frombytes("RGB", (width, height), random.randbytes(3 * width * height))
    img = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(img)
    for _ in range(12):
        box = [random.randrange(-5, n + 5) for n in (width, height, width, height)]
        colour = tuple(random.choice((0, 255, random.randrange(256))) for _ in range(3))
        if kind == 1:
            draw.line(box, colour, random.randrange(1, 5))
        else:
            draw.rectangle([min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])], colour)
    return img


def alpha(width, height):
    a = Image.frombytes("L", (width, height), random.randbytes(width * height))
    return a.point(lambda v: 0 if v < 80 else 255 if v > 160 else v)


def make(mode, width, height):
    img = content(width, height)
    if mode in ("RGBA", "LA"):
        img = img.convert(mode)
        img.putalpha(alpha(width, height))
    elif mode.startswith("P"):
        colours = int(mode[1:] or 256)
        img = img.quantize(colours, Image.Quantize.FASTOCTREE)
    elif mode != "RGB":
        img = img.convert(mode)
    return img


cases = []  # path, rule text, size, fit, background, grey


def add(path, width, height, size):
    fit = random.choice(("thumbnail", "thumbnail", "stretch"))
    background = random.choice(((255, 255, 255), (0, 0, 0), (12, 200, 99)))
    grey = random.random() < 0.3
    rule = "size %dx%d fit %s background %d,%d,%d" % ((size[1], size[0], fit) + background)
    cases.append((path, rule + (" grey" if grey else ""), size, fit, background, grey))


def save(img, name, **options):
    img.save(name, **options, **({"compress_level": 1} if name.endswith("png") else {}))
    return name


def passes(width, height):
    """Adam7: the pixels of each pass."""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        columns, rows = range(x0, width, dx), range(y0, height, dy)
        if columns and rows:
            yield [[(x, y) for x in columns] for y in rows]


def save_png(name, width, height, depth, colour, interlaced, palette=None):
    """A PNG of random pixels, of the kinds that Pillow itself does not write."""
    bits = depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    value = [[random.getrandbits(bits) for _ in range(width)] for _ in range(height)]
    whole = [[[(x, y) for x in range(width)] for y in range(height)]]
    raw = b""
    for rows in passes(width, height) if interlaced else whole:
        for row in rows:
            n = 0
            for x, y in row:
                n = n << bits | value[y][x]
            pad = -len(row) * bits % 8
            raw += b"\0" + (n << pad).to_bytes((len(row) * bits + pad) // 8, "big")

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)))
        if palette:
            f.write(chunk(b"PLTE", palette))
        f.write(chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    return name


SIZES = [(1, 1), (1, 50), (50, 1), (2, 3), (31, 33), (32, 32), (33, 32), (40, 40), (28, 28), (63, 64), (64, 64), (65, 130),
         (100, 37), (128, 128), (129, 127), (200, 600), (257, 255), (320, 240), (333, 777), (640, 480), (1, 1000), (1000, 3),
         (512, 512), (511, 1023)]
TARGETS = [(32, 32), (32, 32), (28, 28), (40, 40), (1, 1), (5, 9), (64, 20), (200, 150)]
MODES = ["L", "RGB", "RGBA", "LA", "1", "P", "P2", "P4", "P16", "P5"]

n = 0
for mode in MODES:
    for width, height in SIZES:
        options = {}
        if mode.startswith("P"):
            options["transparency"] = random.choice((0, 1, bytes([0, 128, 255])))
        elif mode == "L" and n % 5 == 0:
            options["transparency"] = 77
        elif mode == "RGB" and n % 5 == 0:
            options["transparency"] = (1, 2, 3)
        path = save(make(mode, width, height), "%d.png" % n, **options)
        for size in random.sample(TARGETS, 2):
            add(path, width, height, size)
        n += 1
for _ in range(60):  # sizes at random, where rounding of the aspect decides
    width, height = random.randrange(1, 400), random.randrange(1, 400)
    path = save(make(random.choice(("L", "RGB", "RGBA", "LA")), width, height), "%d.png" % n)
    add(path, width, height, random.choice(TARGETS))
    n += 1
for depth, colour in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6)):
    for interlaced in (0, 1):
        palette = random.randbytes(3 * min(1 << depth, 200)) if colour == 3 else None
        for width, height in ((3, 3), (57, 61), (80, 33)):
            add(save_png("%d.png" % n, width, height, depth, colour, interlaced, palette), width, height, random.choice(TARGETS[1:4]))
            n += 1
for suffix, mode in (("pbm", "1"), ("pgm", "L"), ("ppm", "RGB")):
    for width, height in ((7, 5), (64, 40), (130, 257)):
        add(save(make(mode, width, height), "%d.%s" % (n, suffix)), width, height, (32, 32))
        n += 1
for kind, channels, maximum in (("P1", 1, 1), ("P2", 1, 100), ("P3", 3, 255), ("P3", 3, 6), ("P5", 1, 100), ("P6", 3, 254)):
    values = [random.randrange(maximum + 1) for _ in range(40 * 30 * channels)]
    head = "%s\n# of a test\n40 30\n" % kind + ("" if kind == "P1" else "%d\n" % maximum)
    with open("%d.pnm" % n, "wb") as f:
        f.write(head.encode() + (bytes(values) if kind > "P4" else " ".join(map(str, values)).encode()))
    add("%d.pnm" % n, 40, 30, (32, 32))
    n += 1
for width, height in ((7, 5), (64, 40), (130, 257), (600, 450), (1033, 777), (300, 299)):
    for mode in ("L", "RGB", "CMYK"):
        for options in ({}, {"subsampling": 0}, {"progressive": True}):
            add(save(make(mode, width, height), "%d.jpg" % n, **options), width, height, random.choice(((32, 32), (28, 28), (40, 40))))
            n += 1

with open("manifest", "w") as f:
    for path, rule, *_ in cases:
        f.write("%s\t%s\n" % (path, rule))
subprocess.run([sys.argv[1], "manifest", "out"], check=True)
out = open("out", "rb").read()

at = failed = 0
for path, rule, size, fit, background, grey in cases:
    want = reference(path, size, fit, background, grey)
    got = out[at:at + len(want)]
    at += len(want)
    if got != want:
        differ = [i for i in range(len(want)) if got[i] != want[i]]
        img = Image.open(path)
        print("%s (%s %dx%d) by '%s': %d of %d bytes differ, first at %d: %d, Pillow %d" %
              ((path, img.mode) + img.size + (rule, len(differ), len(want), differ[0], got[differ[0]], want[differ[0]])))
        failed += 1
assert at == len(out)
print("%d pictures, %d differ" % (len(cases), failed))
sys.exit(failed > 0)
