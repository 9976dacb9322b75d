"""Where in a picture: the same function as the command `bnn detect`."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Union

import numpy as np

from . import images as _images
from ._bnn import ffi, lib
from ._library import call, chars
from .dataset import Dataset
from .network import Network
from .runtime import Runtime


@dataclass(frozen=True)
class Box:
    """Something that was found. Pixels count from the top left corner."""

    x: int
    y: int
    width: int
    height: int
    label: int
    name: str    # of the class
    score: int   # of the label
    lead: int    # above the best other class
    votes: int   # tiles of the same class that overlap it, itself included


def detect(network: Union[Network, Runtime], picture: Any, *, scales: Optional[Sequence[float]] = None, stride: float = 0.2,
           overlap: float = 0.3, min_score: int = 0, min_lead: Optional[int] = None, min_votes: int = 2,
           background: Optional[str] = None) -> List[Box]:
    """Classifies tiles of several sizes all over a picture in batches, and keeps the best of those that overlap.

    Args:
        network: a `Network`, or a `Runtime` on one.
        picture: numpy uint8 height x width (x 1, 3 or 4), a PIL image, a path, or the bytes of a file.
        scales: sides of tiles; 1 = the size that the network's input rule brings pictures to. None = 1, 1.5, 2, 3.
        stride: step between tiles, as a part of their side.
        overlap: a tile goes when more than this part of the smaller one lies in a better box.
        min_score: smallest score.
        min_lead: smallest lead of the score over the next class; None = an eighth of the last layer's inputs.
        min_votes: smallest number of overlapping tiles that agree.
        background: name of the class that is no object; None = the one that begins with "not a", if any.

    Returns:
        Boxes, the largest lead first.

    Raises:
        ArgumentError: a value out of range, or a picture smaller than every tile.
    """
    run = network if isinstance(network, Runtime) else network.runtime
    pixels = _pixels(picture)
    options, sides = ffi.new("bnn_detect_options *"), ffi.new("double[]", list(scales or []))
    lib.bnn_detect_options_default(options)
    options.scales, options.n_scales = (sides, len(sides)) if scales else (ffi.NULL, 0)
    options.stride, options.overlap, options.min_score, options.min_votes = stride, overlap, min_score, min_votes
    options.min_lead = 0 if min_lead is None else max(min_lead, 1)
    name = options.background = chars(background)
    shape = {"height": pixels.shape[0], "width": pixels.shape[1], "channels": pixels.shape[2]}
    count, capacity = ffi.new("size_t *"), 256
    while True:
        boxes = ffi.new("bnn_box[]", capacity)
        run._call(lib.bnn_detect, _images.pointer(pixels), ffi.new("bnn_shape *", shape)[0], options, boxes, capacity, count)
        if count[0] <= capacity:
            break
        capacity = count[0]
    del name  # kept alive until here
    return [Box(b.x, b.y, b.width, b.height, b.label, run.network.class_name(b.label), b.score, b.lead, b.votes)
            for b in boxes[0:count[0]]]


def _pixels(picture: Any) -> np.ndarray:
    """Contiguous height x width x channels, uint8."""
    if isinstance(picture, (str, os.PathLike)):
        return Dataset(picture)[0][0]
    if isinstance(picture, (bytes, bytearray)):
        from PIL import Image
        picture = Image.open(io.BytesIO(picture))
    if hasattr(picture, "getbands"):
        picture = np.asarray(picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB"))
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        raise TypeError(f"{getattr(picture, 'dtype', type(picture).__name__)} as a picture; expected uint8 pixels, a PIL image, a path or bytes")
    picture = picture[:, :, None] if picture.ndim == 2 else picture
    if picture.ndim != 3 or picture.shape[2] not in _images.PICTURE_CHANNELS:
        raise ValueError(f"a picture of shape {picture.shape}; expected height x width (x 1, 3 or 4)")
    return np.ascontiguousarray(picture)
