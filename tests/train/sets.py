#!/usr/bin/python3
"""sets.py -- the scripts that make training sets, on data of the published form that is made here;
and that the float yardstick keeps out the pictures that `bnn train` keeps out."""
import csv
import gzip
import os
import pathlib
import runpy
import struct
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("numpy is not installed")
    sys.exit(77)

BNN, SCRIPTS = os.environ["BNN"], pathlib.Path(os.environ["BNN_SOURCE"]) / "scripts"
rng = np.random.default_rng(1)


def run(*words):
    return subprocess.run([str(w) for w in words], check=True, stdout=subprocess.PIPE, text=True).stdout


def signs():
    """Two tracks of two frames of each of 43 signs."""
    data = pathlib.Path("gtsrb")
    data.mkdir()
    rows = [(c, t, f) for c in range(43) for t in range(2) for f in range(2)]
    records = rng.integers(0, 256, (len(rows), 4801), np.uint8)
    records[:, 0] = [c for c, _, _ in rows]
    (data / "train40.bin").write_bytes(records.tobytes())
    with gzip.open(data / "train-index.csv.gz", "wt") as f:
        csv.writer(f).writerows([("record", "class", "track", "frame")] + [(i, *row) for i, row in enumerate(rows)])
    with open(data / "signnames.csv", "w") as f:
        csv.writer(f).writerows([("ClassId", "SignName")] + [(c, f"sign, {c}") for c in range(43)])
    run(SCRIPTS / "gtsrb", data, "signs", 30)
    made = np.fromfile("signs/train.bin", np.uint8).reshape(-1, 4801)
    assert (made[:len(rows)] == records).all()
    assert (made[len(rows):, 0] == 43).all() and len(made) == len(rows) + 30
    groups = pathlib.Path("signs/groups.txt").read_text().splitlines()
    assert groups[:4] == ["0,0", "0,0", "0,1", "0,1"] and len(groups) == len(made)
    assert all(g in groups[:len(rows)] for g in groups[len(rows) + 1::2])  # what lies beside a sign is of its track
    names = pathlib.Path("signs/classes.txt").read_text().splitlines()
    assert names == [f"sign, {c}" for c in range(43)] + ["Not a sign"]
    run(BNN, "sheet", "signs/train.bin", "--record", "40x40x3", "-o", "signs.png")


def letters():
    """Two writers of 62 characters, and a hundred pictures of 36 classes."""
    data, upper = pathlib.Path("letters"), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    data.mkdir()
    for name, classes, labels in (("chars74k-hnd", "0123456789" + upper + upper.lower(), np.repeat(np.arange(62), 2)),
                                  ("mtuci", "0123456789" + upper.lower(), rng.integers(0, 36, 100))):
        images = rng.integers(0, 256, (len(labels), 28, 28), np.uint8)
        with gzip.open(data / f"{name}-train-images-idx3-ubyte.gz", "wb") as f:
            f.write(struct.pack(">4I", 0x803, len(images), 28, 28) + images.tobytes())
        with gzip.open(data / f"{name}-train-labels-idx1-ubyte.gz", "wb") as f:
            f.write(struct.pack(">2I", 0x801, len(labels)) + labels.astype(np.uint8).tobytes())
        (data / f"{name}-classes.txt").write_text("\n".join(classes) + "\n")
    run(SCRIPTS / "letters", data, "set")
    labels = np.frombuffer(pathlib.Path("set/train-labels-idx1-ubyte").read_bytes(), np.uint8)[8:]
    assert labels[:124].tolist() == [c if c < 36 else c - 26 for c in range(62) for _ in range(2)]
    groups = pathlib.Path("set/groups.txt").read_text().splitlines()
    assert groups[:3] == ["writer 0", "writer 1", "writer 0"] and len(set(groups)) == 102
    run(BNN, "sheet", "set", "-o", "set.png")


def same_split():
    """With a class of their own for the pictures that the yardstick keeps out, `bnn train` finds none of them
    to train with; and it keeps out as many."""
    groups = pathlib.Path("set/groups.txt").read_text().splitlines()
    out = runpy.run_path(str(SCRIPTS / "float-mlp"))["kept_out"](groups, 60)
    assert 0 < out.sum() < len(groups)
    pathlib.Path("labels.txt").write_text("".join(f"{int(o)}\n" for o in out))
    pathlib.Path("few.topology").write_text("input 28x28x1 bit\ndense 8 w1 a1\ndense <=64 w1 scores\n")
    train = [BNN, "train", "--topology", "few.topology", "--data", "set", "--groups", "set/groups.txt", "--val", "60",
             "--rule", "threshold 128", "--epochs", "1", "--out", "x"]
    r = subprocess.run([*train, "--labels", "labels.txt"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "needs a maths library" in r.stdout:
        print(r.stdout)
        sys.exit(77)
    assert "class 1 has no image to train with" in r.stdout, r.stdout
    run(*train)
    assert b"\nvalidation %d " % out.sum() in pathlib.Path("x.checkpoint").read_bytes()


def yardstick():
    assert "epoch 1 of 1  validation" in run(SCRIPTS / "float-mlp", "set", "--val", 60, "--epochs", 1, "--shift", 1, "--rotate", 5)


signs()
letters()
same_split()
yardstick()
