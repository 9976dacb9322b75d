"""What is there: networks and topologies that ship, backends, levels of the CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional

from ._bnn import ffi, lib
from ._library import call, chars, text, text_or_none


def _catalog(kind: str) -> Dict[str, str]:
    out = ffi.new("bnn_catalog **")
    call(lib.bnn_catalog_open, out, chars(kind))
    found: Dict[str, str] = {}
    try:
        while lib.bnn_catalog_name(out[0], len(found)):
            index = len(found)
            found[text(lib.bnn_catalog_name(out[0], index))] = text(lib.bnn_catalog_path(out[0], index))
    finally:
        lib.bnn_catalog_close(out[0])
    return found


def networks() -> Dict[str, str]:
    """The trained networks that ship: name -> path of the file. Names are what `Network.open` takes."""
    return _catalog("networks")


def topologies() -> Dict[str, str]:
    """The topologies that ship: name -> path of the text."""
    return _catalog("topologies")


@dataclass(frozen=True)
class Choice:
    """A backend, or a level of the CPU's instruction sets."""

    name: str
    summary: str               # one line for people
    missing: Optional[str]     # None when usable here, else why it is not

    @property
    def usable(self) -> bool:
        return self.missing is None


def _walk(at: Callable[[int, Any], int]) -> List[Choice]:
    info, found = ffi.new("bnn_backend_info *"), []
    while at(len(found), info) == 0:
        found.append(Choice(text(info.name), text(info.summary), text_or_none(info.missing)))
    return found


def backends() -> List[Choice]:
    """The backends, best first."""
    return _walk(lib.bnn_backend_at)


def cpu_levels() -> List[Choice]:
    """The levels of backend ``cpu``, weakest first: ``scalar``, ``avx2``, ..."""
    return _walk(lib.bnn_cpu_level_at)
