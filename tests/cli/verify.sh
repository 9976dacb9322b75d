# Every level equals scalar; a seed repeats; files serve as images.
make network n.safetensors
make folder lfcW1A1
make folder cnvW1A1
make digits four.idx
make records four.bin
equal() { "$BNN" verify "$@" | sed '/^cpu [^s].* equal in every layer/d; / skipped: /d'; }
equal n.safetensors
equal lfcW1A1 --seed 7 --count 20
equal cnvW1A1 --count 3
equal n.safetensors four.idx
equal cnvW1A1 four.bin --count 2
equal --cpu scalar n.safetensors
equal --backend cpu --cpu scalar -n n.safetensors
"$BNN" verify --cpu scalar --threads 3 lfcW1A1 --count 33
