"""Data sets: files of images, as arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from ._bnn import ffi, lib
from ._library import call, chars, text

if TYPE_CHECKING:
    from .network import Network, Shape

Path = Union[str, "os.PathLike[str]"]
NO_LABEL: int = lib.BNN_NO_LABEL  # the label of an image without one


class Dataset:
    """IDX files (also .gz), CIFAR-10 records, folders with a folder a class, lists of files (.txt), PNG, JPEG and PNM pictures.

    >>> data = bnn.Dataset("t10k-images-idx3-ubyte.gz", network=net)
    >>> images, labels = data[:1000]

    Args:
        paths: a path or several, one after the other; each kind is told by content.
        network: its input rule brings every image to its input shape. None: images as they are, all of one shape.
        rule: text of an input rule, instead of a network's.
        record: height, width, channels of records other than CIFAR-10's 32, 32, 3.
        labels: file of labels (IDX1, or one integer a line); None = beside an IDX file, by name.
        input: ``"photo"`` for photographs of a dark digit on paper.
        skip_bad: leave out pictures that cannot be decoded.
        uncropped: the rule's whole size, not the centre that a smaller input takes of it: training then crops at random.

    Raises:
        FileError, FormatError, ArgumentError: as the message says.
    """

    def __init__(self, paths: Union[Path, Sequence[Path]], *, network: "Optional[Network]" = None, rule: Optional[str] = None,
                 record: "Optional[Shape]" = None, labels: Optional[Path] = None, input: Optional[str] = None, skip_bad: bool = False,
                 uncropped: bool = False):
        names = [chars(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
        options, out = ffi.new("bnn_dataset_options *"), ffi.new("bnn_dataset **")
        lib.bnn_dataset_options_default(options)
        keep = chars(rule), chars(labels), chars(input)
        options.rule, options.labels, options.input = keep
        options.network = network._c if network is not None else ffi.NULL
        options.skip_bad = skip_bad
        options.uncropped = uncropped
        if record is not None:
            options.record = dict(zip(("height", "width", "channels"), record))
        call(lib.bnn_dataset_open, out, ffi.new("char *[]", names), len(names), options)
        self._c = ffi.gc(out[0], lib.bnn_dataset_close)
        shape = ffi.new("bnn_shape *")
        self._len = lib.bnn_dataset_count(self._c, shape)
        self.shape: Shape = (shape.height, shape.width, shape.channels)

    def __len__(self) -> int:
        return self._len

    def get(self, first: int, count: int) -> Tuple[np.ndarray, np.ndarray]:
        """A range: images uint8 count x height x width x channels, and labels uint16 (`NO_LABEL` where there is none)."""
        images, labels = np.empty((count, *self.shape), np.uint8), np.empty(count, np.uint16)
        call(lib.bnn_dataset_get, self._c, first, count, ffi.from_buffer("uint8_t[]", images), ffi.from_buffer("uint16_t[]", labels))
        return images, labels

    def __getitem__(self, key: Union[int, slice]) -> Tuple[Any, Any]:
        """``data[i]`` is an image and its label; ``data[a:b]`` images and labels."""
        if isinstance(key, slice):
            first, last, step = key.indices(self._len)
            if step < 1:
                raise IndexError(f"step {step}; expected 1 or more")
            images, labels = self.get(first, max(last - first, 0))
            return images[::step], labels[::step]
        if not -self._len <= key < self._len:
            raise IndexError(f"image {key} of {self._len}")
        images, labels = self.get(key % self._len, 1)
        return images[0], int(labels[0])

    def __iter__(self) -> Iterator[Tuple[np.ndarray, int]]:
        return (self[i] for i in range(self._len))

    @property
    def labels(self) -> np.ndarray:
        """All labels, uint16."""
        labels = np.empty(self._len, np.uint16)
        call(lib.bnn_dataset_get, self._c, 0, self._len, ffi.NULL, ffi.from_buffer("uint16_t[]", labels))
        return labels

    @property
    def images(self) -> np.ndarray:
        """All images, uint8 N x height x width x channels; read anew at each use."""
        return self.get(0, self._len)[0]

    @property
    def class_names(self) -> List[str]:
        """Names of the labels (folder names); empty when there are none."""
        names: List[str] = []
        while lib.bnn_dataset_class_name(self._c, len(names)):
            names.append(text(lib.bnn_dataset_class_name(self._c, len(names))))
        return names

    def source(self, image: int) -> Tuple[str, int]:
        """The file that an image comes from, and its index there."""
        index = ffi.new("size_t *")
        name = lib.bnn_dataset_source(self._c, image, index)
        if not name:
            raise IndexError(f"image {image} of {self._len}")
        return text(name), index[0]

    def __repr__(self) -> str:
        return f"<bnn.Dataset of {self._len} images {'x'.join(map(str, self.shape))}>"
