/* lasagne.h -- trained archives of BNN-PYNQ's Theano and Lasagne scripts.
 *
 * Arrays arr_0, arr_1, ... in the order of get_all_param_values: for each layer
 * with weights W, b, beta, gamma, mean, inv_std. W is (in, out) of a dense
 * layer and (out, in, ky, kx) of a convolution. The last layer may lack b, and
 * its norm may be one for all classes. The graph that was trained is, with
 * inputs and activations as the integer network has them:
 *
 *     acc -> maximum over the pool, if one follows
 *         -> z = ((acc + b) - mean) * (gamma * inv_std) + beta     (the batch norm)
 *         -> a1: z >= 0;  a2: -1 + (z >= -0.5) + (z >= 0.5);  nothing after the last layer
 *
 * where the 8-bit input q counts as q / 128. Weights are quantised to w >= 0
 * (w1), or to floor(w + 0.5) within -1..1 (w2).
 *
 *     lasagne.c        reading an archive, and the exact fold
 *     lasagne_write.c  writing one
 *     finnthesizer.c   the original's converter
 */
#ifndef BNN_FORMAT_LASAGNE_H
#define BNN_FORMAT_LASAGNE_H

#include "format/npz.h"
#include "format/pynq.h"

/* In the order of the archive. */
enum { BNN_NORM_BIAS, BNN_NORM_BETA, BNN_NORM_GAMMA, BNN_NORM_MEAN, BNN_NORM_INV_STD, BNN_NORM_ARRAYS };

typedef struct bnn_lasagne_layer {
    const bnn_layer *shape;  /* in the topology; MH of the last layer is the archive's number of classes */
    bool             pooled; /* a maxpool follows */
    const double    *W;
    const double    *norm[BNN_NORM_ARRAYS]; /* bias may be NULL */
    bool             one[BNN_NORM_ARRAYS];  /* that array is one number for all rows */
} bnn_lasagne_layer;

typedef struct bnn_lasagne {
    bnn_npz           npz;      /* owns the numbers */
    bnn_topology      topology;
    bool              is_overlay;
    bnn_pynq_overlay  overlay;  /* when the topology is one of BNN-PYNQ's */
    char             *names;    /* text of the file of class names, lines joined by LF; NULL = not given */
    uint32_t          layers;   /* those with weights */
    bnn_lasagne_layer layer[BNN_MAX_LAYERS];
} bnn_lasagne;

typedef struct bnn_norm { double bias, beta, gamma, mean, inv_std; } bnn_norm;

bnn_norm bnn_lasagne_norm(const bnn_lasagne_layer *l, uint32_t row);
double   bnn_lasagne_weight(const bnn_lasagne_layer *l, uint32_t row, uint32_t synapse);

/* finnthesizer.c: the network of the folder that the original's converter
 * writes. `path` is for messages. EINVAL when the topology is no overlay,
 * ECORRUPT, ENOMEM. */
int bnn_finnthesize(bnn_network **out, const bnn_lasagne *a, const char *path, bnn_error *err);

#endif
