"""board.py TRAP PEER: the original's RUNTIME_HW on a board, which is a tree of files and, behind its device files, a process
that runs the Verilated overlay (tests/rtl/board_peer.c; TRAP is board_trap.c as a library to preload)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(os.environ["BNN_SOURCE"], "python", "tests")))

import bnn
from conftest import write_folder

# What an old notebook does, on the board and on the CPU.
NOTEBOOK = """
import bnn
hardware = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits")
software = bnn.LfcClassifier(bnn.NETWORK_LFCW1A1, "digits", bnn.RUNTIME_SW)
for i in range(2):
    assert list(hardware.classify_mnists("some")) == list(software.classify_mnists("some"))
    assert hardware.classify_mnist("some") == software.classify_mnist("some")
stats = hardware.bnn._runner.stats
assert stats.backend == "overlay" and stats.kernels == "board", stats
print(stats.images, "images,", stats.cycles, "cycles")
"""


def make_tree(root, text):
    files = {"lib/firmware/bnn-overlay.txt": text, "lib/firmware/bnn-overlay.bit.bin": "",
             "sys/class/fpga_manager/fpga0/firmware": "", "sys/class/fpga_manager/fpga0/state": "operating\n",
             "sys/class/uio/uio0/maps/map0/size": "0x00002000\n", "sys/class/u-dma-buf/udmabuf0/phys_addr": "0x18000000\n",
             "sys/class/u-dma-buf/udmabuf0/size": "1048576\n", "sys/class/u-dma-buf/udmabuf0/sync_for_cpu": "",
             "sys/class/u-dma-buf/udmabuf0/sync_for_device": "", "dev/udmabuf0": "\0" * (1 << 20)}
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


trap, peer = sys.argv[1:]
overlay = bnn.overlay.Overlay("lfcW1A1")
try:
    simulation = overlay.build(os.environ["BNN_TEST_CACHE"])
except bnn.BackendError as e:
    print("skipped:", e)
    sys.exit(77)
here = Path.cwd()
make_tree(here / "board", overlay.text("description"))
write_folder(here / "params" / "digits" / "lfcW1A1", "lfcW1A1")
digits = np.random.default_rng(6).integers(0, 256, (6, 784), np.uint8)
(here / "some").write_bytes(np.array([0x803, len(digits), 28, 28], ">u4").tobytes() + digits.tobytes())
behind = subprocess.Popen([peer, simulation, str(here / "board")], stdout=subprocess.PIPE, text=True)
try:
    assert behind.stdout.readline() == "ready\n"
    told = subprocess.run([sys.executable, "-c", NOTEBOOK], stdout=subprocess.PIPE, text=True, timeout=500, env={
        **os.environ, "LD_PRELOAD": trap, "BNN_BOARD_ROOT": str(here / "board"), "BNN_PARAM_DIR": str(here / "params")})
finally:
    behind.kill()
    behind.wait()
print(told.stdout)
assert told.returncode == 0 and "bnn: RUNTIME_HW is the board\n" in told.stdout, told.returncode
