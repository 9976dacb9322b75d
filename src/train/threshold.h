/* threshold.h -- thresholds of a 1-bit input, one a pixel, learned with the weights.
 *
 * Of a rule with a table (`threshold table` or `scaled`) each entry is a
 * parameter: forward it is the integer that is deployed, backward the bit's
 * staircase counts as a slope of half-width BNN_THRESHOLD_REACH:
 *     d loss / d threshold = -sum over images of d loss / d bit, where |v - threshold| <= reach
 */
#ifndef BNN_TRAIN_THRESHOLD_H
#define BNN_TRAIN_THRESHOLD_H

#include "net/rule.h"
#include "train/model.h"

enum { BNN_THRESHOLD_REACH = 64 };

typedef struct bnn_thresholds {
    bnn_adam latent;      /* [pixels of an image] the table / 255; size 0 = nothing is learned */
    uint8_t *pixels;      /* [batch][size] the images of this batch */
    float   *gradient;    /* [size] */
    uint8_t *last, *best; /* tables of whole epochs */
} bnn_thresholds;

/* A table to start from: of `table` a dither in four steps, of `scaled` the mean itself. ENOMEM. */
int  bnn_thresholds_start(bnn_rule *rule, bnn_error *err);

/* Nothing, of a rule without a table; else has the model give the gradient of its input. ENOMEM. */
int  bnn_thresholds_new(bnn_thresholds *t, const bnn_rule *rule, bnn_model *m, bnn_error *err);
void bnn_thresholds_free(bnn_thresholds *t);

/* One step, after a backward pass over the n images in t->pixels; sets the rule's table. */
void bnn_thresholds_update(bnn_thresholds *t, bnn_rule *rule, bnn_model *m, size_t n, float learning_rate);
/* Latents to the rule's table. */
void bnn_thresholds_quantise(const bnn_thresholds *t, bnn_rule *rule);

#endif
