"""Pictures that the notebooks show: digits and things, drawn here, and a camera where there is one."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# ---------------------------------------------------------------- digits


def fonts():
    """The fonts that come with matplotlib: upright and slanted, with serifs and without."""
    from matplotlib import get_data_path

    folder = Path(get_data_path(), "fonts", "ttf")
    return [str(path) for path in sorted(folder.glob("DejaVu*.ttf")) + sorted(folder.glob("STIXGeneral*.ttf")) if "Display" not in path.name]


def draw_digit(digit, font, size=20, turn=0.0, at=(14, 14)):
    """White on black, 28 x 28, as MNIST's."""
    image = Image.new("L", (28, 28), 0)
    ImageDraw.Draw(image).text(at, str(digit), fill=255, font=ImageFont.truetype(font, size), anchor="mm")
    return image.rotate(turn, Image.BICUBIC)


def printed_digits(count=300, seed=1, use=None):
    """Images (N x 28 x 28) and labels: `count` of each digit, in many fonts, sizes and angles."""
    rng, use = np.random.default_rng(seed), use or fonts()
    labels = np.repeat(np.arange(10), count)
    rng.shuffle(labels)
    images = [draw_digit(d, use[rng.integers(len(use))], int(rng.integers(19, 27)), rng.uniform(-12, 12),
                         tuple(14 + rng.integers(-2, 3, 2))) for d in labels]
    return np.stack([np.asarray(image) for image in images]), labels.astype(np.uint16)


def write_idx(path, images, labels):
    """An IDX file of images, and beside it one of labels, as MNIST's are."""
    path = Path(path)
    path.write_bytes(np.array([0x803, *images.shape], ">u4").tobytes() + images.tobytes())
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    beside.write_bytes(np.array([0x801, len(labels)], ">u4").tobytes() + labels.astype(np.uint8).tobytes())
    return path


def paper(digit, font, seed=3):
    """What a camera sees of a digit on paper: dark on light, larger, with a shadow and grain."""
    rng = np.random.default_rng(seed)
    ink = Image.new("L", (240, 240), 0)
    ImageDraw.Draw(ink).text((130, 112), str(digit), fill=255, font=ImageFont.truetype(font, 150), anchor="mm")
    ink = np.asarray(ink.rotate(4).filter(ImageFilter.GaussianBlur(1.5))) / 255
    y, x = np.mgrid[0:240, 0:240] / 240
    light = 215 - 70 * x - 25 * y
    return Image.fromarray(np.clip(light * (1 - 0.75 * ink) + rng.normal(0, 4, ink.shape), 0, 255).astype(np.uint8))


def camera(otherwise):
    """A picture from the first camera; `otherwise` where there is none."""
    try:
        import cv2
    except ImportError:
        return otherwise
    device = cv2.VideoCapture(0)
    ok, frame = device.read()
    device.release()
    return Image.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)) if ok else otherwise


# ---------------------------------------------------------------- things (CIFAR-10's classes)


def sky_and(lower, seed, top=(120, 170, 225), split=0.62, n=128):
    rng = np.random.default_rng(seed)
    y = np.linspace(0, 1, n)[:, None, None]
    ground = np.where(y < split, np.array(top) * (1 - 0.3 * y) + 60 * y, np.array(lower) * (1.15 - 0.3 * y))
    image = np.clip(np.broadcast_to(ground, (n, n, 3)) + rng.normal(0, 5, (n, n, 3)), 0, 255)
    return Image.fromarray(image.astype(np.uint8))


def airplane():
    image = sky_and((200, 215, 235), 1, split=1.1)
    draw = ImageDraw.Draw(image)
    draw.polygon([(58, 62), (28, 100), (42, 100), (82, 66)], fill=(178, 184, 194))
    draw.polygon([(62, 58), (50, 26), (60, 26), (86, 58)], fill=(190, 195, 205))
    draw.ellipse([10, 53, 118, 71], fill=(236, 238, 242))
    draw.polygon([(14, 60), (6, 32), (20, 32), (34, 57)], fill=(200, 60, 60))
    return image


def ship():
    image = sky_and((36, 84, 128), 2)
    draw = ImageDraw.Draw(image)
    draw.polygon([(10, 72), (118, 72), (104, 94), (24, 94)], fill=(150, 40, 40))
    draw.rectangle([34, 52, 92, 72], fill=(240, 240, 236))
    draw.rectangle([48, 38, 78, 52], fill=(230, 230, 226))
    draw.rectangle([58, 20, 68, 38], fill=(40, 40, 46))
    return image


def car():
    image = sky_and((105, 105, 108), 3, top=(170, 195, 215))
    draw = ImageDraw.Draw(image)
    draw.polygon([(34, 66), (48, 44), (88, 44), (104, 66)], fill=(165, 20, 25))
    draw.polygon([(42, 64), (52, 49), (66, 49), (66, 64)], fill=(150, 185, 205))
    draw.polygon([(70, 64), (70, 49), (85, 49), (95, 64)], fill=(150, 185, 205))
    draw.rounded_rectangle([12, 64, 118, 90], 8, fill=(190, 25, 30))
    for x in (34, 94):
        draw.ellipse([x - 13, 78, x + 13, 104], fill=(25, 25, 28))
        draw.ellipse([x - 5, 86, x + 5, 96], fill=(160, 160, 165))
    return image


def truck():
    image = sky_and((110, 108, 104), 4, top=(190, 205, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle([8, 34, 84, 86], fill=(238, 238, 234))
    draw.polygon([(86, 86), (86, 48), (106, 48), (120, 66), (120, 86)], fill=(30, 90, 160))
    draw.polygon([(94, 64), (94, 53), (104, 53), (112, 64)], fill=(165, 200, 220))
    draw.rectangle([8, 86, 120, 91], fill=(45, 45, 50))
    for x in (26, 50, 102):
        draw.ellipse([x - 11, 82, x + 11, 104], fill=(22, 22, 25))
    return image


THINGS = {"airplane": airplane, "automobile": car, "ship": ship, "truck": truck}
