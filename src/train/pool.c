/* pool.c -- maximum over 2x2 positions, on the way to and from the values.
 *
 * The hardware pools quantised values. Quantising never reverses an order, so
 * quantise(max z) = max quantise(z): the trainer pools z first, and the
 * gradient has one place to go, the largest z, where the quantised values
 * would nearly always tie. Of equal z the first in reading order wins.
 */
#include "train/model.h"
#include "train/clones.h"

#include <math.h>

BNN_CLONES static void forward(int8_t *restrict out, uint8_t *restrict winner, const float *restrict acc, size_t line,
                               const float *restrict mean, const float *restrict scale, const float *restrict beta, float step,
                               size_t outputs, size_t n)
{
    for (; outputs > 0; outputs--, acc += 2 * n, out += n, winner += n)
        for (size_t c = 0; c < n; c++) {
            const float m = mean[c], s = scale[c], b = beta[c];
            const float z0 = bnn_norm_at(acc[c], m, s, b), z1 = bnn_norm_at(acc[n + c], m, s, b);
            const float z2 = bnn_norm_at(acc[line + c], m, s, b), z3 = bnn_norm_at(acc[line + n + c], m, s, b);
            const float top = z1 > z0 ? z1 : z0, bottom = z3 > z2 ? z3 : z2;
            const int i = z1 > z0 ? 1 : 0, j = z3 > z2 ? 3 : 2;
            winner[c] = (uint8_t)(bottom > top ? j : i);
            out[c]    = bnn_value_at(bottom > top ? bottom : top, step);
        }
}

void bnn_pool_forward(int8_t *out, uint8_t *winner, const float *acc, size_t line, const bnn_lines *l, uint32_t levels,
                      size_t outputs, size_t channels)
{
    forward(out, winner, acc, line, l->mean, l->scale, l->beta, levels == 1 ? 0.0f : 0.5f, outputs, channels);
}

BNN_CLONES static void backward(float *restrict d, float *restrict sb, float *restrict sg, const uint8_t *restrict winner,
                                const float *restrict acc, size_t line, const float *restrict mean, const float *restrict scale,
                                const float *restrict beta, size_t outputs, size_t stride, size_t n)
{
    for (; outputs > 0; outputs--, d += stride, winner += stride, acc += 2 * stride)
        for (size_t c = 0; c < n; c++) {
            const int w = winner[c];
            const float top = w == 1 ? acc[stride + c] : acc[c], bottom = w == 3 ? acc[line + stride + c] : acc[line + c];
            const float x = w > 1 ? bottom : top;
            const float g = fabsf(bnn_norm_at(x, mean[c], scale[c], beta[c])) <= 1 ? d[c] : 0.0f;
            d[c] = g;
            sb[c] += g;
            sg[c] += g * (x - mean[c]);
        }
}

void bnn_pool_backward(float *d, float *sb, float *sg, const uint8_t *winner, const float *acc, size_t line, const bnn_lines *l,
                       size_t outputs, size_t stride, size_t channels)
{
    backward(d, sb, sg, winner, acc, line, l->mean, l->scale, l->beta, outputs, stride, channels);
}
