/* kernel.c -- the levels, and the staircase that fills a table for one of them. */
#include "kernel/kernel.h"
#include "kernel/cpu.h"

#if defined(__x86_64__)
#define X86(init) init
#else
#define X86(init) NULL
#endif
#if defined(__aarch64__) || defined(__arm__)
#define ARM(init) init
#else
#define ARM(init) NULL
#endif

/* Weakest first. A level overrides what the levels before it have, so a
 * missing kernel falls through to the step below. */
static const bnn_level level[] = {
    { "scalar", "portable C, the reference", 0, bnn_kernels_init_scalar },
    { "avx2", "256-bit look-up population counts", BNN_CPU_AVX2, X86(bnn_kernels_init_avx2) },
    { "avx512", "512-bit population counts, int8 dot products for 8-bit inputs", BNN_CPU_AVX512, X86(bnn_kernels_init_avx512) },
    { "amx", "int8 tiles beside avx512", BNN_CPU_AMX, X86(bnn_kernels_init_amx) },
    { "neon", "128-bit population counts of ARM", BNN_CPU_NEON, ARM(bnn_kernels_init_neon) },
};
enum { LEVELS = sizeof level / sizeof *level };

const bnn_level *bnn_level_at(size_t index)
{
    return index < LEVELS ? &level[index] : NULL;
}

const char *bnn_level_missing(const bnn_level *l)
{
    const char *why = l->flag ? bnn_cpu_missing(l->flag) : NULL;
    return why || l->init ? why : "not in this build";
}

void bnn_kernels_init(bnn_kernels *k, const bnn_level *upto)
{
    for (const bnn_level *l = level; l <= upto; l++)
        if (l->init)
            l->init(k);
}
