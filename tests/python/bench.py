"""bench.py [NETWORK] -- what Python adds to the C calls, on whatever this machine is doing: medians of turns that alternate.

    PYTHONPATH=build/release/python python3 tests/python/bench.py lfcW1A1-fashion-mnist
"""

import resource
import statistics
import sys
import threading
import time

import numpy as np

import bnn
from bnn._bnn import ffi, lib


def seconds(call, turns=1):
    start = time.perf_counter()
    for _ in range(turns):
        call()
    return (time.perf_counter() - start) / turns


def alternate(calls, rounds, turns=1):
    """The median seconds of each call, taking turns."""
    times = [[seconds(call, turns) for call in calls] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times)]


def c_call(run, images, labels):
    """The C function on the same memory, without the package around it."""
    err, x, y = ffi.new("bnn_error *"), ffi.from_buffer("uint8_t[]", images), ffi.from_buffer("uint16_t[]", labels)
    return lambda: lib.bnn_classify(run._c, x, len(images), y, err)


def throughput(net, images):
    run = bnn.Runtime(net)
    python, c = alternate([lambda: run.classify(images), c_call(run, images, np.empty(len(images), np.uint16))], 21)
    print(f"{len(images)} images: {len(images) / python:,.0f} images/s from Python, {len(images) / c:,.0f} from C: {c / python:.1%}")


def overhead(net, images):
    run, one = bnn.Runtime(net, threads=1), images[:1]
    python, c = alternate([lambda: run.classify(one), c_call(run, one, np.empty(1, np.uint16))], 51, 200)
    print(f"one image: {python * 1e6:.2f} us from Python, {c * 1e6:.2f} us from C: {(python - c) * 1e6:.2f} us more")


def memory(net, images, calls=100_000):
    run, one = bnn.Runtime(net, threads=1), images[:1]
    for _ in range(1000):
        run.classify(one), run.scores(one)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(calls // 2):
        run.classify(one), run.scores(one)
    print(f"{calls:,} calls: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before} KiB more than after the first thousand")


def scaling(net, images):
    runs = [bnn.Runtime(net, threads=1) for _ in range(2)]

    def together():
        threads = [threading.Thread(target=run.classify, args=(images,)) for run in runs]
        [t.start() for t in threads]
        [t.join() for t in threads]

    alone, both = (min(seconds(call) for _ in range(100)) for call in (lambda: runs[0].classify(images), together))
    print(f"two threads, a runtime each: {2 * alone / both:.2f} times the images of one (best of 100)")


if __name__ == "__main__":
    network = bnn.Network.open(sys.argv[1] if len(sys.argv) > 1 else "lfcW1A1-fashion-mnist")
    pictures = np.random.default_rng(0).integers(0, 256, (10_000, *network.input_shape), np.uint8)
    for measure in (throughput, overhead, memory, scaling):
        measure(network, pictures if measure is throughput else pictures[:3000])
