# board_arm.sh PEER: board.py with a driver for AArch64 and one for ARMv7 (on the model of a Zynq-7020's Cortex-A9), both
# built with Debian's cross compilers and run under qemu-user; the overlay behind the device files runs on this machine.
set -e
for tool in aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc qemu-aarch64 qemu-arm; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
scratch=$PWD
cd "$BNN_SOURCE/src"
sources="runtime.c backend/*.c kernel/kernel.c kernel/cpu.c kernel/scalar.c kernel/lanes.c kernel/neon.c net/*.c base/*.c"
build() { # COMPILER OUT FLAG...
    compiler=$1 out=$2; shift 2
    echo '#include <stdint.h>' | $compiler -fsyntax-only -x c - 2>/dev/null || { echo "skipped: no C library for $compiler"; exit 77; }
    # The one warning: a program linked statically can open no shared objects (simulations); boards need none.
    $compiler -O2 -std=gnu11 -D_GNU_SOURCE -DBNN_DATA_DIRS='"."' -Wall -Wextra -Wpedantic -Wshadow -Wno-sign-conversion -Werror -static \
        -I../include -I. "$@" ../tests/rtl/test_board.c ../tests/rtl/board_trap.c $sources -o "$out" -lm -lpthread 2>"$out.log" ||
        { cat "$out.log"; exit 1; }
}
build aarch64-linux-gnu-gcc "$scratch/test_board-aarch64"
build arm-linux-gnueabihf-gcc "$scratch/test_board-armv7" -march=armv7-a -mfpu=neon -marm
cd "$scratch"
/usr/bin/python3 "$BNN_SOURCE/tests/rtl/board.py" qemu-aarch64 ./test_board-aarch64 "$1"
/usr/bin/python3 "$BNN_SOURCE/tests/rtl/board.py" qemu-arm -cpu cortex-a9 ./test_board-armv7 "$1"
