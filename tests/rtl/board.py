#!/usr/bin/env python3
"""The driver of boards without a board: a tree of files, and behind its device files a process that runs the Verilated
overlay (board_peer.c). Right answers, and each fault in one clear line, in time.

    board.py TEST_BOARD... PEER      TEST_BOARD may be an emulator and a program for another processor"""
import hashlib
import os
import struct
import subprocess
import sys
import time

BNN = os.environ["BNN"]
ROOT = os.path.abspath("board")
CACHE = os.environ.get("BNN_TEST_CACHE", os.path.abspath("cache"))
TOPOLOGY = os.path.join(os.environ["BNN_SOURCE"], "topologies", "tfc.topology")
BOARD, PEER = sys.argv[1:-1], sys.argv[-1]
IMAGES = 12
PATIENCE = 120  # seconds that a run may take on a machine that is busy; the driver's own patience is about two


def put(path, data):
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.remove(path)  # a socket cannot be written
    with open(path, "wb") as f:
        f.write(data)


def description():
    subprocess.run([BNN, "overlay", "write", "--topology", TOPOLOGY, "out"], check=True, capture_output=True)
    with open("out/bnn-overlay.txt", "rb") as f:
        return f.read()


def build():
    run = subprocess.run([BNN, "overlay", "build", "--topology", TOPOLOGY, "--cache", CACHE], capture_output=True, text=True)
    if run.returncode != 0 and "not installed" in run.stderr:
        print(run.stderr)
        sys.exit(77)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return run.stdout.strip()


def registers(magic=0x4f4e4e42):
    """The registers as a file: they hold still, and nobody works behind them."""
    words = bytearray(0x2000)
    identity = struct.unpack("<Q", hashlib.sha256(TEXT).digest()[:8])[0]
    struct.pack_into("<IIQIII", words, 0x80, magic, 1, identity, 4, 104, 128)
    return bytes(words)


def good():
    put("lib/firmware/bnn-overlay.txt", TEXT)
    put("lib/firmware/bnn-overlay.bit.bin", b"")
    put("sys/class/fpga_manager/fpga0/firmware", b"")
    put("sys/class/fpga_manager/fpga0/state", b"operating\n")
    put("sys/class/uio/uio0/maps/map0/size", b"0x00002000\n")
    put("sys/class/u-dma-buf/udmabuf0/phys_addr", b"0x18000000\n")
    put("sys/class/u-dma-buf/udmabuf0/size", b"1048576\n")
    put("sys/class/u-dma-buf/udmabuf0/sync_for_cpu", b"")
    put("sys/class/u-dma-buf/udmabuf0/sync_for_device", b"")
    put("dev/udmabuf0", bytes(1 << 20))
    put("dev/uio0", registers())


class Peer:
    """The overlay behind the device files of the tree."""

    def __init__(self, *fault):
        good()
        self.process = subprocess.Popen([PEER, OBJECT, ROOT, *fault], stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            sys.exit("no peer")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()


def run(load="window", images=IMAGES):
    start = time.monotonic()
    done = subprocess.run([*BOARD, TOPOLOGY, ROOT, str(images), load], capture_output=True, text=True, timeout=PATIENCE)
    print(f"    {time.monotonic() - start:.1f} s, exit {done.returncode}: {done.stdout.strip()}{done.stderr.strip()}")
    return done


def expect_right(what, **options):
    print(what)
    done = run(**options)
    if done.returncode != 0 or f"{options.get('images', IMAGES)} images equal" not in done.stdout:
        sys.exit(f"{what}: expected equal scores")
    with open(os.path.join(ROOT, "sys/class/fpga_manager/fpga0/firmware"), "rb") as f:
        if f.read() != b"bnn-overlay.bit.bin":
            sys.exit(f"{what}: the bit stream was not loaded")


def expect(what, message):
    print(what)
    done = run()
    if done.returncode != 1 or message not in done.stderr or done.stderr.count("\n") != 1:
        sys.exit(f"{what}: expected exit 1 and one line with {message!r}")


def expect_killed(what):
    print(what)
    if run().returncode == 0:
        sys.exit(f"{what}: expected the driver to be killed")


TEXT = description()
OBJECT = build()

with Peer():
    expect_right("loaded through the window")
    expect_right("loaded again, through the registers", load="registers")
    put("sys/class/u-dma-buf/udmabuf0/size", b"1000\n")
    expect_right("a short buffer: four images at a time")
    put("sys/class/u-dma-buf/udmabuf0/size", b"200\n")
    expect("a buffer too short for one image", "a buffer of 200 bytes; expected at least 232 for one image and its result")
with Peer("silent"):
    expect("no interrupt", "no interrupt within 2")
with Peer("early"):
    expect("an interrupt before the end", "interrupt without done, control register 0x")
with Peer("bit"):
    expect("a wrong bit on the way", "unit 0 weights: checksum")
with Peer("memory"):
    expect("a buffer the device cannot see", "memory answered a read with an error")
with Peer("load"):
    expect_killed("a driver killed while it loads")
    expect_right("the next driver")
with Peer("run"):
    expect_killed("a driver killed while the overlay runs")
    expect_right("the next driver")
with Peer():
    put("lib/firmware/bnn-overlay.txt", TEXT.replace(b"pe 2 simd 32", b"pe 4 simd 32"))
    expect("wrong description", "that of its description")

good()
put("sys/class/fpga_manager/fpga0/state", b"write error\n")
expect("a bit stream that was not taken", "'write error' after loading")
good()
put("dev/uio0", registers(magic=0))
expect("another design", "identification 0x00000000; expected 0x4f4e4e42")
good()
put("sys/class/uio/uio0/maps/map0/size", b"0x1000\n")
expect("short register map", "registers of 4096 bytes")
good()
expect("registers that only remember", "checksum 0000000000000000 read back")
good()
os.remove(os.path.join(ROOT, "dev/uio0"))
expect("no uio", "dev/uio0")
