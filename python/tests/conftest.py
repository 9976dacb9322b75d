"""What the tests share: networks of random parameters, real data where there is some, and the C command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bnn

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("BNN_DATA", ROOT.parent / "shared" / "data"))

# SIMD, PE, weight words and thresholds (words) of each layer: the folding of the original's overlays.
FOLDING = {
    "lfcW1A1": [(64, 32, 416, 32), (32, 64, 512, 16), (64, 32, 512, 32), (8, 16, 512, 4)],
    "cnvW1A1": [(3, 16, 36, 4), (32, 32, 36, 2), (32, 16, 144, 8), (32, 16, 288, 8), (32, 4, 2304, 64), (32, 1, 18432, 256),
                (4, 1, 32768, 512), (8, 1, 32768, 512), (1, 4, 8192, 0)],
}
CLASSES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def write_folder(folder, network, seed=1, classes="\n".join(CLASSES)):
    """A BNN-PYNQ parameter folder of random weights, and thresholds near the middle."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for layer, (simd, pe, words, thresholds) in enumerate(FOLDING[network]):
        middle = 0 if (network, layer) == ("cnvW1A1", 0) else words * simd * pe // (2 * pe * max(thresholds, 1))
        for p in range(pe):
            weights = rng.integers(0, 2**63, words, np.uint64) & np.uint64(2**simd - 1)
            weights.astype("<u8").tofile(folder / f"{layer}-{p}-weights.bin")
            if thresholds:
                (middle + rng.integers(-9, 9, thresholds)).astype("<i8").tofile(folder / f"{layer}-{p}-thres.bin")
    (folder / "classes.txt").write_text(classes)
    return folder


@pytest.fixture(scope="session")
def params(tmp_path_factory):
    """A folder of parameters as BNN_PARAM_DIR names one: digits/lfcW1A1, things/cnvW1A1, and the fork's old-digits."""
    root = tmp_path_factory.mktemp("params")
    write_folder(root / "digits" / "lfcW1A1", "lfcW1A1")
    write_folder(root / "things" / "cnvW1A1", "cnvW1A1")
    write_folder(root / "old-digits", "lfcW1A1", seed=2)
    return root


@pytest.fixture(scope="session")
def lfc(params):
    return bnn.Network.open(params / "digits" / "lfcW1A1")


@pytest.fixture(scope="session")
def cnv(params):
    return bnn.Network.open(params / "things" / "cnvW1A1")


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@pytest.fixture(scope="session")
def pynq_data(tmp_path_factory):
    """BNN-PYNQ's folders and the outputs of its software runtime."""
    root = DATA / "bnn-pynq"
    if not (root / "vectors").is_dir():
        pytest.skip(f"no {root}/vectors (BNN_DATA)")
    if (root / "params").is_dir():
        return root
    unpacked = tmp_path_factory.mktemp("bnn-pynq")
    shutil.unpack_archive(root / "params-open.tar.xz", unpacked / "params")
    (unpacked / "vectors").symlink_to(root / "vectors")
    return unpacked


@pytest.fixture(scope="session")
def command():
    """Runs the C command; its standard output."""
    path = os.environ.get("BNN") or shutil.which("bnn") or shutil.which("bnn", path=os.path.dirname(sys.executable))
    if not path:
        pytest.skip("no command bnn (the environment variable BNN, or PATH)")
    return lambda *arguments: subprocess.run([path, *map(str, arguments)], capture_output=True, check=True).stdout
