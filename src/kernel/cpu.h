/* cpu.h -- what this processor and its operating system can run. */
#ifndef BNN_KERNEL_CPU_H
#define BNN_KERNEL_CPU_H

enum bnn_cpu_flags {
    BNN_CPU_AVX2   = 1 << 0, /* AVX2, BMI2, POPCNT: Haswell, Zen and later */
    BNN_CPU_AVX512 = 1 << 1, /* F/BW/DQ/VL + VNNI, BITALG, VPOPCNTDQ: Ice Lake, Zen 4 and later */
    BNN_CPU_AMX    = 1 << 2, /* TILE + INT8 beside AVX512: Sapphire Rapids and later */
    BNN_CPU_NEON   = 1 << 3, /* Advanced SIMD: all of AArch64; ARMv7-A such as the Cortex-A9 of a Zynq-7020 */
};

/* NULL when instructions of `flag` (one of them) may be used: the processor has them and
 * the operating system keeps their registers. Else why not, as static text.
 * For AMX this asks the kernel for permission, which lasts as long as the process. */
const char *bnn_cpu_missing(unsigned flag);

#endif
