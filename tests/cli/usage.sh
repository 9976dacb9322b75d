# Bad usage: what was wrong, what was expected, where to read on; status 2.
make network n.safetensors
bnn
bnn sort
bnn help sort
bnn classify
bnn classify n.safetensors
bnn classify -n n.safetensors
bnn classify --top 0 n.safetensors x.png
bnn classify --top many n.safetensors x.png
bnn classify --top
bnn classify --t 3
bnn classify --tip 3
bnn classify -x
bnn classify -n
bnn classify --skip-bad=yes n.safetensors x.png
bnn classify --format xml n.safetensors x.png
bnn classify --format 'text|json' n.safetensors x.png
bnn classify --format labels --top 2 n.safetensors x.png
bnn classify --record 32x32 n.safetensors x.bin
bnn classify --record 0x32x3 n.safetensors x.bin
bnn classify --input scan n.safetensors x.png
bnn classify --variant new n.safetensors x.png
bnn classify --decode biggest n.safetensors x.png
bnn classify --threads -1 n.safetensors x.png
bnn classify --classes 1001 n.safetensors x.png
bnn classify --decode multi n.safetensors x.png
bnn eval n.safetensors
bnn eval --format text,json n.safetensors x
bnn info n.safetensors n.safetensors
bnn convert n.safetensors
bnn convert n.safetensors a b
bnn convert --to zip n.safetensors a
bnn verify
bnn verify --count 0 n.safetensors
bnn verify --seed 1e3 n.safetensors
# The names that exist depend on the machine; that the option is refused does not.
"$BNN" classify --cpu pentium n.safetensors x.png 2>&1 | sed 's/auto|.*/auto|.../'
"$BNN" classify --backend gpu n.safetensors x.png 2>&1 | sed 's/expected cpu.*/expected cpu.../'
