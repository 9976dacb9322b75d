# What every command tells of an overlay: cycles, images/s at its clock, stalls. tfc: 800 cycles an image, the first after 1,829.
set -e
command -v verilator > /dev/null || { echo "verilator is not installed: package verilator"; exit 77; }
"$BNN_RTL_TOOLS/draw_network" tfc tfc.safetensors
/usr/bin/python3 - << 'END'
import struct
with open("some-images-idx3-ubyte", "wb") as f:
    f.write(struct.pack(">4I", 2051, 10, 28, 28) + bytes(i * 37 % 256 for i in range(10 * 784)))
with open("some-labels-idx1-ubyte", "wb") as f:
    f.write(struct.pack(">2I", 2049, 10) + bytes(10))
END
expect() { # FILE TEXT
  grep -q "$2" "$1" || { echo "expected '$2' in"; cat "$1"; exit 1; }
}
told="first result after 1829, then one every 800.00: 62500 images/s at 50 MHz"

"$BNN" classify --overlay clock=50 tfc.safetensors some-images-idx3-ubyte > labels.txt 2> told.txt
expect told.txt "$told"
expect told.txt "0 cycles without input, 0 with output waiting"
"$BNN" classify --cpu scalar tfc.safetensors some-images-idx3-ubyte | cmp - labels.txt
"$BNN" eval --overlay clock=50 tfc.safetensors some-images-idx3-ubyte > told.txt
expect told.txt "$told"
"$BNN" verify --overlay clock=50,load=back --count 5 tfc.safetensors > told.txt
expect told.txt "$told"
expect told.txt "^overlay  *equal"
"$BNN" verify --count 5 tfc.safetensors > told.txt
expect told.txt "^overlay  *skipped: has to be built first"
"$BNN" bench --overlay clock=50 --batch 6 --seconds 0.1 tfc.safetensors > told.txt
expect told.txt "$told"
"$BNN" bench --overlay clock=50 --batch 6 --seconds 0.1 --format json tfc.safetensors > bench.json
"$BNN" eval --overlay clock=50 --format json tfc.safetensors some-images-idx3-ubyte > eval.json
/usr/bin/python3 - << 'END'
import json
for name in ("bench.json", "eval.json"):
    o = json.load(open(name))["overlay"]
    assert o["platform"] == "simulation" and o["interval_cycles"] == 800 and o["latency_cycles"] == 1829, o
    assert o["images_per_second"] == 62500 and o["clock_mhz"] == 50 and o["starved_cycles"] == o["waiting_cycles"] == 0, o
b = json.load(open("bench.json"))
assert b["seconds"] == "processor" and b["batch"] == 6 and b["images_per_second"]["median"] > 0 and b["scalar_images_per_second"]["median"] > 0
END
if "$BNN" bench --backend cpu --overlay clock=50 tfc.safetensors 2> told.txt; then exit 1; fi
expect told.txt "option --overlay with --backend cpu"
