/* lookup.h -- the weight layout of the levels that look sums up: a neuron a byte, four synapses a look-up.
 *
 * What four inputs add to a neuron depends on its four weights alone, so each
 * four inputs choose a table of 16 bytes, and a byte shuffle looks 32 neurons
 * up in it at once, by their weights:
 *
 *     weights  [group of 32 neurons][plane][look-up][neuron] of 8 bits, 0..15
 *
 * With d differing positions and n inputs that are not zero, of those four:
 *
 *     input      table                        entry
 *     1 bit      by 4 bits                    d
 *     ternary    by 4 signs and 4 nonzeros    2 d - n + 4
 *
 * A ternary weight w is the half sum of two of one bit, so its neuron has two
 * planes: a = (w >= 0), b = (w > 0). All entries of a unit sum up to v:
 *
 *     input, weights       sum of the unit
 *     1 bit, 1 bit         (2 MW - 4 v) / 2
 *     1 bit, ternary       (2 MW - 2 v) / 2
 *     ternary, 1 bit       (8 q - 2 v) / 2      q look-ups a plane
 *     ternary, ternary     (8 q - v) / 2
 *
 * that is (base - factor v) / 2; "sum >= threshold" is v <= bound.
 */
#ifndef BNN_KERNEL_LOOKUP_H
#define BNN_KERNEL_LOOKUP_H

#include "kernel/kernel.h"

enum { BNN_LOOKUP_LANES = 32, BNN_LOOKUP_TABLE = 16 }; /* neurons a vector; bytes a table */

extern const uint8_t bnn_lookup_bits[256 * 2 * BNN_LOOKUP_TABLE]; /* by eight inputs: two tables */
extern const uint8_t bnn_lookup_ternary[256 * BNN_LOOKUP_TABLE];  /* by four signs, four nonzeros << 4 */

typedef struct bnn_lookup {
    uint32_t       groups;
    uint32_t       pixel;  /* bytes of one plane of a pixel that hold channels: two look-ups each */
    uint32_t       run;    /* of a window's row: kw x pixel */
    uint32_t       chunks; /* of a neuron */
    int32_t        base, factor;
    size_t         group;  /* bytes of a group of weights */
    const int32_t *bound;  /* [2][groups x 32] fires when v <= bound; [0] the smaller of two */
    const int16_t *near;   /* [2][groups][2][16] the same where v has 16 bits: even neurons, then odd */
    const uint8_t *weights;
} bnn_lookup;

/* Pairs of look-ups whose entries, up to 4 (of ternary inputs up to 8), a byte can sum. A row of a window is cut so. */
static inline uint32_t bnn_lookup_chunk(uint32_t in_planes) { return in_planes == 2 ? 15 : 31; }

static inline bnn_lookup bnn_lookup_of(const bnn_mvtu *m)
{
    const uint32_t groups = (m->MH + BNN_LOOKUP_LANES - 1) / BNN_LOOKUP_LANES, pixel = (m->in_channels + 7) / 8;
    const uint32_t run = m->kw * pixel, most = bnn_lookup_chunk(m->in_planes);
    const size_t rows = (size_t)groups * BNN_LOOKUP_LANES, lookups = 2 * (size_t)m->kh * m->kw * pixel;
    const uint8_t *at = m->weights;
    return (bnn_lookup){
        .groups = groups,
        .pixel  = pixel,
        .run    = run,
        .chunks = m->weight_planes * m->kh * ((run + most - 1) / most),
        .base   = (int32_t)(m->in_planes == 1 ? 2 * m->MW : 8 * lookups),
        .factor = (m->in_planes == 1 ? 4 : 2) / (int32_t)m->weight_planes,
        .group  = m->weight_planes * lookups * BNN_LOOKUP_LANES,
        .bound  = (const int32_t *)(const void *)at,
        .near   = (const int16_t *)(const void *)(at + 8 * rows),
        .weights = at + 12 * rows,
    };
}

/* The bodies of weight_size and weight_pack, for inputs of bits. */
size_t bnn_lookup_size(const bnn_mvtu *m);
void   bnn_lookup_pack(void *out, const bnn_mvtu *m, const uint64_t *natural);

#endif
