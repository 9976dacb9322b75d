/* quantise.c -- the steps that make a network binary, and their straight-through gradients.
 *
 * Forward they are staircases; backward, the staircase is taken for the
 * surrogate h(z) = min(1, max(-1, z)) (Hubara et al., 2016), whose slope is 1
 * for |z| <= 1 and 0 elsewhere. Weights use the surrogate too; since latents
 * are clipped to [-1, 1], its slope there is always 1.
 */
#include "train/model.h"
#include "train/clones.h"

#include <math.h>

BNN_CLONES static void forward(int8_t *restrict out, const float *restrict acc, const float *restrict mean,
                               const float *restrict scale, const float *restrict beta, float step, size_t rows, size_t n)
{
    for (; rows > 0; rows--, acc += n, out += n)
        for (size_t c = 0; c < n; c++)
            out[c] = bnn_value_at(bnn_norm_at(acc[c], mean[c], scale[c], beta[c]), step);
}

void bnn_quantise_forward(int8_t *out, const float *acc, const bnn_lines *l, uint32_t levels, size_t rows, size_t channels)
{
    forward(out, acc, l->mean, l->scale, l->beta, levels == 1 ? 0.0f : 0.5f, rows, channels);
}

BNN_CLONES static void backward(float *restrict d, float *restrict sb, float *restrict sg, const float *restrict acc,
                                const float *restrict mean, const float *restrict scale, const float *restrict beta, size_t rows,
                                size_t stride, size_t n)
{
    for (; rows > 0; rows--, d += stride, acc += stride)
        for (size_t c = 0; c < n; c++) {
            const float g = fabsf(bnn_norm_at(acc[c], mean[c], scale[c], beta[c])) <= 1 ? d[c] : 0.0f;
            d[c] = g;
            sb[c] += g;
            sg[c] += g * (acc[c] - mean[c]);
        }
}

void bnn_quantise_backward(float *d, float *sb, float *sg, const float *acc, const bnn_lines *l, size_t rows, size_t stride,
                           size_t channels)
{
    backward(d, sb, sg, acc, l->mean, l->scale, l->beta, rows, stride, channels);
}

/* As the activations: 0 is +1, -0.5 is 0 and 0.5 is +1 (finnthesizer rounds so too, bnn-pynq.md section 8). */
BNN_CLONES void bnn_quantise_weights(int8_t *restrict out, const float *restrict latent, uint32_t bits, size_t n)
{
    const float step = bits == 1 ? 0.0f : 0.5f;
    for (size_t i = 0; i < n; i++)
        out[i] = bnn_value_at(latent[i], step);
}
