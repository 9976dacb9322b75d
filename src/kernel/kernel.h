/* kernel.h -- the inner loops, as a table of functions.
 *
 * Kernels see plain pointers and sizes, never a network. scalar.c defines what
 * each one computes; every other file must agree with it bit for bit, and
 * tests/kernel holds them to it. To add a level: write src/kernel/NAME.c that
 * exports bnn_kernels_init_NAME and overrides what it does better, add a row
 * to the table in kernel.c, a flag to cpu.h, and the file's compiler flags to
 * CMakeLists.txt.
 *
 * Operands. A pixel of C values is `planes` planes of ceil(C / 64) words:
 * plane 0 the sign (1 = +1), and for ternary plane 1 "nonzero"; plane 0 is 0
 * where plane 1 is. All padding bits are 0. Maps are [y][x][plane][word]; a
 * flat vector is a 1 x 1 map; 8-bit input is int8 [y][x][channel]. All levels
 * read and write this form; how weights lie in memory is each level's own.
 */
#ifndef BNN_KERNEL_KERNEL_H
#define BNN_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A matrix-vector-threshold unit: a dense layer or a valid convolution, stride 1.
 * A dense layer is a window as large as its map. */
typedef struct bnn_mvtu {
    uint32_t in_height, in_width, in_channels;
    uint32_t in_planes;     /* 1 or 2; 0 = 8-bit input */
    uint32_t kh, kw;        /* window */
    uint32_t out_height, out_width;
    uint32_t MW, MH;        /* MW = kh * kw * in_channels, the true synapses */
    uint32_t weight_planes; /* 1 or 2 */
    uint32_t thresholds;    /* a neuron; 0 = int32 sums are the output */
    const void    *weights;   /* as weight_pack made them */
    const int32_t *threshold; /* [MH][thresholds], each within +-2^30 */
} bnn_mvtu;

static inline size_t bnn_plane_words(uint32_t channels) { return (channels + 63u) / 64u; }

/* Bytes of one pixel of the input and output maps. */
static inline size_t bnn_mvtu_in_pixel(const bnn_mvtu *m)
{
    return m->in_planes ? m->in_planes * bnn_plane_words(m->in_channels) * 8 : m->in_channels;
}

static inline size_t bnn_mvtu_out_pixel(const bnn_mvtu *m)
{
    return m->thresholds ? m->thresholds * bnn_plane_words(m->MH) * 8 : m->MH * (size_t)4;
}

/* Bytes of one image of the input and output maps. */
static inline size_t bnn_mvtu_in_size(const bnn_mvtu *m)
{
    return (size_t)m->in_height * m->in_width * bnn_mvtu_in_pixel(m);
}

static inline size_t bnn_mvtu_out_size(const bnn_mvtu *m)
{
    return (size_t)m->out_height * m->out_width * bnn_mvtu_out_pixel(m);
}

/* The fastest that this processor runs one schedule of operations, from
 * registers: what a level's kernels are measured against. */
typedef struct bnn_peak {
    const char *name;                 /* NULL ends the list */
    uint64_t  (*run)(uint64_t rounds); /* returns the multiply-accumulates done */
} bnn_peak;

/* One way of computing units, with its own packing of their weights. */
typedef struct bnn_unit {
    /* Bytes that weight_pack writes, and the packing itself, from natural rows
     * (net/network.h) and m->threshold: once, when a runtime opens. `out` is
     * aligned to 64 bytes. */
    size_t (*weight_size)(const bnn_mvtu *m);
    void   (*weight_pack)(void *out, const bnn_mvtu *m, const uint64_t *natural);

    /* Bytes of working memory that mvtu wants, aligned to 64; contents mean nothing between calls. */
    size_t (*scratch_size)(const bnn_mvtu *m);

    /* y = the unit applied to `images` maps x, one after another. With
     * thresholds: values of net/network.h, as planes; else int32 [y][x][MH]. */
    void (*mvtu)(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch);
} bnn_unit;

typedef struct bnn_kernels {
    const char *name;

    bnn_unit unit;  /* of any shape */
    bnn_unit tiles; /* of those shapes that `takes` accepts; takes == NULL: none */
    bool   (*takes)(const bnn_mvtu *m);

    /* out = maximum over each 2 x 2 of a map of height x width pixels of `planes` planes of `words` words. */
    void (*maxpool)(uint64_t *out, const uint64_t *map, uint32_t height, uint32_t width, uint32_t planes, size_t words);

    /* Bit i of out = (v[i] >= level), level 0..256, or (v[i] >= table[i]) when table is not NULL; padding 0. */
    void (*pack)(uint64_t *out, const uint8_t *v, unsigned level, const uint8_t *table, size_t n);

    /* Reads memory front to back, for measuring it; `bytes` is a multiple of 64. */
    void (*read)(const void *data, size_t bytes);

    const bnn_peak *peaks; /* of this level; the first is the one its kernels aim at */
} bnn_kernels;

static inline const bnn_unit *bnn_unit_for(const bnn_kernels *k, const bnn_mvtu *m)
{
    return k->takes && k->takes(m) ? &k->tiles : &k->unit;
}

/* A level: the kernels for one instruction set. */
typedef struct bnn_level {
    const char *name, *summary;
    unsigned    flag; /* of cpu.h; 0 = runs anywhere */
    void      (*init)(bnn_kernels *k); /* overrides what it does better; NULL = not in this build */
} bnn_level;

/* Walks the levels, weakest first; NULL past the end. */
const bnn_level *bnn_level_at(size_t index);
/* NULL when this processor runs the level, else why not. */
const char *bnn_level_missing(const bnn_level *level);
/* Fills k for a level that is not missing: the staircase from scalar up to it. */
void bnn_kernels_init(bnn_kernels *k, const bnn_level *level);

/* One per instruction-set file; the only symbol that file exports. */
void bnn_kernels_init_scalar(bnn_kernels *k);
void bnn_kernels_init_avx2(bnn_kernels *k);
void bnn_kernels_init_avx512(bnn_kernels *k);
void bnn_kernels_init_amx(bnn_kernels *k);
void bnn_kernels_init_neon(bnn_kernels *k);

#endif
