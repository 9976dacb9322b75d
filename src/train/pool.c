/* pool.c -- maximum over 2x2 positions.
 *
 * The hardware pools quantised values. Quantising never reverses an order, so
 * quantise(max z) = max quantise(z): the trainer pools z first, and the
 * gradient has one place to go, the largest z, where the quantised values
 * would nearly always tie. Of equal z the first in reading order wins.
 */
#include "train/model.h"
#include "train/clones.h"

/* The four: z[0], z[stride], z[row], z[row + stride]. */
BNN_CLONES void bnn_pool_forward(float *restrict out, uint8_t *restrict winner, const float *restrict z, size_t stride,
                                 size_t row, size_t channels)
{
    for (size_t c = 0; c < channels; c++) {
        const float z0 = z[c], z1 = z[stride + c], z2 = z[row + c], z3 = z[row + stride + c];
        const float top = z1 > z0 ? z1 : z0, bottom = z3 > z2 ? z3 : z2;
        const uint8_t i = z1 > z0 ? 1 : 0, j = z3 > z2 ? 3 : 2;
        out[c]    = bottom > top ? bottom : top;
        winner[c] = bottom > top ? j : i;
    }
}

BNN_CLONES void bnn_pool_backward(float *restrict d_z, const float *restrict d_out, const uint8_t *restrict winner,
                                  uint8_t which, size_t channels)
{
    for (size_t c = 0; c < channels; c++)
        d_z[c] = winner[c] == which ? d_out[c] : 0.0f;
}
