# A topology made up for this test, from its text to classes, by commands alone: not square, three convolutions, 100 classes.
set -e
command -v verilator > /dev/null || { echo "verilator is not installed: package verilator"; exit 77; }
cat > made_up.topology << 'END'
input 24x40x3 uint8
conv 24 3x3 w1 a1
conv 40 3x3 w1 a1
maxpool 2x2
conv 56 3x3 w1 a1
dense 128 w1 a1
dense 100 w1 scores
END
"$BNN" overlay search --topology made_up.topology --fps 5000 made_up.folding
"$BNN" overlay build --topology made_up.topology --folding made_up.folding > object.txt
"$BNN_RTL_TOOLS/draw_network" made_up.topology made_up.safetensors
/usr/bin/python3 - << 'END'
import random
random.seed(5)
for n in range(12):
    with open(f"picture{n:02}.ppm", "wb") as f:
        f.write(b"P6 40 24 255\n" + bytes(random.choice((random.randrange(256), 16 * n, 255)) for _ in range(40 * 24 * 3)))
END
"$BNN" classify --format json --cpu scalar -n made_up.safetensors picture*.ppm > expected.txt
"$BNN" classify --format json --overlay folding=made_up.folding -n made_up.safetensors picture*.ppm > given.txt 2> counts.txt
cat counts.txt
[ "$(grep -c . given.txt)" = 12 ] && cmp expected.txt given.txt
"$BNN" verify --overlay folding=made_up.folding,stall=50 --count 10 -n made_up.safetensors | grep '^overlay  *equal'
[ "$(sed 's/.*"label": *\([0-9]*\).*/\1/' given.txt | sort -u | grep -c .)" -gt 1 ] # more than one class occurs
