#!/bin/sh
# Killed in the middle of an epoch (no chance to write anything) and resumed,
# twice; stopped by Ctrl-C and resumed: the same network files, byte for byte.
here=$(dirname "$0")
python3 "$here/draw.py" --idx mono 200 1
set -- train --topology sfc --data mono-images-idx3-ubyte --rule "threshold mean" --epochs 12 --augment shift=2 --seed 3

"$BNN" "$@" --out whole >log 2>&1 || { cat log; grep -q "needs a maths library" log && exit 77; exit 1; }
wait_for() { # until epoch $1 is told
    n=0
    until grep -q "^epoch *$1 of" log2 || [ $n = 600 ]; do sleep 0.05; n=$((n + 1)); done
}
"$BNN" "$@" --out broken >log2 2>&1 &
wait_for 2; kill -9 $!; wait $! 2>/dev/null
"$BNN" "$@" --out broken --resume >log2 2>&1 &
wait_for 5; kill -9 $!; wait $! 2>/dev/null
"$BNN" "$@" --out broken --resume >log2 2>&1 &
wait_for 8; kill -INT $!; wait $!
"$BNN" "$@" --out broken --resume || exit 1
for file in "" .last.safetensors .csv .svg; do
    cmp "whole$file" "broken$file" || exit 1
done

# The network is the float graph of its checkpoint, value by value; another is not.
"$BNN" verify whole --against whole.checkpoint mono-images-idx3-ubyte || exit 1
"$BNN" verify whole.last.safetensors --against whole.checkpoint mono-images-idx3-ubyte || exit 1
"$BNN" "$@" --out other --epochs 1 --seed 4 >log || exit 1
"$BNN" verify other --against whole.checkpoint mono-images-idx3-ubyte; [ $? = 1 ] || exit 1

# A checkpoint of another run, a damaged one, none at all.
"$BNN" "$@" --out broken --resume --lr 0.01; [ $? = 1 ] || exit 1
printf x | dd of=broken.checkpoint bs=1 seek=5000 conv=notrunc 2>/dev/null
"$BNN" "$@" --out broken --resume; [ $? = 1 ] || exit 1
rm broken.checkpoint
"$BNN" "$@" --out broken --resume; [ $? = 1 ] || exit 1
