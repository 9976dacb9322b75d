/* compare.h -- holding an integer network to the float graph it was folded from. */
#ifndef BNN_TRAIN_COMPARE_H
#define BNN_TRAIN_COMPARE_H

#include "train/trainer.h"

/* `read` gives images [n] of the network's input shape. */
int bnn_compare(bnn_train_comparison *out, const bnn_network *net, const bnn_graph *g, const char *maths, bnn_pool *pool,
                int (*read)(void *context, size_t first, size_t n, uint8_t *images, bnn_error *err), void *context,
                size_t count, bnn_error *err);

#endif
