"""bench.py [--threads N] [--only PART...] [NETWORK] -- what Python adds to the C calls, on whatever this machine is doing.

    PYTHONPATH=build/release/python BNN=build/release/tools/bnn python3 tests/python/bench.py lfcW1A1-fashion-mnist

Python, the C call in the same process, and `bnn bench` (BNN, else the command on PATH) take turns; medians over the turns.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
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


def bench_command(name, threads, batch):
    """Images a second by `bnn bench`: its median over the rounds of half a second."""
    command = [os.environ.get("BNN", "bnn"), "bench", "--seconds", "0.5", "--format", "json", "--threads", threads, "--batch", batch, name]
    return json.loads(subprocess.run(list(map(str, command)), capture_output=True, check=True).stdout)["images_per_second"]


def throughput(net, images, options):
    run, turns = bnn.Runtime(net, threads=options.threads), []
    c = c_call(run, images, np.empty(len(images), np.uint16))
    for _ in range(5):
        python, same = (len(images) / s for s in alternate([lambda: run.classify(images), c], 3))
        turns.append((python, same, bench_command(options.network, options.threads, len(images))))
    python, same, command = (statistics.median(column) for column in zip(*turns))
    print(f"{len(images):,} images, {run.stats.threads} thread(s): {python:,.0f} images/s from Python; "
          f"the C call {same:,.0f} ({python / same:.1%}), bnn bench {command:,.0f} ({python / command:.1%})")


def overhead(net, images, options):
    run, one = bnn.Runtime(net, threads=1), images[:1]
    python, c = alternate([lambda: run.classify(one), c_call(run, one, np.empty(1, np.uint16))], 51, 200)
    print(f"one image: {python * 1e6:.2f} us from Python, {c * 1e6:.2f} us from C: {(python - c) * 1e6:.2f} us more")


def memory(net, images, options, calls=100_000):
    run, one = bnn.Runtime(net, threads=1), images[:1]
    for _ in range(1000):
        run.classify(one), run.scores(one)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(calls // 2):
        run.classify(one), run.scores(one)
    print(f"{calls:,} calls: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before} KiB more than after the first thousand")


def scaling(net, images, options):
    """Turns of one thread alone and two at once, a runtime each: needs two cores with nothing else to do."""
    runs = [bnn.Runtime(net, threads=1) for _ in range(2)]

    def together():
        threads = [threading.Thread(target=run.classify, args=(images,)) for run in runs]
        [t.start() for t in threads]
        [t.join() for t in threads]

    alone, both = alternate([lambda: runs[0].classify(images), together], 51)
    print(f"two threads, a runtime each, {len(images):,} images a call: {2 * alone / both:.2f} times the images/s of one thread (median)")


PARTS = {"throughput": throughput, "overhead": overhead, "memory": memory, "scaling": scaling}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0].split(" -- ")[0])
    parser.add_argument("network", nargs="?", default="lfcW1A1-fashion-mnist")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    network = bnn.Network.open(arguments.network)
    pictures = np.random.default_rng(0).integers(0, 256, (10_000, *network.input_shape), np.uint8)
    for part in arguments.only:
        PARTS[part](network, pictures, arguments)
