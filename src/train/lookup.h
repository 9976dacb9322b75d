/* lookup.h -- products of small integers with -1 and +1, by looking up sums.
 *
 * Sixteen numbers q have 4 groups of 4: group j is q[j], q[4 + j], q[8 + j],
 * q[12 + j]. Four signs make 16 sums of a group, which must be bytes, |sum| <=
 * 127; a table of 64 bytes holds every sum of every group, and one vpermb
 * reads 64 of them: those that 16 columns of signs want. A second instruction adds each
 * column's four. That is 256 products in two instructions, some three times as
 * many as 8-bit products make (docs/training.md), and the sums are exact.
 *
 *     C[m][n] = sum over k of q[m][k] s[k][n]
 *
 * q comes as tables: for each m and 16 k one; s as indices into them: for each
 * 16 k and 64 n a block of 256 bytes. Other small integers are sums of signs:
 * -1, 0, +1 is half the sum of two, 8-bit input is a sum of nine (planes).
 *
 * Needs AVX-512 with VBMI and VNNI.
 */
#ifndef BNN_TRAIN_LOOKUP_H
#define BNN_TRAIN_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BNN_LOOKUP_SUM     = 127, /* |q| of a group, added, at most */
    BNN_LOOKUP_DEPTH   = 16,  /* k of a table and of a block */
    BNN_LOOKUP_TABLE   = 64,  /* bytes */
    BNN_LOOKUP_ROWS    = 4,   /* m of one call, at most */
    BNN_LOOKUP_COLUMNS = 64,  /* n of a block */
    BNN_LOOKUP_BLOCK   = 256, /* bytes */
    BNN_LOOKUP_PLANES  = 9,   /* at most */
};

/* Whether this processor runs the functions below. */
bool bnn_lookup_works(void);

/* Integers are a sum of planes of signs, each times its weight. */
typedef struct bnn_lookup_plane { int shape; float weight; } bnn_lookup_plane;

/* The planes of values of `bits`: 1 (-1, +1), 2 (-1, 0, +1) or 8 (int8); their number. */
size_t bnn_lookup_planes(bnn_lookup_plane out[BNN_LOOKUP_PLANES], uint32_t bits);

/* One block from 16 rows of `columns` (at most 64) values. */
void bnn_lookup_block(uint8_t *out, const int8_t *const row[16], size_t columns, int shape);

/* Tables of `count` runs of 16 neighbouring q: out[count]. */
void bnn_lookup_tables(uint8_t *out, const int8_t *q, size_t count);

/* Tables of 16 rows of 64 q, one for each of the 64 columns; column c's goes to
 * out + c / 4 * tile + c % 4 * 64. */
void bnn_lookup_tables_down(uint8_t *out, size_t tile, const int8_t *q, size_t stride);

/* Where the operands of one tile lie. The sum runs over `segments` x `steps`
 * tables of 16 k; strides in bytes. */
typedef struct bnn_lookup_tile {
    const uint8_t *tables; size_t table_row, table_step; ptrdiff_t table_segment;
    const uint8_t *blocks; size_t block_segment; /* a step is BNN_LOOKUP_BLOCK */
    size_t segments, steps;
} bnn_lookup_tile;

/* c[rows][columns] = sum * scale, or += where `add`; rows at most 4, columns at most 64. */
void bnn_lookup_product(const bnn_lookup_tile *t, size_t rows, size_t columns, float *c, size_t ldc, float scale, bool add);

#endif
