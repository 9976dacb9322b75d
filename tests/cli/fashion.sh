# The shipped network on real pictures, where Debian's package has put them.
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
[ -e $images ] || skip "$images is not there (package dataset-fashion-mnist)"
"$BNN" info | grep -q '^  lfcW1A1-fashion-mnist ' || skip "the network lfcW1A1-fashion-mnist does not ship yet"
bnn verify --count 20 lfcW1A1-fashion-mnist $images >verified || cat verified

# eval, labels and JSON tell the same; the accuracy is what the model card may claim.
"$BNN" eval -n lfcW1A1-fashion-mnist --format json $images >eval.json
"$BNN" classify -n lfcW1A1-fashion-mnist --format labels $images >labels.txt
"$BNN" classify -n lfcW1A1-fashion-mnist --format raw $images >raw.bin
/usr/bin/python3 - <<'END'
import gzip, json
e = json.load(open("eval.json"))
truth = gzip.open("/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz").read()[8:]
labels = [int(line) for line in open("labels.txt")]
confusion = [[0] * 10 for _ in range(10)]
for t, l in zip(truth, labels):
    confusion[t][l] += 1
assert e["images"] == len(labels) == len(truth) == 10000
assert e["confusion"] == confusion and e["correct"] == sum(confusion[i][i] for i in range(10))
assert e["accuracy"] == e["correct"] / 10000 > 0.85, e["accuracy"]
assert e["board"] == {"overlay": "lfcW1A1", "images_per_second": 168000, "latency_us": 102}
import array
scores = array.array("i", open("raw.bin", "rb").read())
rows = len(scores) // 10000
assert [max(range(10), key=scores[i * rows:i * rows + 10].__getitem__) for i in range(10000)] == labels
print("10,000 images: eval, labels and raw outputs agree")
END
