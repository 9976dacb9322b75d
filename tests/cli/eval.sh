# Accuracy, the table of classes, the confusion matrix; where labels come from.
make network n.safetensors
make digits t4-images-idx3-ubyte t4-labels-idx1-ubyte
make digits z4-images-idx3-ubyte.gz z4-labels-idx1-ubyte.gz
make digits bare.idx

# Speeds differ from run to run.
eval_text() { bnn eval "$@" | sed -E 's/^((images\/s|one image|overall) +)[0-9.,]+/\1N/; s/^(computed by ).*/\1.../'; }
eval_json() {
    "$BNN" eval --format json "$@" | /usr/bin/python3 -c '
import json, sys
e = json.load(sys.stdin)
print(e["images"], e["correct"], e["accuracy"], [round(x, 4) for x in e["interval"]], e["classes"], e["confusion"])
assert e["images_per_second"] > 0 and e["images_per_second_overall"] > 0 and e["latency_us"] > 0 and e["threads"] >= 1
'
}
eval_text n.safetensors t4-images-idx3-ubyte
eval_json n.safetensors t4-images-idx3-ubyte
eval_json -n n.safetensors z4-images-idx3-ubyte.gz

# Labels given: IDX, or an integer a line.
eval_json n.safetensors bare.idx --labels t4-labels-idx1-ubyte
printf '0\n1\n2\n2\n' >right.txt
eval_json n.safetensors bare.idx --labels right.txt

# A folder for each class, matched by name: here in another order than the network's.
make pictures by-name/left/left-1.png by-name/top/top-1.png by-name/top/left-2.png
eval_json n.safetensors by-name

# What cannot be counted.
bnn eval n.safetensors bare.idx
make digits t5-images-idx3-ubyte t5-labels-idx1-ubyte
printf '0\n1\n3\n1\n' >three.txt
bnn eval n.safetensors bare.idx --labels three.txt
make pictures by-number/right/left-1.png by-number/top/top-1.png
bnn eval n.safetensors by-number
make digits empty.idx
/usr/bin/python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import make; make.write("empty.idx", make.idx3([]))' "$CLI"
bnn eval n.safetensors empty.idx

# The board's figures stand beside ours for its topologies.
make folder lfcW1A1
make long_idx black-images.idx 20 28
/usr/bin/python3 -c 'print("0\n" * 20, end="")' >zeros.txt
"$BNN" eval lfcW1A1 black-images.idx --labels zeros.txt | grep -E 'board|168,000|102 us' | sed -E 's/^(images\/s|one image) +[0-9.,]+( us)? +/\1 ... /'
