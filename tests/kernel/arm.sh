# arm.sh: the NEON kernels held to scalar, built with Debian's cross compilers and run under qemu-user:
# AArch64, and ARMv7 on the model of a Zynq-7020's Cortex-A9.
set -e
for tool in aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc qemu-aarch64 qemu-arm; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
cd "$BNN_SOURCE/src"
sources="kernel/kernel.c kernel/cpu.c kernel/scalar.c kernel/lanes.c kernel/neon.c net/network.c net/topology.c net/rule.c net/catalog.c base/*.c"
build() { # COMPILER OUT FLAG...
    compiler=$1 out=$2; shift 2
    echo '#include <stdint.h>' | $compiler -fsyntax-only -x c - 2>/dev/null || { echo "skipped: no C library for $compiler"; exit 77; }
    $compiler -O2 -std=gnu11 -D_GNU_SOURCE -DBNN_DATA_DIRS='"."' -Wall -Wextra -Wpedantic -Wshadow -Wno-sign-conversion -Werror -static \
        -I../include -I. -I../tests "$@" ../tests/kernel/check.c $sources -o "$out" -lpthread
}
build aarch64-linux-gnu-gcc "$OLDPWD/check-aarch64"
build arm-linux-gnueabihf-gcc "$OLDPWD/check-armv7" -march=armv7-a -mfpu=neon
cd "$OLDPWD"
qemu-aarch64 ./check-aarch64 --rounds 50 | grep neon
qemu-arm -cpu cortex-a9 ./check-armv7 --rounds 50 | grep neon
