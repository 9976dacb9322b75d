"""make.py -- small inputs for the tests of the command.

    make.py KIND FILE...        KIND is a function below, such as network, digits, folder

The network files are written from docs/format.md alone, not by the library, so
the tests of the command also hold the page to the reader.
"""
import gzip
import hashlib
import json
import os
import random
import struct
import sys
import zlib

# ------------------------------------------------------------- networks --

RULE = "size 4x4 fit thumbnail background 0,0,0 grey threshold 128"


def safetensors(tensors, metadata, seal=True):
    """tensors: {name: (dtype, shape, bytes)} in the order of the file."""
    zeros = "0" * 64
    header, data = {"__metadata__": {"checksum": zeros, **metadata}}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    whole = bytearray(struct.pack("<Q", len(text)) + text + data)
    at = whole.index(zeros.encode())
    if seal:
        whole[at:at + 64] = hashlib.sha256(whole).hexdigest().encode()
    return bytes(whole)


def compass(metadata={}, tensors={}, seal=True):
    """Three classes of 4x4 pictures: dark, top (lit upper half), left. A score is
    16 less twice the pixels that differ from the class's picture."""
    content = {"layers.0.weights": ("U64", [3, 1, 1], struct.pack("<3Q", 0, 0x00ff, 0x3333)), **tensors}
    return safetensors({k: v for k, v in content.items() if v}, {
        "format": "bnn-network", "version": "1", "classes": "3", "names": '["dark","top","left"]',
        "topology": "input 4x4x1 bit\ndense 3 w1 scores\n", "input": RULE,
        "provenance.recipe": "drawn by hand", **metadata}, seal)


def network(path):
    write(path, compass())


def odd(path):
    """Its texts would change a terminal's colours, and take several lines."""
    write(path, compass({"names": json.dumps(["da\x1b[1mrk", "t\top", "le\nft"]), "provenance.recipe": "red \x1b[31m\nby hand"}))
    write("zero.txt", b"0\n")


def wide(path, height=28, width=28):
    """The same three classes on a larger picture, one word a row of 64 pixels."""
    words = (height * width + 63) // 64
    lit = [lambda y, x: False, lambda y, x: y < height // 2, lambda y, x: x < width // 2]
    rows = b""
    for light in lit:
        bits = sum(1 << (y * width + x) for y in range(height) for x in range(width) if light(y, x))
        rows += bits.to_bytes(8 * words, "little")
    write(path, compass({"topology": f"input {height}x{width}x1 bit\ndense 3 w1 scores\n",
                         "input": RULE.replace("4x4", f"{height}x{width}")},
                        {"layers.0.weights": ("U64", [3, 1, words], rows)}))


# PE and 64-bit words a PE, of weights and thresholds, for each layer (BNN-PYNQ's config.h).
FOLDERS = {
    "lfcW1A1": [(32, 416, 32), (64, 512, 16), (32, 512, 32), (16, 512, 4)],
    "cnvW1A1": [(16, 36, 4), (32, 36, 2), (16, 144, 8), (16, 288, 8), (4, 2304, 64), (1, 18432, 256), (1, 32768, 512),
                (1, 32768, 512), (4, 8192, 0)],
}
SIMD = {"lfcW1A1": [64, 32, 64, 8], "cnvW1A1": [3, 32, 32, 32, 32, 32, 4, 8, 1]}
WIDTH = {"lfcW1A1": [832, 1024, 1024, 1024], "cnvW1A1": [27, 576, 576, 1152, 1152, 2304, 256, 512, 512]}


def folder(path, kind=None, classes="zero one two three four five six seven eight nine".split()):
    """A BNN-PYNQ folder of random weights and thresholds in the middle."""
    kind = kind or os.path.basename(path)
    rng = random.Random(1)
    os.makedirs(path)
    for layer, (pes, weights, thresholds) in enumerate(FOLDERS[kind]):
        signed = kind.startswith("cnv") and layer == 0
        middle = 0 if signed else WIDTH[kind][layer] // 2
        mask = (1 << SIMD[kind][layer]) - 1
        for pe in range(pes):
            words = [rng.getrandbits(64) & mask for _ in range(weights)]
            write(f"{path}/{layer}-{pe}-weights.bin", struct.pack(f"<{weights}Q", *words))
            if thresholds:
                words = [middle + rng.randrange(-8, 9) for _ in range(thresholds)]
                write(f"{path}/{layer}-{pe}-thres.bin", struct.pack(f"<{thresholds}q", *words))
    write(f"{path}/classes.txt", "\n".join(classes).encode())


# ------------------------------------------------------------- pictures --

def lit(kind, size=4):
    """Pixels of a class's picture, row by row."""
    half = size // 2
    rule = {"dark": lambda y, x: False, "top": lambda y, x: y < half, "left": lambda y, x: x < half}[kind]
    return bytes(255 if rule(y, x) else 0 for y in range(size) for x in range(size))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bytes(width, height, pixels, claim=None):
    """A grey PNG; `claim` is a width and height that its header tells instead."""
    w, h = claim or (width, height)
    rows = b"".join(b"\0" + pixels[y * width:(y + 1) * width] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))


def pgm_bytes(width, height, pixels):
    return b"P5\n%d %d\n255\n" % (width, height) + pixels


def pictures(*names):
    """top.png, left.pgm and the like: the class's picture by the name, the format by the suffix."""
    for name in names:
        kind, suffix = os.path.splitext(os.path.basename(name))
        pixels = lit(kind.split("-")[0])
        write(name, png_bytes(4, 4, pixels) if suffix == ".png" else pgm_bytes(4, 4, pixels))


# ------------------------------------------------------------ data sets --

def idx3(images, height=4, width=4, count=None):
    return struct.pack(">4I", 0x803, len(images) if count is None else count, height, width) + b"".join(images)


def idx1(labels):
    return struct.pack(">2I", 0x801, len(labels)) + bytes(labels)


def digits(images_path, labels_path=None, labels=(0, 1, 2, 1)):
    """dark, top, left, left: of the four labels given with them the last is wrong."""
    packed = gzip.compress if images_path.endswith(".gz") else bytes
    write(images_path, packed(idx3([lit("dark"), lit("top"), lit("left"), lit("left")])))
    if labels_path:
        write(labels_path, packed(idx1(labels)))


def records(path, side="32", channels="3", count="4"):
    """Records of a label byte and planes."""
    rng, n = random.Random(2), int(side) * int(side) * int(channels)
    write(path, b"".join(bytes([i % 10]) + rng.randbytes(n) for i in range(int(count))))


def long_idx(path, count="1000", side="28"):
    """An IDX file of black images that takes no space on the disk."""
    write(path, struct.pack(">4I", 0x803, int(count), int(side), int(side)))
    os.truncate(path, 16 + int(count) * int(side) * int(side))


# ------------------------------------------------------------------------

def write(path, data):
    if os.path.dirname(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
