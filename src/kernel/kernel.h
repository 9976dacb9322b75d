/* kernel.h -- the inner loops, as a table of functions.
 *
 * Kernels see plain pointers and sizes, never a network. scalar.c defines what
 * each one computes; every other file must agree with it bit for bit.
 *
 * Operands. A pixel (or a flat vector) of C values is C bits in 64-bit words,
 * `planes` planes one after the other: plane 0 the sign (1 = +1), and for
 * ternary plane 1 "nonzero". Padding bits are 0 in both planes of ternary and
 * in the sign of binary operands; x ^ w is 0 there, so they never differ.
 * A window is `runs` runs of contiguous words (the kernel's rows in the map).
 */
#ifndef BNN_KERNEL_KERNEL_H
#define BNN_KERNEL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* One window of a map: `runs` runs of `run` elements, `stride` elements apart.
 * Elements are 64-bit groups of `planes` words for bits, bytes for 8-bit input. */
typedef struct bnn_window {
    size_t runs, run, stride;
    int32_t bits; /* MW: synapses that are not padding */
} bnn_window;

/* acc[r] = sum over all synapses s of x[s] * w[r][s], r < rows. Weight rows
 * follow one another in the same order of runs, without gaps. */
#define BNN_DECL_DOT_BITS(name) \
    void(name)(int32_t *acc, const uint64_t *x, const uint64_t *w, const bnn_window *win, size_t rows)
#define BNN_DECL_DOT_BYTES(name) \
    void(name)(int32_t *acc, const int8_t *x, const int8_t *w, const bnn_window *win, size_t rows)
typedef BNN_DECL_DOT_BITS(*bnn_dot_bits_fn);
typedef BNN_DECL_DOT_BYTES(*bnn_dot_bytes_fn);

/* Activations of `rows` sums: planes of ceil(rows / 64) words, interleaved as above. */
#define BNN_DECL_THRESHOLD(name) \
    void(name)(uint64_t *out, const int32_t *acc, const int32_t *threshold, size_t rows)
typedef BNN_DECL_THRESHOLD(*bnn_threshold_fn);

/* out = elementwise maximum of four groups of `words` words (each `planes` planes). */
#define BNN_DECL_POOL(name) \
    void(name)(uint64_t *out, const uint64_t *a, const uint64_t *b, const uint64_t *c, const uint64_t *d, size_t words)
typedef BNN_DECL_POOL(*bnn_pool_fn);

/* Bit i of out = (v[i] >= level[i * step]), step 0 or 1; `level` up to 256 when step is 0. */
#define BNN_DECL_PACK(name) \
    void(name)(uint64_t *out, const uint8_t *v, const uint16_t *level, size_t step, size_t n)
typedef BNN_DECL_PACK(*bnn_pack_fn);

typedef struct bnn_kernels {
    const char      *name;
    bnn_dot_bits_fn  dot[3][3];    /* [input planes][weight planes], 1 or 2 */
    bnn_dot_bytes_fn dot_bytes;
    bnn_threshold_fn threshold[3]; /* [1 or 2 thresholds] */
    bnn_pool_fn      pool[3];      /* [planes] */
    bnn_pack_fn      pack;
} bnn_kernels;

void bnn_kernels_init_scalar(bnn_kernels *k);

#endif
