/* folding.h -- how much hardware each layer gets, and who is where in it.
 *
 * The letters of the field, for one layer:
 *
 *     MW    matrix width: synapses of a neuron, here padded to a multiple of SIMD
 *     MH    matrix height: neurons, here padded to a multiple of PE
 *     SIMD  synapses that a processing element takes in one cycle
 *     PE    processing elements: neurons worked on in parallel
 *     SF    synapse fold, MW / SIMD: cycles for one set of PE neurons
 *     NF    neuron fold, MH / PE: such sets
 *     WMEM  words of SIMD weights in each PE's weight memory, NF x SF
 *     TMEM  entries of each PE's threshold memory, NF (times the thresholds a neuron has)
 *
 *     neuron  n = nf * PE + p       word       w = nf * SF + sf of PE p
 *     synapse s = sf * SIMD + i     threshold  t = nf * nTH + k of PE p
 *
 * Text form, one line a layer with weights, in their order ('#' starts a comment):
 *
 *     pe 16 simd 32
 *
 * Folding is a property of hardware and of BNN-PYNQ's files, never of a network.
 */
#ifndef BNN_NET_FOLDING_H
#define BNN_NET_FOLDING_H

#include "net/topology.h"

typedef struct bnn_fold {
    uint32_t PE, SIMD;
    uint32_t MW, MH; /* padded */
    uint32_t SF, NF, WMEM, TMEM;
} bnn_fold;

/* One entry a layer of the topology; zero for pools. */
typedef struct bnn_folding {
    uint32_t layers;
    bnn_fold layer[BNN_MAX_LAYERS];
} bnn_folding;

/* Where a weight or a threshold lies. */
typedef struct bnn_place { uint32_t pe, word, lane; } bnn_place;

static inline bnn_place bnn_place_of_weight(const bnn_fold *f, uint32_t neuron, uint32_t synapse)
{
    return (bnn_place){ neuron % f->PE, neuron / f->PE * f->SF + synapse / f->SIMD, synapse % f->SIMD };
}

static inline bnn_place bnn_place_of_threshold(const bnn_fold *f, uint32_t neuron, uint32_t k, uint32_t nTH)
{
    return (bnn_place){ neuron % f->PE, neuron / f->PE * nTH + k, 0 };
}

static inline uint32_t bnn_neuron_at(const bnn_fold *f, uint32_t pe, uint32_t word) { return word / f->SF * f->PE + pe; }
static inline uint32_t bnn_synapse_at(const bnn_fold *f, uint32_t word, uint32_t lane) { return word % f->SF * f->SIMD + lane; }

/* Fills the derived letters for a layer of MW x MH. PE from 1 to MH and SIMD
 * from 1 to MW, whether they divide or not (the matrix is padded). ESHAPE. */
int bnn_fold_set(bnn_fold *out, const bnn_layer *l, uint32_t pe, uint32_t simd, bnn_error *err);

/* Cycles a frame: NF x SF for each output position. */
uint64_t bnn_fold_cycles(const bnn_fold *f, const bnn_layer *l);

/* EINVAL or ESHAPE with "folding line N: ...". */
int    bnn_folding_parse(bnn_folding *out, const bnn_topology *t, const char *text, size_t size, bnn_error *err);
size_t bnn_folding_print(const bnn_folding *f, char *out, size_t size); /* as snprintf */

#endif
