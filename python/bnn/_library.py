"""The C library, and its errors as exceptions."""

from __future__ import annotations

import os
from typing import Any

from ._bnn import ffi, lib


class Error(Exception):
    """What the C library reports: one line saying where, what was found, and what was expected.

    Attributes:
        name: ``"ECORRUPT"``, ``"ESHAPE"``, ...: ``BNN_...`` of ``bnn.h``.
        code: its number.
        offset: the byte of the file that the message is about, or 0.
    """

    def __init__(self, message: str, code: int = 0, offset: int = 0):
        super().__init__(message)
        self.code, self.offset = code, offset

    @property
    def name(self) -> str:
        return text(lib.bnn_err_name(self.code))


class ArgumentError(Error, ValueError):
    """A value or a shape that does not fit (EINVAL, ESHAPE)."""


class FormatError(Error, ValueError):
    """A file that is of another kind, damaged, or of an unknown version (EMAGIC, ECORRUPT, EVERSION)."""


class FileError(Error, OSError):
    """A file or folder that cannot be read or written (EIO)."""

    def __init__(self, message: str, code: int = 0, offset: int = 0):
        Error.__init__(self, message, code, offset)

    __str__ = Exception.__str__


class MemoryExhausted(Error, MemoryError):
    """Not enough memory (ENOMEM)."""


class BackendError(Error, RuntimeError):
    """A backend or device that cannot be used here, or does not answer (EBACKEND, ETIMEOUT)."""


class Cancelled(Error):
    """Stopped by the caller's callback (ECANCEL)."""


_TYPES = {
    lib.BNN_EINVAL: ArgumentError, lib.BNN_ESHAPE: ArgumentError,
    lib.BNN_EMAGIC: FormatError, lib.BNN_ECORRUPT: FormatError, lib.BNN_EVERSION: FormatError,
    lib.BNN_EIO: FileError, lib.BNN_ENOMEM: MemoryExhausted,
    lib.BNN_EBACKEND: BackendError, lib.BNN_ETIMEOUT: BackendError, lib.BNN_ECANCEL: Cancelled,
}


def failure(code: int, err: Any) -> Error:
    """The exception of a function that returned `code` and filled `err`."""
    return _TYPES.get(code, Error)(text(err.message) or text(lib.bnn_strerror(code)), code, err.offset)


def call(function: Any, *arguments: Any) -> None:
    """Calls a function whose last parameter is a ``bnn_error *``; raises what it reports."""
    err = ffi.new("bnn_error *")
    code = function(*arguments, err)
    if code:
        raise failure(code, err)


def text(chars: Any) -> str:
    """A string of C; bytes that are not UTF-8 (file names) stay recognisable."""
    return os.fsdecode(ffi.string(chars))


def text_or_none(chars: Any) -> "str | None":
    return text(chars) if chars else None


def chars(value: "str | os.PathLike[str] | None") -> Any:
    """A ``const char *`` argument; keep the result alive as long as C needs it."""
    return ffi.NULL if value is None else ffi.new("char[]", os.fsencode(value))


def version() -> str:
    """Version of the C library, such as ``"0.1.0"``."""
    return text(lib.bnn_version_string())
