/* input.h -- the values half of the input rule, as numbers: what the first layer multiplies. */
#ifndef BNN_TRAIN_INPUT_H
#define BNN_TRAIN_INPUT_H

#include "net/rule.h"

/* -1 and +1 of a 1-bit input, or q of 8 bits; `pixels` and `out` have bnn_shape_size(rule->shape) values. */
static inline void bnn_input_values(const bnn_rule *rule, const uint8_t *pixels, float *out)
{
    const size_t n = bnn_shape_size(rule->shape);
    if (rule->bits == 8) {
        for (size_t i = 0; i < n; i++)
            out[i] = bnn_rule_q(rule, pixels[i]);
        return;
    }
    const unsigned level = bnn_rule_level(rule, pixels);
    for (size_t i = 0; i < n; i++)
        out[i] = pixels[i] >= bnn_rule_threshold(rule, level, i) ? 1.0f : -1.0f;
}

#endif
