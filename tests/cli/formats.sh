# BNN-PYNQ folders: raw outputs in the original's domain, decode rules, classes, topology.
make folder lfcW1A1
make folder cnvW1A1
make long_idx black.idx 3 28
make records four.bin

# 64 threshold bits an image; 64 popcounts an image.
"$BNN" classify lfcW1A1 black.idx --format raw | wc -c
"$BNN" classify cnvW1A1 four.bin --format raw | wc -c
"$BNN" classify cnvW1A1 four.bin --format raw | /usr/bin/python3 -c '
import struct, sys
scores = struct.unpack("<256i", sys.stdin.buffer.read())
assert all(0 <= s <= 512 for s in scores), scores
'
for decode in multi single margin argmax; do
    echo "$decode: $("$BNN" classify lfcW1A1 black.idx --format labels --decode $decode | tr '\n' ' ')"
done
bnn classify cnvW1A1 four.bin --format labels --classes 2 --decode single

# A folder whose name does not say what it is.
mv lfcW1A1 trained
bnn classify trained black.idx --format labels
bnn classify trained black.idx --format labels --topology lfcW1A1
rm trained/classes.txt
bnn classify trained black.idx --format labels --topology lfcW1A1 --classes 10
