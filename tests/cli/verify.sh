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

# A wrong value is found, and named by layer, neuron and image: of a map of 30x30x64, 64 * (30 * 2 + 3) + 5 is
# (2, 3, 5). Layer 1 is checked before layer 4, whatever the image.
wrong() { fault=$1; shift; FAULT=$fault LD_PRELOAD=$FAULTY ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 "$BNN" verify --cpu scalar "$@"; echo "status $?"; }
wrong '0 1 4037' cnvW1A1 --count 3
wrong '4 0 0' cnvW1A1 --count 2
wrong '4294967295 2 783' lfcW1A1 --count 3
wrong 'scores 7 1' n.safetensors
