# Fields of `bnn bench`, of every kind; no figures: those are the machine's.
make network net.safetensors
"$BNN" bench --seconds 0.1 --batch 3 --threads 2 --format json net.safetensors >out.json
python3 - out.json <<'END'
import json, sys
b = json.load(open(sys.argv[1]))
print(*sorted(b))
print(b["network"], b["threads"], b["batch"], len(b["layers"]), *sorted(b["latency_us"]))
for name in ("images_per_second", "macs_per_cycle", "l2_bytes_per_cycle", "clock_ghz"):
    print(name, b[name] > 0)
print(b["peak"] in b["peaks"], "scalar" in b["peaks"], "latency_l2" in b["ratios"], "latency_share" in b["ratios"])
END
"$BNN" bench --seconds 0.1 --batch 3 --cpu scalar net.safetensors | sed -n 's/^net.safetensors: level \(.*\), [0-9]* rounds.*/\1/p; s/^\(images a second\|one image\|ratio to its peak\).*/\1/p'
bnn bench --seconds 0 net.safetensors
bnn bench net.safetensors more
