"""Road signs, and a street with signs in it: all drawn here, so that they may be shown and shipped.

    python3 street.py scene street.png          the street of the notebook and of the tests
    python3 street.py train FOLDER [COUNT]      pictures to train on: a folder a class, COUNT (400) of each

A picture of a sign is its square with a tenth of border all round, as in the German Traffic Sign Recognition Benchmark, whose
names the classes have.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

RED, BLUE, YELLOW, WHITE, BLACK = (190, 22, 32), (10, 80, 165), (250, 195, 20), (245, 245, 242), (25, 25, 25)
CLASSES = ["Stop", "Yield", "No entry", "Priority road", "Speed limit (50km/h)", "Keep right", "General caution"]
NOT_A_SIGN = "not a sign"

# What stands where in the street: class, x, y of the square's corner, side.
SIGNS = [("Stop", 84, 150, 80), ("Speed limit (50km/h)", 250, 190, 60), ("Priority road", 360, 214, 44), ("Yield", 470, 160, 80),
         ("No entry", 590, 130, 104)]
STREET = (720, 405)  # width, height

FINE = 8  # signs are drawn so many times larger


def ring(n, radius, turn=0.0):
    """Corners of a regular polygon in the unit square."""
    angles = np.pi * (2 * np.arange(n) / n + turn)
    return [(0.5 + radius * np.sin(a), 0.5 - radius * np.cos(a)) for a in angles]


def triangle(size, up):
    s = 1 if up else -1
    return [(0.5, 0.5 - s * 0.42 * size), (0.5 + 0.47 * size, 0.5 + s * 0.36 * size), (0.5 - 0.47 * size, 0.5 + s * 0.36 * size)]


class Pen:
    """Draws in unit coordinates on a large transparent square."""

    def __init__(self, side):
        self.n = side * FINE
        self.image = Image.new("RGBA", (self.n, self.n), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.image)

    def polygon(self, points, colour):
        self.draw.polygon([(x * self.n, y * self.n) for x, y in points], fill=colour)

    def disc(self, radius, colour):
        self.draw.ellipse([(0.5 - radius) * self.n] * 2 + [(0.5 + radius) * self.n] * 2, fill=colour)

    def bar(self, x0, y0, x1, y1, colour):
        self.draw.rectangle([x0 * self.n, y0 * self.n, x1 * self.n, y1 * self.n], fill=colour)

    def text(self, words, width, height, colour):
        """Words stretched to a box in the middle; Pillow's own small font, so that no font has to be installed."""
        mask = ImageFont.load_default().getmask(words, mode="L")
        letters = Image.frombytes("L", mask.size, bytes(mask)).crop(Image.frombytes("L", mask.size, bytes(mask)).getbbox())
        letters = letters.resize((int(width * self.n), int(height * self.n)), Image.BICUBIC)
        corner = (int((0.5 - width / 2) * self.n), int((0.5 - height / 2) * self.n))
        self.image.paste(Image.new("RGBA", letters.size, colour + (255,)), corner, letters)


def draw_sign(name, side):
    """A sign as a transparent picture of side x side, a tenth of border all round."""
    pen = Pen(side)
    if name == "Stop":
        pen.polygon(ring(8, 0.43, 1 / 8), WHITE)
        pen.polygon(ring(8, 0.405, 1 / 8), RED)
        pen.text("STOP", 0.62, 0.26, WHITE)
    elif name == "Yield":
        pen.polygon(triangle(0.95, up=False), RED)
        pen.polygon([(x, y - 0.02) for x, y in triangle(0.55, up=False)], WHITE)
    elif name == "No entry":
        pen.disc(0.41, WHITE)
        pen.disc(0.395, RED)
        pen.bar(0.19, 0.42, 0.81, 0.58, WHITE)
    elif name == "Priority road":
        pen.polygon(ring(4, 0.44), BLACK)
        pen.polygon(ring(4, 0.425), WHITE)
        pen.polygon(ring(4, 0.29), YELLOW)
    elif name == "Speed limit (50km/h)":
        pen.disc(0.41, RED)
        pen.disc(0.31, WHITE)
        pen.text("50", 0.42, 0.34, BLACK)
    elif name == "Keep right":
        pen.disc(0.41, WHITE)
        pen.disc(0.395, BLUE)
        pen.polygon([(0.27, 0.34), (0.34, 0.27), (0.56, 0.49), (0.66, 0.39), (0.69, 0.69), (0.39, 0.66), (0.49, 0.56)], WHITE)
    elif name == "General caution":
        pen.polygon(triangle(0.95, up=True), RED)
        pen.polygon([(x, y + 0.02) for x, y in triangle(0.6, up=True)], WHITE)
        pen.bar(0.46, 0.40, 0.54, 0.62, BLACK)
        pen.bar(0.46, 0.66, 0.54, 0.73, BLACK)
    return pen.image.resize((side, side), Image.LANCZOS)


# ---------------------------------------------------------------- the street


def shade(image, rng, amount):
    """A little grain, so that nothing is quite even."""
    grain = rng.normal(0, amount, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def draw_house(draw, rng, x, width, height, ground):
    colour = tuple(int(c) for c in rng.integers((120, 95, 80), (225, 205, 190)))
    draw.rectangle([x, ground - height, x + width, ground], fill=colour)
    draw.polygon([(x - 6, ground - height), (x + width // 2, ground - height - 40), (x + width + 6, ground - height)], fill=(120, 62, 50))
    for y in range(ground - height + 14, ground - 20, 34):
        for at in range(x + 12, x + width - 18, 30):
            draw.rectangle([at, y, at + 14, y + 20], fill=(70, 85, 100))


def draw_tree(draw, rng, x, ground, size):
    draw.rectangle([x - size // 12, ground - size, x + size // 12, ground], fill=(92, 66, 44))
    for _ in range(14):
        dx, dy = rng.normal(0, size / 5, 2)
        r = size / 5
        green = tuple(int(c) for c in rng.integers((40, 85, 35), (80, 135, 60)))
        draw.ellipse([x + dx - r, ground - size * 1.2 + dy - r, x + dx + r, ground - size * 1.2 + dy + r], fill=green)


def draw_street(seed=5, signs=SIGNS):
    """Sky, houses, trees, a road, and signs on poles."""
    rng = np.random.default_rng(seed)
    width, height = STREET
    ground = height * 3 // 4
    rows = np.linspace(0, 1, height)[:, None, None]
    image = Image.fromarray(np.broadcast_to((1 - rows) * (120, 165, 215) + rows * (225, 232, 238), (height, width, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for x in range(int(rng.integers(-30, 20)), width, 150):
        draw_house(draw, rng, x, int(rng.integers(90, 130)), int(rng.integers(110, 190)), ground)
    for x in range(int(rng.integers(20, 120)), width, 210):
        draw_tree(draw, rng, x, ground, int(rng.integers(70, 120)))
    draw.rectangle([0, ground, width, height], fill=(140, 140, 134))
    draw.polygon([(0, height), (width, height), (width, ground + 45), (0, ground + 30)], fill=(88, 88, 92))
    for x in range(10, width, 90):
        draw.polygon([(x, height - 34), (x + 46, height - 34), (x + 44, height - 27), (x - 2, height - 27)], fill=(226, 226, 220))
    for name, x, y, side in signs:
        draw.rectangle([x + side // 2 - 2, y + side // 2, x + side // 2 + 2, ground + 22], fill=(150, 152, 155))
        picture = draw_sign(name, side)
        image.paste(picture, (x, y), picture)
    return shade(image.filter(ImageFilter.GaussianBlur(0.5)), rng, 3)


# ---------------------------------------------------------------- pictures to train on


def patch(rng, street, side=40):
    """Something of the street, of any size."""
    n = int(rng.integers(24, 150))
    x, y = (int(rng.integers(0, length - n)) for length in street.size)
    return street.crop((x, y, x + n, y + n)).resize((side, side), Image.BILINEAR)


def light(image, rng):
    values = np.asarray(image).astype(float) * rng.uniform(0.6, 1.15) + rng.uniform(-25, 25) + rng.normal(0, rng.uniform(0, 7), (40, 40, 3))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def place(rng, background, name, scale, move):
    """A sign on a background: `scale` of its square's side, moved by up to `move` of it."""
    n = max(8, int(round(40 * scale)))
    picture = draw_sign(name, n).rotate(rng.uniform(-5, 5), Image.BICUBIC)
    dx, dy = rng.uniform(-move, move, 2) * 40
    background.paste(picture, (int(round((40 - n) / 2 + dx)), int(round((40 - n) / 2 + dy))), picture)
    return background


def example(rng, name, streets):
    """A picture of a class, 40 x 40. What is no sign is a piece of a street, or a sign that is much too large, small or aside."""
    background = patch(rng, streets[rng.integers(len(streets))])
    if name != NOT_A_SIGN:
        place(rng, background, name, rng.uniform(0.8, 1.25), 0.1)  # what lies between tiles of `bnn detect`
    elif rng.random() < 0.5:
        other = CLASSES[rng.integers(len(CLASSES))]
        kind = rng.integers(3)
        if kind == 0:
            place(rng, background, other, rng.uniform(1.6, 3.0), 0.6)
        elif kind == 1:
            place(rng, background, other, rng.uniform(0.25, 0.6), 0.3)
        else:
            angle = rng.uniform(0, 2 * np.pi)
            n = int(40 * rng.uniform(0.8, 1.3))
            picture = draw_sign(other, n)
            far = rng.uniform(0.42, 0.75) * 40
            background.paste(picture, (int(20 - n / 2 + far * np.cos(angle)), int(20 - n / 2 + far * np.sin(angle))), picture)
    if rng.random() < 0.3:
        background = background.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    return light(background, rng)


def training_set(count=400, seed=1):
    """Images (N x 40 x 40 x 3) and labels of every class; of "not a sign" six times as many."""
    rng = np.random.default_rng(seed)
    streets = [draw_street(seed=100 + i, signs=[]) for i in range(12)]
    names = [name for name in CLASSES for _ in range(count)] + [NOT_A_SIGN] * (6 * count)
    order = rng.permutation(len(names))
    all_names = CLASSES + [NOT_A_SIGN]
    images = np.stack([np.asarray(example(rng, names[i], streets)) for i in order])
    return images, np.array([all_names.index(names[i]) for i in order], np.uint16)


def write_training_folder(folder, count):
    images, labels = training_set(count)
    for label, name in enumerate(CLASSES + [NOT_A_SIGN]):
        Path(folder, f"{label} {name}".replace("/", "")).mkdir(parents=True)
    for i, (image, label) in enumerate(zip(images, labels)):
        name = (CLASSES + [NOT_A_SIGN])[label]
        Image.fromarray(image).save(Path(folder, f"{label} {name}".replace("/", ""), f"{i:05}.png"))


if __name__ == "__main__":
    if sys.argv[1] == "scene":
        draw_street().save(sys.argv[2])
    elif sys.argv[1] == "records":  # a label, then the planes of red, green and blue
        images, labels = training_set(int(sys.argv[3]) if len(sys.argv) > 3 else 400)
        np.concatenate([labels.astype(np.uint8)[:, None], images.transpose(0, 3, 1, 2).reshape(len(images), -1)], 1).tofile(sys.argv[2])
    else:
        write_training_folder(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 400)
