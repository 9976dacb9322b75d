"""Runtimes: a network being run on one backend."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Optional, Tuple

import numpy as np

from . import images as _images
from ._bnn import ffi, lib
from ._library import call, chars, failure, text

if TYPE_CHECKING:
    from .images import Images
    from .network import Network
    from .overlay import Overlay


@dataclass(frozen=True)
class Stats:
    """What a runtime has done so far."""

    backend: str
    kernels: str       # the CPU level in use
    threads: int
    images: int
    nanoseconds: int   # spent computing them
    cycles: int        # of the overlay's clock; 0 on the CPU


@ffi.def_extern()
def bnn_python_log(user: Any, line: Any) -> None:
    ffi.from_handle(user)(text(line))


class Runtime:
    """A network on one backend, with its threads and memory.

    The computing runs without the interpreter's lock. A runtime computes for one thread at a time (others wait): threads that
    shall compute in parallel take one each, with ``threads=1``.

    Args:
        network: a `Network`, or what `Network.open` takes.
        backend: ``"cpu"``, ``"overlay"``, ... (`bnn.backends()`); None = the best one available.
        threads: worker threads; 0 = one a core.
        cpu: level of the CPU's kernels (`bnn.cpu_levels()`); None = the best.
        decode: rule from scores to label: None = the network's own, ``"argmax"``; of BNN-PYNQ sets also ``"multi"``,
            ``"single"``, ``"margin"``.
        overlay: for ``backend="overlay"``: a `bnn.overlay.Overlay` (simulated: built at the first use), the path of a simulation,
            or ``"uio"`` for the board.
        overlay_root: where the board's ``sys``, ``dev`` and ``lib`` are (default ``/``).
        log: called with one line of text now and then.

    Raises:
        BackendError: the backend is not usable here; the message says why.
        ArgumentError: a name that does not exist.
    """

    def __init__(self, network: "Network | str", *, backend: Optional[str] = None, threads: int = 0, cpu: Optional[str] = None,
                 decode: Optional[str] = None, overlay: "Overlay | str | None" = None, overlay_root: "str | os.PathLike[str] | None" = None,
                 log: Optional[Callable[[str], None]] = None):
        if not hasattr(network, "_c"):
            from .network import Network
            network = Network.open(network)
        self.network: Network = network  # type: ignore[assignment]
        options, out = ffi.new("bnn_options *"), ffi.new("bnn_runtime **")
        lib.bnn_options_default(options)
        path = overlay.build() if hasattr(overlay, "build") else overlay
        keep = [chars(value) for value in (backend, cpu, decode, path, overlay_root)]
        options.backend, options.cpu, options.decode, options.overlay, options.overlay_root = keep
        options.threads = threads
        if log is not None:
            self._log = ffi.new_handle(log)
            options.log, options.log_user = lib.bnn_python_log, self._log
        call(lib.bnn_runtime_open, out, self.network._c, options)
        self._c = ffi.gc(out[0], lib.bnn_runtime_close)
        self._decode = decode or self.network.decode
        self._err = ffi.new("bnn_error *")
        self._lock = threading.Lock()

    def _call(self, function: Any, *arguments: Any) -> None:
        with self._lock:
            code = function(self._c, *arguments, self._err)
            if code:
                raise failure(code, self._err)

    def classify(self, images: "Images") -> Any:
        """Labels: an int for one image, else a uint16 array of N. See `bnn.images` for what `images` may be."""
        x, single = _images.batch(self.network, images)
        labels = np.empty(len(x), np.uint16)
        self._call(lib.bnn_classify, _images.pointer(x), len(x), ffi.from_buffer("uint16_t[]", labels))
        return int(labels[0]) if single else labels

    def scores(self, images: "Images") -> np.ndarray:
        """Scores, int32: (classes,) for one image, else N x classes. The same on every backend."""
        x, single = _images.batch(self.network, images)
        scores = np.empty((len(x), self.network.n_classes), np.int32)
        self._call(lib.bnn_score, _images.pointer(x), len(x), ffi.from_buffer("int32_t[]", scores))
        return scores[0] if single else scores

    def run(self, images: "Images") -> Tuple[np.ndarray, np.ndarray]:
        """Scores of all rows (N x rows, padding rows included) and labels (N), in one pass."""
        x, _ = _images.batch(self.network, images)
        scores, labels = np.empty((len(x), self.network._info.rows), np.int32), np.empty(len(x), np.uint16)
        self._call(lib.bnn_run, _images.pointer(x), len(x), ffi.from_buffer("int32_t[]", scores), ffi.from_buffer("uint16_t[]", labels))
        return scores, labels

    def raw(self, images: "Images") -> np.ndarray:
        """The last layer's outputs in the domain of the network's origin: int32 N x rows (BNN-PYNQ cnvW1A1: popcounts), or
        uint64 N x ceil(rows / 64) words of threshold bits where the network ends in bits."""
        scores, _ = self.run(images)
        out = np.empty((len(scores), lib.bnn_raw_size(self.network._c)), np.uint8)
        for row, bytes_ in zip(scores, out):
            lib.bnn_raw(self.network._c, ffi.from_buffer("int32_t[]", row), ffi.from_buffer("uint8_t[]", bytes_))
        return out.view(np.uint64 if self.network._info.ends_in_bits else np.int32)

    def trace(self, images: "Images", layer: int) -> np.ndarray:
        """Outputs of one layer, int32 (N x) height x width x channels: -1 and +1 (0 of ternary), or scores; layer -1 is the
        packed input (-1, +1, or fixed point of 8 bits). Raises IndexError."""
        layers = self.network.layers
        if not -1 <= layer < len(layers):
            raise IndexError(f"layer {layer}; the network has layers 0 to {len(layers) - 1}, and -1 is its input")
        shape = self.network.input_shape if layer == -1 else layers[layer].output
        x, single = _images.batch(self.network, images)
        out = np.empty((len(x), *shape), np.int32)
        self._call(lib.bnn_trace, _images.pointer(x), len(x), layer & 0xFFFFFFFF, ffi.from_buffer("int32_t[]", out), out.nbytes)
        return out[0] if single else out

    def score(self, X: "Images", y: Optional[np.ndarray] = None) -> float:
        """Accuracy, 0 to 1, against `y`, or against the labels of a data set."""
        if y is None:
            y = _images.labels_of(self.network, X)
        labels, y = np.atleast_1d(self.classify(X)), np.atleast_1d(np.asarray(y))
        if len(labels) != len(y):
            raise ValueError(f"{len(labels)} images and {len(y)} labels; expected as many")
        labelled = y != lib.BNN_NO_LABEL
        if not labelled.any():
            raise ValueError("no labels; expected some to compare with")
        return float((labels == y)[labelled].mean())

    @property
    def decode(self) -> str:
        """The rule from scores to label; may be set to another that the network has. Raises ArgumentError."""
        return self._decode

    @decode.setter
    def decode(self, rule: str) -> None:
        self._call(lib.bnn_runtime_set_decode, chars(rule))
        self._decode = rule

    @property
    def stats(self) -> Stats:
        s = ffi.new("bnn_stats *")
        with self._lock:
            lib.bnn_runtime_get_stats(self._c, s)
        return Stats(text(s.backend), text(s.kernels), s.threads, s.images, s.nanoseconds, s.cycles)

    def __repr__(self) -> str:
        s = self.stats
        return f"<bnn.Runtime {s.backend} {s.kernels}, {s.threads} threads, on {self.network!r}>"
