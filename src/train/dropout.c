/* dropout.c -- hidden values left to chance while a network trains (Srivastava et al., 2014).
 *
 * A dropped value says nothing, and no gradient goes through it. In two bits it
 * is 0. One bit has no 0: there it is a fair coin, whose mean is 0, so the
 * products of the forward pass stay those of bits. What is left is not scaled
 * up, since batch norm follows every product, and the statistics that are
 * deployed are measured without dropping.
 */
#include "train/model.h"

bnn_drop bnn_drop_at(const bnn_model *m, const bnn_block *b, size_t line)
{
    const uint64_t step = m->steps * BNN_MAX_LAYERS + b->index;
    return (bnn_drop){ bnn_random_at(m->seed, BNN_FOR_DROPOUT, step << 32 | line), m->drop, 0 };
}

/* 32 random bits a value: 16 say whether, the highest is the coin. */
static uint32_t draw(bnn_drop *d, size_t i)
{
    if (i % 2 == 0)
        d->bits = bnn_random_next(&d->random);
    return (uint32_t)(d->bits >> (i % 2 * 32));
}

void bnn_drop_values(bnn_drop d, int8_t *v, uint32_t bits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t x = draw(&d, i);
        const int8_t nothing = bits == 2 ? 0 : x >> 31 ? 1 : -1;
        v[i] = (x & 0xffff) < d.rate ? nothing : v[i];
    }
}

void bnn_drop_gradient(bnn_drop d, float *gradient, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gradient[i] = (draw(&d, i) & 0xffff) < d.rate ? 0 : gradient[i];
}
