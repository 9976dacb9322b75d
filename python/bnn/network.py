"""Networks: opening them, looking inside, and the short way to a label."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Union

import numpy as np

from . import images as _images
from ._bnn import ffi, lib
from ._library import call, chars, text, text_or_none

if TYPE_CHECKING:
    from .images import Images
    from .runtime import Runtime

Shape = Tuple[int, int, int]  # height, width, channels


def _shape(s: Any) -> Shape:
    return (s.height, s.width, s.channels)


@dataclass(frozen=True)
class Layer:
    """One layer. MW is the matrix width (inputs a neuron), MH its height (neurons)."""

    kind: str          # "dense", "conv", "maxpool"
    input: Shape
    output: Shape
    kernel: int        # K of a K x K window; 0 for dense
    MW: int            # 0 for pools, as MH
    MH: int
    weight_bits: int   # 1, or 2 = ternary; 0 for pools
    input_bits: int    # 1, 2 = ternary, 8
    output_bits: int   # 1, 2 = ternary, 32 = scores
    thresholds: int    # per neuron: 0, 1 or 2
    ops: int           # an image: 2 x MW x MH x output positions


@dataclass(frozen=True)
class Info:
    """What a network is; ``print`` shows it as a table."""

    input: Shape
    classes: int
    rows: int          # outputs of the last layer, padding rows included
    layers: List[Layer]
    ends_in_bits: bool # the last layer gives threshold bits (imported LFC), not scores
    weight_bits: int
    ops: int           # an image
    file_version: int  # of the file it was read from; 0 = another format
    checksum: str      # over topology, input rule, classes and parameters
    decode: str        # default rule from scores to label
    class_names: List[str]
    topology: str
    rule: str          # the input rule
    provenance: Dict[str, str]

    def __str__(self) -> str:
        head = [f"input {_by(self.input)}, {self.rule}", f"{self.classes} classes: {', '.join(self.class_names)}",
                f"{self.weight_bits:,} weight bits, {self.ops:,} operations an image, checksum {self.checksum}"]
        rows = [("layer", "", "input", "output", "MW", "MH", "weights", "output bits")]
        rows += [(str(i), layer.kind + (f" {layer.kernel}x{layer.kernel}" if layer.kernel else ""), _by(layer.input),
                  _by(layer.output), str(layer.MW or "-"), str(layer.MH or "-"),
                  f"{layer.weight_bits} bit" if layer.MW else "-", "scores" if layer.output_bits == 32 else str(layer.output_bits))
                 for i, layer in enumerate(self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join(head + ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows])


def _by(shape: Shape) -> str:
    return "x".join(map(str, shape))


class Network:
    """A topology and its parameters. Immutable; threads may share it.

    >>> net = bnn.Network.open("lfcW1A1-fashion-mnist")
    >>> net.class_names[net.classify("shoe.png")]

    ``classify``, ``scores`` and ``trace`` use one `Runtime` with every core, made at the first call and used by one thread
    at a time. For other backends, thread counts, or calls in parallel, make a `Runtime` yourself.
    """

    def __init__(self, handle: Any):
        self._c = ffi.gc(handle, lib.bnn_network_close)
        self._lock = threading.Lock()
        self._runtime: Optional[Runtime] = None
        info = ffi.new("bnn_network_info *")
        lib.bnn_network_get_info(self._c, info)
        self._info = info
        self.input_shape: Shape = _shape(info.input)
        self.n_classes: int = info.classes
        self.decode: str = text(info.decode)  # default rule from scores to label

    # ------------------------------------------------------------------ opening

    @classmethod
    def open(cls, name_or_path: Union[str, "os.PathLike[str]"], *, topology: Optional[str] = None,
             variant: Optional[str] = None, classes: int = 0) -> "Network":
        """Opens a network file, a BNN-PYNQ parameter folder, or a network that ships, by name (`bnn.networks()`).

        Args:
            topology: name, file or text, where a BNN-PYNQ folder's name does not say it.
            variant: of such a folder: ``"xilinx"`` (default), or ``"workshop"`` (the fork of 2017).
            classes: rows that take part; 0 = as many as there are class names.

        Raises:
            FileError: it cannot be read, or no network of that name ships.
            FormatError: it is of another kind, damaged, or of a later version.
            ArgumentError: shapes or options that do not fit.
        """
        options, out = ffi.new("bnn_open_options *"), ffi.new("bnn_network **")
        lib.bnn_open_options_default(options)
        keep = chars(topology), chars(variant)
        options.topology, options.variant, options.classes = keep[0], keep[1], classes
        call(lib.bnn_network_open, out, chars(name_or_path), options)
        return cls(out[0])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Network":
        """Reads a network file from memory. Raises FormatError."""
        out = ffi.new("bnn_network **")
        call(lib.bnn_network_read, out, ffi.from_buffer(data), len(data))
        return cls(out[0])

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes a network file; it appears whole or not at all. Raises FileError."""
        call(lib.bnn_network_save, self._c, chars(path))

    def save_pynq(self, path: Union[str, "os.PathLike[str]"], variant: Optional[str] = None) -> str:
        """Writes a BNN-PYNQ parameter folder, which must not exist or be empty. Returns what it cannot say, or "".

        Raises ArgumentError when the topology is none of the five overlays; FileError.
        """
        warning = ffi.new("char[512]")
        call(lib.bnn_network_save_pynq, self._c, chars(path), chars(variant), warning, len(warning))
        return text(warning)

    # ------------------------------------------------------------------ looking

    @property
    def info(self) -> Info:
        """Shapes, layers, names, provenance; ``print(net.info)`` shows a table."""
        i = self._info
        return Info(input=self.input_shape, classes=i.classes, rows=i.rows, layers=self.layers, ends_in_bits=bool(i.ends_in_bits),
                    weight_bits=i.weight_bits, ops=i.ops, file_version=i.file_version, checksum=f"{i.checksum:016x}",
                    decode=self.decode, class_names=self.class_names, topology=self.text("topology") or "",
                    rule=self.text("input") or "", provenance=self.provenance)

    @property
    def layers(self) -> List[Layer]:
        """The layers; the input is none."""
        found, l = [], ffi.new("bnn_layer_info *")
        while lib.bnn_network_get_layer(self._c, len(found), l) == 0:
            values = {f.name: getattr(l, f.name) for f in fields(Layer)}
            found.append(Layer(**{**values, "kind": text(l.kind), "input": _shape(l.input), "output": _shape(l.output)}))
        return found

    @property
    def class_names(self) -> List[str]:
        """A name for each label; "" where the network has none."""
        return [self.class_name(label) for label in range(self.n_classes)]

    def class_name(self, label: int) -> str:
        """The name of a label, "" when it has none or is out of range."""
        return text(lib.bnn_network_class_name(self._c, label))

    def text(self, key: str) -> Optional[str]:
        """``"topology"``, ``"input"`` (the input rule), or an entry of the provenance; None when there is none."""
        return text_or_none(lib.bnn_network_text(self._c, chars(key)))

    @property
    def provenance(self) -> Dict[str, str]:
        """Where it comes from: recipe, data, seed, ... by name."""
        keys: List[str] = []
        while lib.bnn_network_key(self._c, len(keys)):
            keys.append(text(lib.bnn_network_key(self._c, len(keys))))
        return {key: self.text(key) or "" for key in keys}

    def weights(self, layer: int) -> np.ndarray:
        """The weights of a layer, int8: MH x MW of -1, 0, +1; of a conv MH x K x K x channels. Raises ArgumentError."""
        l = self._matrix_layer(layer)
        out = np.empty((l.MH, l.MW), np.int8)
        call(lib.bnn_network_weights, self._c, layer, ffi.from_buffer("int8_t[]", out, require_writable=True), out.nbytes)
        return out.reshape(l.MH, l.kernel, l.kernel, -1) if l.kind == "conv" else out

    def thresholds(self, layer: int) -> np.ndarray:
        """The thresholds of a layer, int32: MH x 0, 1 or 2. A neuron fires when its sum >= threshold. Raises ArgumentError."""
        l = self._matrix_layer(layer)
        out = np.empty((l.MH, l.thresholds), np.int32)
        call(lib.bnn_network_thresholds, self._c, layer, ffi.from_buffer("int32_t[]", out, require_writable=True), out.nbytes)
        return out

    def _matrix_layer(self, layer: int) -> Layer:
        layers = self.layers
        if not 0 <= layer < len(layers):
            raise IndexError(f"layer {layer}; the network has layers 0 to {len(layers) - 1}")
        return layers[layer]

    # ------------------------------------------------------------------ running

    @property
    def runtime(self) -> "Runtime":
        """The runtime that the calls below share, made at the first use."""
        if self._runtime is None:
            from .runtime import Runtime
            with self._lock:
                self._runtime = self._runtime or Runtime(self)
        return self._runtime

    def classify(self, images: "Images") -> Any:
        """Labels: an int for one image, else a uint16 array of N. See `bnn.images` for what `images` may be."""
        return self.runtime.classify(images)

    def scores(self, images: "Images") -> np.ndarray:
        """Scores, int32: (classes,) for one image, else N x classes. Signed dot products, less the threshold where the last
        layer has one."""
        return self.runtime.scores(images)

    def trace(self, images: "Images", layer: int) -> np.ndarray:
        """Outputs of one layer, int32 (N x) height x width x channels: -1 and +1 (0 of ternary), or scores; layer -1 is the
        packed input."""
        return self.runtime.trace(images, layer)

    def prepare(self, images: "Images", *, input: Optional[str] = None) -> np.ndarray:
        """The input that `classify` sees: uint8 N x height x width x channels, after the input rule.

        Args:
            input: ``"photo"`` for photographs of a dark digit on paper.
        """
        return _images.batch(self, images, input=input)[0]

    # scikit-learn's names

    def predict(self, X: "Images") -> np.ndarray:
        """Labels, always an array: `classify` under scikit-learn's name."""
        return np.atleast_1d(self.classify(X))

    def decision_function(self, X: "Images") -> np.ndarray:
        """Scores N x classes, under scikit-learn's name."""
        return np.atleast_2d(self.scores(X))

    def score(self, X: "Images", y: Optional[np.ndarray] = None) -> float:
        """Accuracy, 0 to 1, against the labels `y`; without them against a data set's own (images without a label do not count)."""
        return self.runtime.score(X, y)

    @property
    def classes_(self) -> np.ndarray:
        return np.arange(self.n_classes, dtype=np.uint16)

    def __repr__(self) -> str:
        return f"<bnn.Network {self.text('name') or ''} {_by(self.input_shape)} -> {self.n_classes} classes>".replace("  ", " ")
