#!/usr/bin/env python3
"""second_reader.py -- reads network files and computes scores, from docs/format.md alone.

    second_reader.py MAKE_NETWORKS

Runs MAKE_NETWORKS, which writes small networks, pictures and the library's
scores, and compares; then the same for tests/format/v1. Standard library
only, one weight after another: nothing here is shared with the library.
"""
import hashlib
import json
import os
import struct
import subprocess
import sys

WIDTH = {"U8": 1, "I32": 4, "U64": 8}
CODE = {"U8": "B", "I32": "i", "U64": "Q"}
START = b'{"__metadata__":{"checksum":"'


def require(good, what):
    if not good:
        raise ValueError(what)


def read_container(data):
    """bytes -> (metadata, {name: (shape, values)})"""
    (n,) = struct.unpack_from("<Q", data)
    require(data[8:8 + len(START)] == START, "start")
    require(n <= 4194304 and (n + 8) % 64 == 0, "header length")
    digits = data[37:101]
    require(hashlib.sha256(data[:37] + b"0" * 64 + data[101:]).hexdigest().encode() == digits, "checksum")
    header = json.loads(data[8:8 + n].decode("utf-8"))
    body = data[8 + n:]
    metadata = header.pop("__metadata__")
    tensors, at = {}, 0
    for name, t in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = t["data_offsets"]
        count = 1
        for side in t["shape"]:
            count *= side
        require(begin == at and end - begin == count * WIDTH[t["dtype"]], name)
        tensors[name] = (t["shape"], struct.unpack_from("<%d%s" % (count, CODE[t["dtype"]]), body, begin))
        at = end
    require(at == len(body), "bytes after the tensors")
    return metadata, tensors


def parse_topology(text):
    """-> ((h, w, c), 'bit' or 'uint8', [layers as dicts])"""
    shape, kind, layers = None, None, []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "input":
            shape = tuple(int(v) for v in words[1].split("x"))
            kind = words[2]
            (h, w, c) = shape
            continue
        layer = {"kind": words[0], "in": (h, w, c)}
        if words[0] == "maxpool":
            h, w = h // 2, w // 2
        else:
            layer["MH"] = int(words[1])
            layer["w"], layer["end"] = int(words[-2][1]), words[-1]
            layer["K"] = int(words[2].split("x")[0]) if words[0] == "conv" else None
            layer["MW"] = layer["K"] ** 2 * c if layer["K"] else h * w * c
            h, w, c = (h - layer["K"] + 1, w - layer["K"] + 1, layer["MH"]) if layer["K"] else (1, 1, layer["MH"])
        layers.append(layer)
    return shape, kind, layers


def input_values(pixels, kind, rule, table):
    words = rule.split()
    if kind == "uint8":
        if "truncate" in words:
            return [v - 128 for v in pixels]
        return [v - 128 if v <= 127 else v - 127 if v <= 254 else 127 for v in pixels]
    threshold = words[words.index("threshold") + 1] if "threshold" in words else "128"
    if threshold == "mean":
        mean = sum(pixels) // len(pixels)
        return [1 if v > mean else -1 for v in pixels]
    if threshold == "table":
        return [1 if v >= t else -1 for v, t in zip(pixels, table)]
    if threshold == "scaled":
        mean = sum(pixels) // len(pixels)
        return [1 if v >= min(max(mean * t // 64, 1), 255) else -1 for v, t in zip(pixels, table)]
    return [1 if v >= int(threshold) else -1 for v in pixels]


def weight(tensor, layer, n, s):
    (mh, planes, row), values = tensor
    require((mh, planes, row) == (layer["MH"], layer["w"], (layer["MW"] + 63) // 64), "weights' shape")
    bit = [values[(n * planes + p) * row + s // 64] >> (s % 64) & 1 for p in range(planes)]
    if planes == 2 and not bit[1]:
        return 0
    return 1 if bit[0] else -1


def activate(layer, thresholds, n, total):
    if layer["end"] == "scores":
        return total
    t = thresholds[1]
    if layer["end"] == "bits":
        return total - t[n]
    if layer["end"] == "a1":
        return 1 if total >= t[n] else -1
    return -1 + (total >= t[2 * n]) + (total >= t[2 * n + 1])


def matrix(layer, weights, thresholds, window):
    return [activate(layer, thresholds, n, sum(w * v for w, v in zip(weights[n], window))) for n in range(layer["MH"])]


def run_layer(layer, index, tensors, values):
    h, w, c = layer["in"]
    if layer["kind"] == "maxpool":
        return [max(values[((2 * y + dy) * w + 2 * x + dx) * c + k] for dy in (0, 1) for dx in (0, 1))
                for y in range(h // 2) for x in range(w // 2) for k in range(c)]
    name = "layers.%d." % index
    weights = [[weight(tensors[name + "weights"], layer, n, s) for s in range(layer["MW"])] for n in range(layer["MH"])]
    thresholds = tensors.get(name + "thresholds")
    if layer["kind"] == "dense":
        return matrix(layer, weights, thresholds, values)
    size, out = layer["K"], []
    for y in range(h - size + 1):
        for x in range(w - size + 1):
            window = [values[((y + ky) * w + x + kx) * c + k] for ky in range(size) for kx in range(size) for k in range(c)]
            out += matrix(layer, weights, thresholds, window)
    return out


def scores(path, pixels):
    with open(path, "rb") as f:
        metadata, tensors = read_container(f.read())
    require(metadata["format"] == "bnn-network" and metadata["version"] == "1", "format")
    shape, kind, layers = parse_topology(metadata["topology"])
    table = tensors.get("input.threshold", (None, None))[1]
    size, out = shape[0] * shape[1] * shape[2], []
    for i in range(0, len(pixels), size):
        values = input_values(pixels[i:i + size], kind, metadata["input"], table)
        for index, layer in enumerate(layers):
            values = run_layer(layer, index, tensors, values)
        out += values
    return out


def check_folder(folder):
    names = sorted(f[:-len(".safetensors")] for f in os.listdir(folder) if f.endswith(".safetensors"))
    require(names, "no networks in " + folder)
    for name in names:
        base = os.path.join(folder, name)
        with open(base + ".pixels", "rb") as f:
            mine = scores(base + ".safetensors", f.read())
        with open(base + ".scores", "rb") as f:
            expected = [v for (v,) in struct.iter_unpack("<i", f.read())]
        require(mine == expected, "%s: %s; the library has %s" % (base, mine, expected))
        print("%s: %d scores are the library's" % (name, len(mine)))


def main():
    subprocess.run([sys.argv[1], "."], check=True)
    check_folder(".")
    check_folder(os.path.join(os.environ["BNN_SOURCE"], "tests", "format", "v1"))


main()
