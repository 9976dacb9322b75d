"""What counts as images, and how each becomes the input of a network.

A network of height H, width W and C channels takes:

+----------------------------------------------+----------------------------------------------------------------+
| numpy uint8, H x W x C (H x W when C = 1)    | one image; as it is, without a copy when it is contiguous      |
+----------------------------------------------+----------------------------------------------------------------+
| numpy uint8, N x H x W x C, N x H x W,       | N images; the same. The last is how scikit-learn keeps images  |
| or N x (H * W * C)                           |                                                                |
+----------------------------------------------+----------------------------------------------------------------+
| numpy uint8 of another size: h x w, h x w    | one picture: grey, RGB or RGBA, or N of them, through          |
| x 1, 3 or 4, and N of them                   | the network's input rule (size, fit, background, ...)          |
+----------------------------------------------+----------------------------------------------------------------+
| ``PIL.Image``                                | one picture, through the input rule                            |
+----------------------------------------------+----------------------------------------------------------------+
| path of a PNG, JPEG or PNM                   | one picture, through the input rule                            |
+----------------------------------------------+----------------------------------------------------------------+
| path of anything else that `Dataset` opens   | its images, through the input rule                             |
+----------------------------------------------+----------------------------------------------------------------+
| bytes of a PNG, JPEG or PNM file             | one picture, through the input rule                            |
+----------------------------------------------+----------------------------------------------------------------+
| `Dataset`                                    | its images, which must have the network's shape                |
+----------------------------------------------+----------------------------------------------------------------+
| list or other iterable of these              | all of them                                                    |
+----------------------------------------------+----------------------------------------------------------------+

One image gives one answer (an int, a row of scores); everything else gives an array with an answer for each.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, Iterable, Optional, Tuple, Union

import numpy as np

from ._bnn import ffi, lib
from ._library import FormatError, call, chars
from .dataset import Dataset

if TYPE_CHECKING:
    from .network import Network

Images = Union[np.ndarray, bytes, str, "os.PathLike[str]", Dataset, "Iterable[Any]", Any]
Batch = Tuple[np.ndarray, bool]  # contiguous uint8 N x H x W x C; True when it was one image, given alone

PICTURE_CHANNELS = (1, 3, 4)


def pointer(x: np.ndarray) -> Any:
    return ffi.from_buffer("uint8_t[]", x)


def batch(network: "Network", images: Images, input: Optional[str] = None) -> Batch:
    """The network's input, contiguous N x H x W x C, and whether one image was given alone.

    Raises TypeError, ValueError (dtype, shape), and what opening files raises.
    """
    if isinstance(images, np.ndarray):
        if input is None and images.dtype == np.uint8 and images.shape[1:] == network.input_shape:
            return np.ascontiguousarray(images), False  # the usual case, without detours
        return _array(network, images, input)
    if isinstance(images, Dataset):
        return _dataset(network, images), False
    if isinstance(images, (bytes, bytearray, memoryview)):
        return _file(network, images, input), True
    if isinstance(images, (str, os.PathLike)):
        return _path(network, images, input)
    if hasattr(images, "getbands"):  # PIL.Image, without importing PIL
        return _pil(network, images, input), True
    return _several(network, images, input), False


# ---------------------------------------------------------------- arrays


def _array(network: "Network", a: np.ndarray, input: Optional[str]) -> Batch:
    if a.dtype != np.uint8:
        raise ValueError(f"images of {a.dtype}; expected uint8, 0 to 255")
    if input is None:
        ready = _of_input_shape(network, a)
        if ready is not None:
            return ready
    if a.ndim == 2 or (a.ndim == 3 and a.shape[2] in PICTURE_CHANNELS):
        return _pixels(network, a, input), True
    if a.ndim == 3 or (a.ndim == 4 and a.shape[3] in PICTURE_CHANNELS):
        return _concatenate(network, [_pixels(network, one, input) for one in a]), False
    raise ValueError(f"an array of shape {a.shape}; expected (N,) height, width and 1, 3 or 4 channels")


def _of_input_shape(network: "Network", a: np.ndarray) -> Optional[Batch]:
    """`a` as it is, when it has the network's input shape in one of the ways that the table names."""
    height, width, channels = shape = network.input_shape
    single = a.shape == shape or (channels == 1 and a.shape == (height, width))
    several = a.shape[1:] == shape or (channels == 1 and a.shape[1:] == (height, width)) or \
        (a.ndim == 2 and a.shape[1] == height * width * channels)
    if not single and not several:
        return None
    return np.ascontiguousarray(a).reshape(-1, *shape), single


def _pixels(network: "Network", a: np.ndarray, input: Optional[str]) -> np.ndarray:
    a = np.ascontiguousarray(a)
    out = np.empty((1, *network.input_shape), np.uint8)
    shape = {"height": a.shape[0], "width": a.shape[1], "channels": a.shape[2] if a.ndim == 3 else 1}
    call(lib.bnn_prepare_pixels, network._c, pointer(a), ffi.new("bnn_shape *", shape)[0], chars(input), pointer(out))
    return out


# ---------------------------------------------------------------- files


def _file(network: "Network", data: Any, input: Optional[str]) -> np.ndarray:
    out = np.empty((1, *network.input_shape), np.uint8)
    call(lib.bnn_prepare_file, network._c, ffi.from_buffer(data), len(data), chars(input), pointer(out))
    return out


def _path(network: "Network", path: Any, input: Optional[str]) -> Batch:
    if os.path.isfile(path):
        with open(path, "rb") as f:
            head = f.read(8)
            if is_picture(head):
                return _named(path, _file, network, head + f.read(), input), True
    return _dataset(network, Dataset(path, network=network, input=input)), False


def is_picture(head: bytes) -> bool:
    """Whether a file starts like a PNG, JPEG or PNM."""
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff")) or (head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace())


def _named(path: Any, function: Any, *arguments: Any) -> Any:
    """Puts the path before the message of a picture that cannot be decoded."""
    try:
        return function(*arguments)
    except FormatError as e:
        raise FormatError(f"{os.fspath(path)}: {e}", e.code, e.offset) from None


def _dataset(network: "Network", data: Dataset) -> np.ndarray:
    if data.shape != network.input_shape:
        raise ValueError(f"a data set of {data.shape}; expected {network.input_shape} (open it with network=...)")
    return data.images


# ---------------------------------------------------------------- others


def _pil(network: "Network", image: Any, input: Optional[str]) -> np.ndarray:
    if image.mode in ("L", "RGB", "RGBA"):
        return _pixels(network, np.asarray(image), input)
    if image.mode not in ("1", "LA", "P"):
        image = image.convert("RGB")
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=0)  # keeps the palette, which the library knows how to treat
    return _file(network, file.getvalue(), input)


def _several(network: "Network", images: Iterable[Any], input: Optional[str]) -> np.ndarray:
    try:
        each = iter(images)
    except TypeError:
        raise TypeError(f"{type(images).__name__} as images; expected an array, picture, path, bytes, data set, or several") from None
    return _concatenate(network, [batch(network, one, input)[0] for one in each])


def _concatenate(network: "Network", parts: "list[np.ndarray]") -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty((0, *network.input_shape), np.uint8)


def labels_of(network: "Network", images: Images) -> np.ndarray:
    """The labels that come with a data set, or with the path of one."""
    if isinstance(images, (str, os.PathLike)):
        images = Dataset(images, network=network)
    if not isinstance(images, Dataset):
        raise ValueError("no labels; expected y, or a data set that has them")
    return images.labels
