# What `bnn train` refuses, and how it says so; that it learns is tests/train's.
draw() { /usr/bin/python3 "$CLI/../train/draw.py" "$@"; }
draw pictures 6 1
"$BNN" train --topology sfc --data pictures --out try --epochs 1 --rule grey >log 2>&1
grep -q "needs a maths library" log && skip "$(cat log)"
train() { bnn train --data pictures --out x "$@"; }

# The command line.
bnn train --topology lfcW1A1 --data pictures
train
train --topology nosuch
train --topology lfcW1A1 --augment spin
train --topology lfcW1A1 --rule 'threshold 300'
train --topology cnvW1A1 --val 18
train --topology cnvW1A1 --maths abacus
train --topology cnvW1A1 --resume
printf 'a\na\n' >groups.txt
train --topology cnvW1A1 --groups groups.txt
yes | head -18 >groups.txt
train --topology sfc --rule grey --groups groups.txt

# Topologies that do not fit.
printf 'input 32x32x3 uint8\ndense 2 w1 scores\n' >two.topology
train --topology two.topology
printf 'input 32x32x3 uint8\ndense 8 w1 bits\n' >bits.topology
train --topology bits.topology
printf 'input 33x33x3 uint8\nconv 8 2x2 w1 a1\nmaxpool 2x2\nmaxpool 2x2\ndense 8 w1 scores\n' >pools.topology
train --topology pools.topology

# Pictures: one that is none, skipped when asked; a class without any; labels missing.
echo "no picture" >pictures/circle/none.png
train --topology two.topology
train --topology two.topology --skip-bad
rm pictures/circle/none.png
mkdir pictures/none
train --topology two.topology
rmdir pictures/none
bnn train --topology two.topology --data pictures/cross/000.ppm --out x

# A place that cannot be written is told before the first step; nothing is left behind.
bnn train --topology cnvW1A1 --data pictures --out nowhere/x
ls
