/* loss.c -- cross entropy on scalar-normed scores.
 *
 * All scores of a batch share one mean and one variance, and one learned
 * positive gain: logit = gain (acc - mean) / sqrt(variance + eps). So the
 * largest logit is the largest accumulator, and the deployed network needs no
 * norm: the float graph's logits are scale acc (softmax does not see the mean).
 */
#include "train/model.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-4

static void set_statistics(bnn_block *b, double mean, double square)
{
    const double variance = square - mean * mean;
    b->inv[0]        = (float)(1 / sqrt((variance > 0 ? variance : 0) + EPSILON));
    b->norm.mean[0]  = (float)mean;
    b->norm.scale[0] = b->gamma.value[0] * b->inv[0];
}

void bnn_scores_statistics(bnn_model *m, size_t n, enum bnn_mode mode)
{
    bnn_block *b = &m->block[m->blocks - 1];
    const size_t values = n * b->layer->MH;
    double sum = 0, square = 0;
    if (mode == BNN_FROZEN)
        return;
    for (size_t i = 0; i < values; i++) {
        sum += b->acc[i];
        square += (double)b->acc[i] * b->acc[i];
    }
    set_statistics(b, sum / (double)values, square / (double)values);
    if (mode == BNN_MEASURE) {
        b->measured[0] += sum / (double)values;
        b->measured[1] += square / (double)values;
    }
}

void bnn_scores_measured(bnn_block *b, size_t batches)
{
    set_statistics(b, b->measured[0] / (double)batches, b->measured[1] / (double)batches);
    b->measured[0] = b->measured[1] = 0;
}

/* Softmax of one row; returns the logarithm of its denominator less the largest logit. */
static double softmax(double *p, const float *acc, float scale, size_t classes)
{
    double top = -INFINITY, sum = 0;
    for (size_t c = 0; c < classes; c++)
        top = fmax(top, (double)scale * acc[c]);
    for (size_t c = 0; c < classes; c++)
        sum += p[c] = exp((double)scale * acc[c] - top);
    for (size_t c = 0; c < classes; c++)
        p[c] /= sum;
    return top + log(sum);
}

static size_t argmax(const float *v, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

/* Target of class c: (1 - share) of the label and `share` of the teacher's probability. */
bnn_loss bnn_loss_forward(bnn_model *m, const uint16_t *labels, const float *teacher, float share, size_t n)
{
    const bnn_block *b = &m->block[m->blocks - 1];
    const size_t MH = b->layer->MH;
    bnn_loss loss = { 0 };
    double p[BNN_MAX_CLASSES];
    for (size_t i = 0; i < n; i++) {
        const float *acc = b->acc + i * MH;
        const double denominator = softmax(p, acc, b->norm.scale[0], m->classes);
        for (size_t c = 0; c < MH; c++) {
            double target = c == labels[i];
            if (teacher && c < m->classes)
                target = (1 - share) * target + share * teacher[i * m->classes + c];
            if (c < m->classes && target > 0)
                loss.sum -= target * ((double)b->norm.scale[0] * acc[c] - denominator);
            m->d_logits[i * MH + c] = c < m->classes ? (float)((p[c] - target) / (double)n) : 0;
        }
        loss.correct += argmax(acc, m->classes) == labels[i];
    }
    return loss;
}

void bnn_loss_backward(bnn_model *m, size_t n)
{
    bnn_block *b = &m->block[m->blocks - 1];
    const size_t MH = b->layer->MH, values = n * MH;
    const float *d = m->d_logits;
    const double mean = b->norm.mean[0], inv = b->inv[0], scale = b->norm.scale[0];
    double sum = 0, product = 0;
    float row[BNN_MAX_CLASSES];
    for (size_t i = 0; i < values; i++) {
        sum += d[i];
        product += d[i] * (b->acc[i] - mean) * inv;
    }
    b->k[0] = (float)product; /* gradient of the gain */
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < MH; c++) {
            const double normed = (b->acc[i * MH + c] - mean) * inv;
            row[c] = (float)(scale * (d[i * MH + c] - (sum + normed * product) / (double)values));
        }
        memcpy(b->acc + i * MH, row, MH * sizeof *row);
    }
}
