"""Overlays: streaming accelerators for a topology, estimated, searched for, simulated.

>>> overlay = bnn.overlay.search("tfc", images_per_second=100_000)
>>> print(overlay.estimate())
>>> run = bnn.Runtime(net, backend="overlay", overlay=overlay)   # the real RTL, cycle by cycle (Verilator)
"""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, List, Optional, Tuple, Union

from ._bnn import ffi, lib
from ._library import call, chars, text, text_or_none
from .network import Network

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class LayerEstimate:
    """An engine: MW x MH weights by PE x SIMD at a time, in SF x NF steps."""

    kind: str      # "conv", "dense", "maxpool"
    PE: int        # 0 of pools, as SIMD
    SIMD: int
    SF: int
    NF: int
    cycles: int    # a frame
    queue: int     # places of its output queue
    lut: int
    bram36: float


@dataclass(frozen=True)
class Estimate:
    """What an overlay needs and gives."""

    initiation_interval_cycles: int  # between results, exactly as simulation counts them
    latency_cycles: int              # first word of an image in, last word of its result out
    bottleneck: Optional[int]        # layer; None = a stream port
    lut: int                         # xc7
    bram36: float                    # xc7; halves are 18 kbit blocks
    identity: int                    # of its identity register
    layers: Tuple[LayerEstimate, ...]

    def images_per_second(self, clock_mhz: float = 100) -> float:
        return clock_mhz * 1e6 / self.initiation_interval_cycles

    def latency_microseconds(self, clock_mhz: float = 100) -> float:
        return self.latency_cycles / clock_mhz

    def __str__(self) -> str:
        rows = [("layer", "kind", "PE", "SIMD", "cycles", "LUT", "BRAM36")]
        rows += [(str(i), layer.kind, str(layer.PE or "-"), str(layer.SIMD or "-"), f"{layer.cycles:,}", f"{layer.lut:,}", f"{layer.bram36:g}")
                 for i, layer in enumerate(self.layers)]
        widths = [max(map(len, column)) for column in zip(*rows)]
        table = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows]
        return "\n".join([f"{self.initiation_interval_cycles:,} cycles an image ({self.images_per_second():,.0f} images/s at 100 MHz), "
                          f"latency {self.latency_microseconds():,.1f} us, {self.lut:,} LUT, {self.bram36:g} BRAM36", *table])


class Overlay:
    """A topology and a folding (PE and SIMD of each layer). Immutable.

    Args:
        topology: name of one that ships, file or text.
        folding: file or text; None = the one that lies beside the topology.
        port_bits: of the stream ports: 64 (AXI), or 8 (a few pins).
        pipe: a register more after the memories.

    Raises ArgumentError, FileError.
    """

    def __init__(self, topology: PathLike, folding: Optional[PathLike] = None, *, port_bits: int = 64, pipe: bool = False):
        out = ffi.new("bnn_overlay **")
        call(lib.bnn_overlay_open, out, chars(topology), chars(folding), _options(port_bits, pipe))
        self._own(out[0])

    @classmethod
    def of(cls, network: Network, folding: Optional[PathLike] = None, *, port_bits: int = 64, pipe: bool = False) -> "Overlay":
        """The overlay for a network: that of the shipped topology it has, else of its own, for which `folding` must be given."""
        out = ffi.new("bnn_overlay **")
        call(lib.bnn_overlay_open_network, out, network._c, chars(folding), _options(port_bits, pipe))
        return cls._wrap(out[0])

    @classmethod
    def _wrap(cls, handle: Any) -> "Overlay":
        self = cls.__new__(cls)
        self._own(handle)
        return self

    def _own(self, handle: Any) -> None:
        self._c = ffi.gc(handle, lib.bnn_overlay_close)

    def text(self, key: str) -> Optional[str]:
        """``"topology"``, ``"folding"`` or ``"description"``; None for other keys."""
        return text_or_none(lib.bnn_overlay_text(self._c, chars(key)))

    def estimate(self) -> Estimate:
        """Cycles, exactly; size on an xc7. The first call takes about a second for CNV. Raises BackendError (ETIMEOUT)."""
        e, layers = ffi.new("bnn_overlay_estimate *"), []
        call(lib.bnn_overlay_get_estimate, self._c, e)
        for i in range(e.layers):
            l = ffi.new("bnn_overlay_layer *")
            call(lib.bnn_overlay_get_layer, self._c, i, l)
            values = {f.name: getattr(l, f.name) for f in fields(LayerEstimate)}
            layers.append(LayerEstimate(**{**values, "kind": text(l.kind)}))
        return Estimate(e.initiation_interval_cycles, e.latency_cycles, None if e.bottleneck == 0xFFFFFFFF else e.bottleneck, e.lut,
                        e.bram36, e.identity, tuple(layers))

    def write(self, folder: PathLike, network: Optional[Network] = None) -> None:
        """Writes the Verilog, build scripts and, with a network, memory images into a folder, which is made."""
        call(lib.bnn_overlay_write, self._c, chars(folder), network._c if network is not None else ffi.NULL)

    def build(self, cache: Optional[PathLike] = None, waves: bool = False) -> str:
        """The path of its simulation: Verilated and compiled into `cache` (default: ``~/.cache/bnn``), unless it is there.

        Raises BackendError when Verilator or a C++ compiler is missing; FileError when one fails (the message names its log).
        """
        folder = Path(cache) if cache is not None else default_cache()
        folder.mkdir(parents=True, exist_ok=True)
        path = ffi.new("char[4096]")
        call(lib.bnn_overlay_build, self._c, chars(folder), int(waves), path, len(path))
        return text(path)

    def __repr__(self) -> str:
        return f"<bnn.Overlay {' / '.join((self.text('topology') or '').splitlines())}>"


def search(topology: PathLike, *, images_per_second: float = 0, device: Optional[str] = None, clock_mhz: float = 100,
           port_bits: int = 64, pipe: bool = False) -> Overlay:
    """The overlay of a topology for a target.

    Args:
        images_per_second: at least so many, as small as possible; 0 = as fast as fits.
        device: ``"xc7z020"`` (default), ``"ecp5-85k"``, ``"ice40-hx8k"``.

    Raises ArgumentError when none fits; the message says what is short.
    """
    target, out = ffi.new("bnn_overlay_target *"), ffi.new("bnn_overlay **")
    name = target.device = chars(device)
    target.images_per_second, target.clock_mhz = images_per_second, clock_mhz
    call(lib.bnn_overlay_search, out, chars(topology), target, _options(port_bits, pipe))
    del name
    return Overlay._wrap(out[0])


def estimate(topology: PathLike, folding: Optional[PathLike] = None) -> Estimate:
    """What the overlay of a topology and a folding needs and gives."""
    return Overlay(topology, folding).estimate()


def build(topology: PathLike, folding: Optional[PathLike] = None, cache: Optional[PathLike] = None) -> str:
    """The path of a simulation, for ``Runtime(net, backend="overlay", overlay=path)``."""
    return Overlay(topology, folding).build(cache)


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bnn"


def _options(port_bits: int, pipe: bool) -> Any:
    options = ffi.new("bnn_overlay_options *")
    lib.bnn_overlay_options_default(options)
    options.port_bits, options.pipe = port_bits, pipe
    return options
