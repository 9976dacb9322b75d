# Output thresholds for the original boards: chosen on labelled images, told honestly, and what is told is what the folder does.
make folder lfcW1A1
/usr/bin/python3 - <<'END'
import random, struct
r = random.Random(5)
open("r.idx", "wb").write(struct.pack(">4I", 0x803, 400, 28, 28) + r.randbytes(400 * 784))
END
# The labels that the network itself gives by its scores; by its bits it gets few of them.
"$BNN" classify lfcW1A1 r.idx --decode margin --format labels >labels.txt
right() { "$BNN" eval "$1" r.idx --labels labels.txt | grep '^accuracy'; }
right lfcW1A1
bnn convert lfcW1A1 chosen/ --data r.idx --labels labels.txt
right chosen
bnn convert lfcW1A1 chosen.safetensors --data r.idx --labels labels.txt
right chosen.safetensors
bnn convert chosen.safetensors again/ && diff -r chosen again && echo 'the same bytes'

# Where it has no meaning.
make folder cnvW1A1
make records r.bin
bnn convert cnvW1A1 no/ --data r.bin
bnn convert lfcW1A1 no/ --data r.idx
ls -d no 2>/dev/null || echo 'nothing written'
