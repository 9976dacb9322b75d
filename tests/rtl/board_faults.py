#!/usr/bin/env python3
"""A board that is not right: each fault ends in one clear line, at once. No board is needed: a tree of files stands for it."""
import hashlib
import os
import struct
import subprocess
import sys

BNN = os.environ["BNN"]
ROOT = os.path.abspath("board")
NETWORK = "lfcW1A1-fashion-mnist"


def put(path, data):
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def description():
    subprocess.run([BNN, "overlay", "write", "--topology", "lfcW1A1", "out"], check=True, capture_output=True)
    lines = []
    with open("out/overlay_description.h") as f:
        for line in f.readlines()[1:]:
            lines.append(line.strip().rstrip("\\").strip().strip('"').replace("\\n", "\n"))
    return "".join(lines).encode()


def registers(text, magic=0x4f4e4e42):
    words = bytearray(0x2000)
    identity = struct.unpack("<Q", hashlib.sha256(text).digest()[:8])[0]
    struct.pack_into("<IIQIII", words, 0x80, magic, 1, identity, 4, 104, 128)
    return bytes(words)


def good(text):
    put("lib/firmware/bnn-overlay.txt", text)
    put("lib/firmware/bnn-overlay.bit.bin", b"")
    put("sys/class/fpga_manager/fpga0/firmware", b"")
    put("sys/class/fpga_manager/fpga0/state", b"operating\n")
    put("sys/class/uio/uio0/maps/map0/size", b"0x00002000\n")
    put("sys/class/u-dma-buf/udmabuf0/phys_addr", b"0x18000000\n")
    put("sys/class/u-dma-buf/udmabuf0/size", b"1048576\n")
    put("dev/udmabuf0", bytes(1 << 20))
    put("dev/uio0", registers(text))


def expect(what, message):
    run = subprocess.run([BNN, "verify", "--backend", "overlay", "--overlay", f"board,root={ROOT}", "--count", "1", NETWORK],
                         capture_output=True, text=True, timeout=60)
    if run.returncode != 1 or message not in run.stderr or run.stderr.count("\n") != 1:
        sys.exit(f"{what}: exit {run.returncode}, {run.stderr!r}; expected 1 and {message!r}")
    print(f"{what}: {run.stderr.strip()}")


text = description()
good(text)
put("sys/class/fpga_manager/fpga0/state", b"write error\n")
expect("bad state", "'write error' after loading")
good(text)
put("dev/uio0", registers(text, magic=0))
expect("another design", "identification 0x00000000; expected 0x4f4e4e42")
good(text)
put("lib/firmware/bnn-overlay.txt", text.replace(b"pe 16 simd 8", b"pe 8 simd 8"))
expect("wrong description", "that of its description")
good(text)
put("sys/class/uio/uio0/maps/map0/size", b"0x1000\n")
expect("short register map", "registers of 4096 bytes")
good(text)
expect("parameters that do not arrive", "checksum 0000000000000000 read back")
good(text)
os.remove(os.path.join(ROOT, "dev/uio0"))
expect("no uio", "dev/uio0")
