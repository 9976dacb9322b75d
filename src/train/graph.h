/* graph.h -- the float graph: a trained network with its weights and statistics frozen.
 *
 * This is what training is judged by, what checkpoints keep for `bnn verify
 * --against`, and what fold.c turns into integer thresholds.
 */
#ifndef BNN_TRAIN_GRAPH_H
#define BNN_TRAIN_GRAPH_H

#include "train/model.h"

typedef struct bnn_graph_layer {
    int8_t *weights;             /* [MH][MW]: -1, 0, +1; NULL of a maxpool */
    float  *mean, *scale, *beta; /* [MH]: z = (acc - mean) * scale + beta; of the scores: logit = scale[0] * acc */
} bnn_graph_layer;

typedef struct bnn_graph {
    bnn_topology     topology;
    bnn_graph_layer *layer; /* [topology.layers] */
} bnn_graph;

int  bnn_graph_new(bnn_graph *out, const bnn_topology *t, bnn_error *err);
void bnn_graph_free(bnn_graph *g);
void bnn_graph_copy(bnn_graph *to, const bnn_graph *from); /* of the same topology */
void bnn_graph_take(bnn_graph *g, const bnn_model *m);     /* the model as it stands */
void bnn_graph_put(bnn_model *m, const bnn_graph *g);      /* for passes of BNN_FROZEN */

/* fold.c: the network of integer thresholds with the same answers; `rule` is
 * copied. Still to be finished: names, texts (bnn_network_finish). ENOMEM. */
int bnn_fold(bnn_network **out, const bnn_graph *g, const bnn_rule *rule, uint32_t classes, bnn_error *err);

/* Threshold of one neuron: the least t with |t| <= limit + 1 such that every
 * acc of -limit .. limit has  z(sign * acc) >= step  exactly when acc >= t.
 * `sign` is +1, or -1 for a neuron whose weights are to be flipped. */
int32_t bnn_fold_threshold(float mean, float scale, float beta, float step, int sign, int32_t limit);

#endif
