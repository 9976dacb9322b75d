"""The command `bnn`, which is installed beside the library of this package."""

import os
import sys
from pathlib import Path


def main() -> None:
    command = Path(__file__).parent / "bin" / "bnn"
    os.execv(command, ["bnn", *sys.argv[1:]])
