/* threshold.c -- gradients of the input's thresholds, and their steps. */
#include "train/threshold.h"
#include "train/clones.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Latents move by a tenth of the weights' steps: at a learning rate of 0.02 a table's entry
 * moves by about 0.5, which of a scaled one is 0.008 of the mean. */
#define RATE 0.1f
#define UNIT 255.0f /* an entry is a latent times this */

int bnn_thresholds_start(bnn_rule *rule, bnn_error *err)
{
    static const uint8_t dither[2][2] = { { 24, 136 }, { 192, 80 } };
    const bnn_shape s = rule->shape;
    rule->table = bnn_alloc(bnn_shape_size(s), 1);
    if (!rule->table)
        return bnn_fail_memory(err, bnn_shape_size(s));
    for (size_t i = 0; i < bnn_shape_size(s); i++)
        rule->table[i] = rule->kind == BNN_THRESHOLD_SCALED ? 64 : dither[i / s.channels / s.width % 2][i / s.channels % s.width % 2];
    return BNN_OK;
}

int bnn_thresholds_new(bnn_thresholds *t, const bnn_rule *rule, bnn_model *m, bnn_error *err)
{
    const size_t size = bnn_shape_size(rule->shape);
    *t = (bnn_thresholds){ 0 };
    if (!bnn_rule_has_table(rule))
        return BNN_OK;
    const int rc = bnn_adam_new(&t->latent, size, err);
    if (rc != BNN_OK)
        return rc;
    t->pixels   = bnn_alloc(m->batch, size);
    t->gradient = bnn_alloc(size, sizeof *t->gradient);
    t->last     = bnn_alloc(size, 1);
    t->best     = bnn_alloc(size, 1);
    if (!t->pixels || !t->gradient || !t->last || !t->best)
        return bnn_fail_memory(err, m->batch * size);
    for (size_t i = 0; i < size; i++)
        t->latent.value[i] = (float)rule->table[i] / UNIT;
    return bnn_model_want_input(m, err);
}

void bnn_thresholds_free(bnn_thresholds *t)
{
    bnn_adam_free(&t->latent);
    bnn_free(t->pixels);
    bnn_free(t->gradient);
    bnn_free(t->last);
    bnn_free(t->best);
    *t = (bnn_thresholds){ 0 };
}

void bnn_thresholds_quantise(const bnn_thresholds *t, bnn_rule *rule)
{
    for (size_t i = 0; i < t->latent.size; i++)
        rule->table[i] = (uint8_t)lrintf(t->latent.value[i] * UNIT);
}

/* One image's share: a threshold of `scale` times its latent falls or rises with it. */
BNN_CLONES static void add_image(float *restrict gradient, const float *restrict d_bit, const uint8_t *restrict v,
                                 const uint8_t *restrict threshold, float scale, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float apart = fabsf((float)v[i] - (float)threshold[i]);
        gradient[i] -= apart <= BNN_THRESHOLD_REACH ? scale * d_bit[i] : 0.0f;
    }
}

struct pass { bnn_thresholds *t; const bnn_rule *rule; const bnn_model *m; size_t n; };

/* All images in order, for one range of pixels: the sums do not depend on the threads. */
static void gradient_slice(void *context, size_t slice, unsigned thread)
{
    enum { PIECE = 1024 };
    const struct pass *p = context;
    const size_t size = p->t->latent.size, first = bnn_slice_at(size, BNN_SLICES, slice), end = bnn_slice_at(size, BNN_SLICES, slice + 1);
    uint8_t room[PIECE];
    (void)thread;
    memset(p->t->gradient + first, 0, (end - first) * sizeof *p->t->gradient);
    for (size_t image = 0; image < p->n; image++) {
        const uint8_t *pixels = p->t->pixels + image * size;
        const unsigned level = bnn_rule_level(p->rule, pixels);
        const float scale = p->rule->kind == BNN_THRESHOLD_SCALED ? (float)level / 255 : 1;
        for (size_t at = first; at < end; at += PIECE) {
            const size_t n = end - at < PIECE ? end - at : PIECE;
            add_image(p->t->gradient + at, p->m->d_input + image * size + at, pixels + at,
                      bnn_rule_thresholds(p->rule, level, at, n, room), scale, n);
        }
    }
}

void bnn_thresholds_update(bnn_thresholds *t, bnn_rule *rule, bnn_model *m, size_t n, float learning_rate)
{
    if (t->latent.size == 0)
        return;
    struct pass p = { t, rule, m, n };
    bnn_pool_run(m->pool, BNN_SLICES, gradient_slice, &p);
    const bnn_adam_step step = bnn_adam_at(m->steps, RATE * learning_rate);
    bnn_adam_update(&step, &t->latent, 0, t->latent.size, t->gradient, 1, 0, 1 / UNIT, 255 / UNIT);
    bnn_thresholds_quantise(t, rule);
}
