/* unit.h -- the units of an overlay: what a layer with weights looks like in hardware.
 *
 * A unit (rtl/bnn_mvtu.v) takes vectors of `groups` x CF words of SIMD lanes:
 * a dense layer has one group; a K x K window K x K groups, its pixels; a
 * dense layer on a map one group a pixel. A group's `channels` lanes that
 * count are followed by padding up to CF x SIMD.
 *
 * What a unit sums (rtl/bnn_agree.v) is the signed dot product, shifted:
 *
 *     8-bit inputs              sum = dot
 *     weights and inputs 1 bit  sum = (MW + dot) / 2      lanes that agree
 *     any of them ternary       sum = lanes + dot         padding counts 1
 *
 * Padding adds nothing to `dot` because it is loaded so: 1-bit lanes beside
 * zeros are 1, ternary ones 0, and rows beyond MH never fire (give 0 when
 * ternary). Thresholds are shifted likewise and cut to what a sum can reach.
 */
#ifndef BNN_NET_UNIT_H
#define BNN_NET_UNIT_H

#include "net/folding.h"
#include "net/network.h"

typedef struct bnn_unit {
    uint32_t layer;                     /* of the topology */
    uint32_t groups, channels;          /* of a vector */
    uint32_t SIMD, PE, CF, SF, NF;      /* SF = groups x CF */
    uint32_t MH;                        /* neurons that are not padding */
    uint32_t input_bits, weight_bits, thresholds;
    uint32_t sum_bits;                  /* of a sum and of a threshold */
    uint32_t out_bits;                  /* of an output lane: 1, 2, or a score's 16 or 32 */
    uint64_t vectors;                   /* a frame */
} bnn_unit;

typedef struct bnn_units {
    uint32_t count;
    bnn_unit unit[BNN_MAX_LAYERS];
} bnn_units;

/* ESHAPE when a folding does not fit (SIMD of a convolution is at most its channels). */
int bnn_units_set(bnn_units *out, const bnn_topology *t, const bnn_folding *f, bnn_error *err);

/* Cycles a frame at full rate. */
static inline uint64_t bnn_unit_cycles(const bnn_unit *u) { return u->vectors * u->SF * u->NF; }

/* The memories of a unit: weights SF x NF rows of PE lanes, each `parts` words
 * of at most 64 bits; thresholds NF rows of PE lanes of `thresholds` words. */
static inline uint32_t bnn_unit_lane_bits(const bnn_unit *u) { return u->SIMD * u->weight_bits; }
static inline uint32_t bnn_unit_parts(const bnn_unit *u) { return (bnn_unit_lane_bits(u) + 63) / 64; }
static inline uint32_t bnn_unit_part_bits(const bnn_unit *u)
{
    return (bnn_unit_lane_bits(u) + bnn_unit_parts(u) - 1) / bnn_unit_parts(u);
}

/* Words as the configuration bus carries them. A layer of fewer rows than the
 * unit was built for leaves the rest as padding. */
uint64_t bnn_unit_weight_word(const bnn_unit *u, const bnn_layer *l, const bnn_matrix *m, uint32_t pe, uint32_t row, uint32_t part);
uint64_t bnn_unit_threshold_word(const bnn_unit *u, const bnn_layer *l, const bnn_matrix *m, uint32_t pe, uint32_t fold, uint32_t k);

/* Dot product of a sum as it comes out of a unit (out_bits wide). */
int32_t bnn_unit_dot(const bnn_unit *u, const bnn_layer *l, uint32_t sum);

#endif
