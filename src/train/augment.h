/* augment.h -- random changes of a training picture, made before it is quantised.
 *
 * Text form, words separated by blanks or commas:
 *
 *     none                no change
 *     shift=N             up to N pixels in each direction
 *     rotate=DEGREES      up to so much either way
 *     scale=PERCENT       larger or smaller by up to so much
 *     flip                left and right exchanged, half of the time
 *     light=PERCENT       more or less contrast, brighter or darker, each by up to so much
 *
 * The output is a window in the picture, which may be larger: without change
 * its centre. What comes in over an edge repeats the edge's pixel.
 */
#ifndef BNN_TRAIN_AUGMENT_H
#define BNN_TRAIN_AUGMENT_H

#include "base/error.h"
#include "train/random.h"

#include <stdbool.h>

typedef struct bnn_augment {
    uint32_t shift, rotate, scale, light;
    bool     flip;
} bnn_augment;

int    bnn_augment_parse(bnn_augment *out, const char *text, bnn_error *err); /* EINVAL */
size_t bnn_augment_print(const bnn_augment *a, char *out, size_t size);       /* as snprintf */
/* `from` is at least as large as `to`, and of its channels. */
void   bnn_augment_apply(const bnn_augment *a, bnn_random *r, bnn_shape from, const uint8_t *in, bnn_shape to, uint8_t *out);

#endif
