# arm-instructions.sh: instructions of one image, LFC and CNV, on AArch64 and ARMv7, counted under qemu-user
# by a plugin (qemu_count.c). From pixels to scores; the start of the program cancels out, as the difference
# of two runs. A batch is 8 images.
set -e
for tool in cc aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc qemu-aarch64 qemu-arm; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
qemu-aarch64 -h 2>&1 | grep -q -- -plugin || { echo "skipped: this qemu-user takes no plugins"; exit 77; }
out=$PWD
cd "$BNN_SOURCE/src"
cc -O2 -shared -fPIC -Wall -Wextra -Werror ../tests/kernel/qemu_count.c -o "$out/qemu_count.so"
build() { # COMPILER OUT FLAG...
    compiler=$1 program=$2; shift 2
    echo '#include <stdint.h>' | $compiler -fsyntax-only -x c - 2>/dev/null || { echo "skipped: no C library for $compiler"; exit 77; }
    $compiler -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -DBNN_DATA_DIRS='"."' -static -I../include -I. -I../tests "$@" ../tests/kernel/count_images.c \
        kernel/kernel.c kernel/cpu.c kernel/scalar.c kernel/lanes.c kernel/neon.c backend/cpu.c net/network.c net/topology.c \
        net/rule.c net/catalog.c base/*.c -o "$program" -lpthread
}
build aarch64-linux-gnu-gcc "$out/aarch64"
build arm-linux-gnueabihf-gcc "$out/armv7" -march=armv7-a -mfpu=neon
cd "$out"
count() { # QEMU PROGRAM TOPOLOGY LEVEL IMAGES CALLS
    $1 -plugin ./qemu_count.so -d plugin "./$2" "$BNN_SOURCE/topologies/$3.topology" $4 $5 $6 2>&1 | sed -n 's/^instructions //p'
}
row() { # ARCHITECTURE QEMU TOPOLOGY LEVEL
    once=$(count "$2" $1 $3 $4 8 1) twice=$(count "$2" $1 $3 $4 8 2)
    single=$(count "$2" $1 $3 $4 1 1) double=$(count "$2" $1 $3 $4 1 2)
    echo "$1 $3 $4: $(((twice - once) / 8)) instructions an image of a batch, $((double - single)) one image"
    [ $((twice - once)) -gt 0 ]
}
for topology in lfcW1A1 cnvW1A1; do
    row aarch64 qemu-aarch64 $topology neon
    row armv7 "qemu-arm -cpu cortex-a9" $topology neon
done
[ -z "$BNN_SCALAR" ] || for topology in lfcW1A1 cnvW1A1; do
    row aarch64 qemu-aarch64 $topology scalar
    row armv7 "qemu-arm -cpu cortex-a9" $topology scalar
done
