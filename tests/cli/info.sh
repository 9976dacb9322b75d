# The inside of a network; what ships; the kernels.
make network n.safetensors
make folder cnvW1A1
bnn info n.safetensors
bnn info cnvW1A1
bnn info --format json n.safetensors
"$BNN" info --format json cnvW1A1 | /usr/bin/python3 -c '
import json, sys
n = json.load(sys.stdin)
print(n["input"], n["classes"], n["rows"], n["decode"], len(n["layers"]), n["file_version"])
assert sum(l["ops"] for l in n["layers"]) == n["ops"]
assert sum(l["MW"] * l["MH"] * l["weight_bits"] for l in n["layers"]) == n["weight_bits"]
'

# The topologies that ship are listed, and every network that ships opens.
"$BNN" info --format json | /usr/bin/python3 -c '
import json, sys
shipped = json.load(sys.stdin)
missing = {"lfcW1A1", "lfcW1A2", "cnvW1A1", "cnvW1A2", "cnvW2A2", "tfc", "sfc"} - set(shipped["topologies"])
assert not missing, missing
assert not [n for n in shipped["networks"] if "error" in n], shipped
'

# One level is used, and it is a usable one.
"$BNN" info --cpu --format json | /usr/bin/python3 -c '
import json, sys
cpu = json.load(sys.stdin)["cpu"]
assert cpu["used"] in [l["name"] for l in cpu["levels"] if l["missing"] is None], cpu
assert cpu["levels"][0]["name"] == "scalar"
'
"$BNN" info --cpu n.safetensors | grep -c 'chosen for this network'
