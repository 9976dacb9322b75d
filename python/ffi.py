"""ffi.py COMPILER OUT.c HEADER... -- the C source of the extension bnn._bnn.

The declarations are the public headers themselves, run through the C preprocessor with empty standard headers, so the
binding cannot differ from them; the C compiler checks the rest when it compiles the result.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cffi

STANDARD = ("stddef.h", "stdint.h", "stdbool.h")  # cffi knows their types
CONSTANT = re.compile(r"^#define (BNN_[A-Z0-9_]+) +(0x[0-9a-f]+|[0-9]+)\b", re.MULTILINE)

# Python functions that the library calls; the first argument is a handle made by ffi.new_handle.
CALLBACKS = """
extern "Python" void bnn_python_log(void *user, const char *line);
extern "Python" int bnn_python_progress(void *user, const bnn_train_progress *progress);
"""


def declarations(compiler: str, headers: "list[Path]") -> str:
    with tempfile.TemporaryDirectory() as empty:
        for name in STANDARD:
            Path(empty, name).touch()
        includes = "".join(f'#include "{header}"\n' for header in headers)
        command = [compiler, "-E", "-P", "-nostdinc", "-I", empty, "-I", str(headers[0].parent.parent), "-DBNN_API=", "-x", "c", "-"]
        return subprocess.run(command, input=includes, capture_output=True, text=True, check=True).stdout


def constants(headers: "list[Path]") -> str:
    return "".join(f"#define {name} {value}\n" for header in headers for name, value in CONSTANT.findall(header.read_text()))


def main(compiler: str, out: str, *names: str) -> None:
    headers = [Path(name).resolve() for name in names]
    ffi = cffi.FFI()
    ffi.cdef(constants(headers) + declarations(compiler, headers) + CALLBACKS)
    ffi.set_source("bnn._bnn", "".join(f"#include <bnn/{header.name}>\n" for header in headers))
    ffi.emit_c_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
