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

BNN_CLONES static void steps1(float *restrict out, const float *restrict z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = z[i] >= 0 ? 1.0f : -1.0f;
}

BNN_CLONES static void steps2(float *restrict out, const float *restrict z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (z[i] >= -0.5f ? 0.0f : -1.0f) + (z[i] >= 0.5f ? 1.0f : 0.0f);
}

void bnn_quantise_forward(float *out, const float *z, uint32_t levels, size_t n)
{
    if (levels == 1)
        steps1(out, z, n);
    else
        steps2(out, z, n);
}

BNN_CLONES void bnn_quantise_backward(float *restrict d, const float *restrict z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d[i] = fabsf(z[i]) <= 1 ? d[i] : 0.0f;
}

/* As the activations: 0 is +1, -0.5 is 0 and 0.5 is +1 (finnthesizer rounds so too, bnn-pynq.md section 8). */
void bnn_quantise_weights(float *out, const float *latent, uint32_t bits, size_t n)
{
    bnn_quantise_forward(out, latent, bits, n);
}
