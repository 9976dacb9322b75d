/* avx2_bytes.h -- the units of 8-bit inputs, for avx2.c. */
#ifndef BNN_KERNEL_AVX2_BYTES_H
#define BNN_KERNEL_AVX2_BYTES_H

#include "kernel/kernel.h"

extern const bnn_unit bnn_avx2_bytes;

#endif
