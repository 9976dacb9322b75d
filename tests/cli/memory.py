"""Anonymous memory of `bnn classify` on LFC, and a million images that stream in it.

The IDX file is sparse: a header, and zeros that take no room on the disk.
"""
import os
import struct
import subprocess
import sys
import time

IMAGES, LIMIT = 1_000_000, 16 << 10  # KiB of RssAnon
sys.path.insert(0, os.path.join(os.environ["BNN_SOURCE"], "tests", "cli"))


def write_images(path, n):
    with open(path, "wb") as f:
        f.write(struct.pack(">IIII", 0x803, n, 28, 28))
        f.truncate(16 + n * 784)


def peak(path, n):
    """Largest RssAnon (KiB) while n images are classified."""
    net = os.environ["BNN_SOURCE"] + "/networks/lfcW1A1-fashion-mnist.safetensors"
    most = 0
    with open("labels", "wb") as out:
        run = subprocess.Popen([os.environ["BNN"], "classify", "--format", "labels", net, path], stdout=out)
        while run.poll() is None:
            for line in open(f"/proc/{run.pid}/status"):
                if line.startswith("RssAnon:"):
                    most = max(most, int(line.split()[1]))
            time.sleep(0.01)
    assert run.returncode == 0, run.returncode
    lines = sum(1 for _ in open("labels"))
    assert lines == n, f"{lines} labels of {n} images"
    return most


if not os.path.exists(os.environ["BNN_SOURCE"] + "/networks/lfcW1A1-fashion-mnist.safetensors"):
    print("skipped: lfcW1A1-fashion-mnist is not there")
    sys.exit(77)
if "asan" in os.environ["BNN"] or "tsan" in os.environ["BNN"]:
    print("skipped: sanitizers have their own memory")
    sys.exit(77)
write_images("small.idx", 20_000)
write_images("large.idx", IMAGES)
small, large = peak("small.idx", 20_000), peak("large.idx", IMAGES)
print(f"RssAnon: {small} KiB with 20,000 images, {large} KiB with {IMAGES:,}")
assert large <= LIMIT, f"{large} KiB of anonymous memory; expected at most {LIMIT}"
assert large <= small + 2048, "memory grows with the number of images"
