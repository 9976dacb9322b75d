/* split.h -- the images of a training run, and which of them are kept out for validation. */
#ifndef BNN_TRAIN_SPLIT_H
#define BNN_TRAIN_SPLIT_H


#include "net/rule.h"

/* Images of one shape in memory, with labels. */
typedef struct bnn_samples {
    uint8_t  *images; /* [count][size] */
    uint16_t *labels;
    size_t    count, size;
    bnn_shape shape;
} bnn_samples;

/* All images of a set. EINVAL when one has no label, or there are none; ESHAPE
 * when they are neither of the rule's input shape nor of its size before the crop. */
int  bnn_samples_read(bnn_samples *out, const bnn_dataset *set, const bnn_rule *rule, bnn_error *err);
void bnn_samples_free(bnn_samples *s);
/* The centre of an image, as the input rule takes it. */
void bnn_samples_centre(bnn_shape from, const uint8_t *in, bnn_shape to, uint8_t *out);
/* All images cut down to that. ENOMEM. */
int  bnn_samples_crop(bnn_samples *s, bnn_shape to, bnn_error *err);

/* Moves `count` images into `kept`: of a set sorted by class (folders) the
 * last of each class in proportion, else the last of all. With `groups` (a
 * number less than s->count for each image, else NULL) about as many, in whole
 * groups that are evenly spread. EINVAL when fewer than one would be left to
 * train with, or none kept out. */
int bnn_samples_keep_out(bnn_samples *s, bnn_samples *kept, size_t count, const uint32_t *groups, bnn_error *err);

/* SHA-256 over shape, images and labels in order, as 64 hexadecimal digits. */
void bnn_samples_digest(const bnn_samples *s, char out[65]);

#endif
