"""Draws a folder per class of small colour pictures: circles, squares and crosses on noise.

draw.py FOLDER COUNT SEED writes COUNT pictures of each class, as PPM of several sizes.
draw.py --idx NAME COUNT SEED writes NAME-images-idx3-ubyte and NAME-labels-idx1-ubyte, 28x28.
"""
import os
import random
import struct
import sys

CLASSES = ["circle", "cross", "square"]


def inside(kind, x, y):
    """Is (x, y), in units of the shape's radius, on the shape?"""
    if kind == "circle":
        return 0.7 < (x * x + y * y) ** 0.5 < 1
    if kind == "cross":
        return max(abs(x), abs(y)) < 1 and min(abs(x - y), abs(x + y)) < 0.35
    return 0.7 < max(abs(x), abs(y)) < 1


def draw(rng, kind, side):
    """Rows of (r, g, b) of one picture; the shape is brighter than its ground."""
    radius = side * rng.uniform(0.25, 0.4)
    cx, cy = (rng.uniform(radius, side - radius) for _ in "xy")
    ground = [rng.uniform(20, 90) for _ in "rgb"]
    ink = [rng.uniform(150, 230) for _ in "rgb"]
    rows = []
    for y in range(side):
        row = []
        for x in range(side):
            colour = ink if inside(kind, (x - cx) / radius, (y - cy) / radius) else ground
            row.append(tuple(min(255, max(0, int(c + rng.gauss(0, 20)))) for c in colour))
        rows.append(row)
    return rows


def write_folder(folder, count, rng):
    for kind in CLASSES:
        os.makedirs(os.path.join(folder, kind))
        for i in range(count):
            side = rng.choice([32, 32, 40, 64])
            pixels = b"".join(bytes(p) for row in draw(rng, kind, side) for p in row)
            with open(os.path.join(folder, kind, "%03d.ppm" % i), "wb") as f:
                f.write(b"P6\n%d %d\n255\n" % (side, side) + pixels)


def write_idx(name, count, rng):
    n = count * len(CLASSES)
    with open(name + "-images-idx3-ubyte", "wb") as f, open(name + "-labels-idx1-ubyte", "wb") as g:
        f.write(struct.pack(">IIII", 0x803, n, 28, 28))
        g.write(struct.pack(">II", 0x801, n))
        for i in range(n):
            kind = i % len(CLASSES)
            f.write(bytes(p[1] for row in draw(rng, CLASSES[kind], 28) for p in row))
            g.write(bytes([kind]))


if __name__ == "__main__":
    idx = sys.argv[1] == "--idx"
    where, number, seed = sys.argv[1 + idx:]
    (write_idx if idx else write_folder)(where, int(number), random.Random(int(seed)))
