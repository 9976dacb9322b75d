#!/bin/sh
# Your own pictures on an existing overlay: a folder a class of drawn shapes, a
# few hundred of them, for CNV; the same kind as an IDX file for LFC. What is
# learned names pictures that were not seen.
here=$(dirname "$0")
draw() { python3 "$here/draw.py" "$@"; }
fail() { echo "$*"; exit 1; }

# Sanitizers make this ten times as slow: then it is run for what they find, not for what is learned.
epochs=15 least=0.95
grep -q __asan_init "$BNN" && epochs=1 least=0

draw pictures 130 1
draw new 20 2
"$BNN" train --topology cnvW1A1 --data pictures --out cnv --epochs $epochs --augment shift=2,flip >log 2>&1
status=$?
grep -q "needs a maths library" log && { cat log; exit 77; }
cat log
[ $status = 0 ] || exit 1
grep -q "0 of 78 labels and 0 of .* values differ" log || fail "the fold lost something"
"$BNN" eval --format json cnv new | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["classes"], r["accuracy"])
assert r["classes"] == ["circle", "cross", "square"]
assert r["accuracy"] >= float(sys.argv[1])' $least || fail "new pictures are not named well enough"
"$BNN" classify --format json cnv new/cross/000.ppm

draw --idx mono 300 3
draw --idx unseen 50 4
"$BNN" train --topology lfcW1A1 --data mono-images-idx3-ubyte --out lfc --rule "threshold 128" --epochs $epochs --augment shift=2 || exit 1
"$BNN" eval --format json lfc unseen-images-idx3-ubyte | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["accuracy"])
assert r["accuracy"] >= float(sys.argv[1])' $least || fail "new pictures of the IDX file are not named well enough"
