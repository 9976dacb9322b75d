/* split.h -- the images of a training run, and which of them are kept out for validation. */
#ifndef BNN_TRAIN_SPLIT_H
#define BNN_TRAIN_SPLIT_H

#include "base/error.h"

#include <stdbool.h>

/* Images of one shape in memory, with labels. */
typedef struct bnn_samples {
    uint8_t  *images; /* [count][size] */
    uint16_t *labels;
    size_t    count, size;
} bnn_samples;

/* All images of a set. EINVAL when one has no label, or there are none; ESHAPE
 * when they are not of `shape`. */
int  bnn_samples_read(bnn_samples *out, const bnn_dataset *set, bnn_shape shape, bnn_error *err);
void bnn_samples_free(bnn_samples *s);

/* Moves `count` images into `kept`: of a set sorted by class (folders) the
 * last of each class in proportion, else the last of all. EINVAL when fewer
 * than one would be left to train with. */
int bnn_samples_keep_out(bnn_samples *s, bnn_samples *kept, size_t count, bnn_error *err);

/* SHA-256 over shape, images and labels in order, as 64 hexadecimal digits. */
void bnn_samples_digest(const bnn_samples *s, char out[65]);

#endif
