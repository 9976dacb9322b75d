/* avx512_sums.h -- first layers on 8-bit pictures by tables of sums, for avx512.c. */
#ifndef BNN_KERNEL_AVX512_SUMS_H
#define BNN_KERNEL_AVX512_SUMS_H

#include "kernel/kernel.h"

/* True for units on 8-bit inputs with 1-bit weights and thresholds whose sums fit 16 bits. */
bool bnn_avx512_sums_takes(const bnn_mvtu *m);

extern const bnn_unit bnn_avx512_sums;

#endif
