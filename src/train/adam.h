/* adam.h -- Adam (Kingma and Ba, 2015) without weight decay. */
#ifndef BNN_TRAIN_ADAM_H
#define BNN_TRAIN_ADAM_H

#include "base/thread.h"

#include <stddef.h>
#include <stdint.h>

/* Parameters with their two moments. */
typedef struct bnn_adam {
    float *value, *m, *v; /* [size] */
    size_t size;
} bnn_adam;

int  bnn_adam_new(bnn_adam *a, size_t size, bnn_error *err); /* zeroed */
void bnn_adam_free(bnn_adam *a);

/* What all parameters share in one step. */
typedef struct bnn_adam_step {
    float rate;  /* learning rate with both bias corrections */
    float floor; /* added to the root of v */
} bnn_adam_step;

/* Step t = 1, 2, ... */
bnn_adam_step bnn_adam_at(uint64_t t, float learning_rate);

/* value -= rate * m / (sqrt(v) + floor), then clipped to [low, high]. The
 * gradient is the sum of `parts` arrays, `stride` floats apart, added in order. */
void bnn_adam_update(const bnn_adam_step *step, bnn_adam *a, size_t first, size_t count, const float *gradient,
                     size_t parts, size_t stride, float low, float high);

#endif
