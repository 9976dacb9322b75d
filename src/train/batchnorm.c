/* batchnorm.c -- batch norm of the accumulators, and the way through pool and quantise.
 *
 * Per channel over the R rows of a batch (Ioffe and Szegedy, 2015):
 *     mean = sum acc / R,  inv = 1 / sqrt(sum (acc - mean)^2 / R + eps)
 *     z    = (acc - mean) scale + beta,  scale = gamma inv
 * Backward, from d_z:
 *     d_beta = sum d_z,   d_gamma = inv sum d_z (acc - mean)
 *     d_acc  = scale (d_z - d_beta / R - (acc - mean) inv d_gamma / R)
 * z is computed anew where it is needed, which costs less than keeping it.
 *
 * There are no running averages: a network's statistics are measured on its
 * frozen weights (BNN_MEASURE) before it is used.
 */
#include "train/model.h"
#include "train/clones.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-4

/* Rows are summed as floats over a few, which is nearly exact, then as doubles. */
enum { ROWS = 32, CHANNELS = 1024 };

struct pass {
    bnn_model *m;
    bnn_block *b;
    size_t     n;
};

static double *partial_at(const bnn_block *b, size_t slice) { return b->partial + slice * 2 * b->layer->MH; }

/* Adds the partial sums of the slices, in their order, into those of slice 0. */
static void add_partials(const bnn_block *b)
{
    const size_t n = 2 * (size_t)b->layer->MH;
    for (size_t s = 1; s < BNN_SLICES; s++)
        for (size_t i = 0; i < n; i++)
            b->partial[i] += b->partial[s * n + i];
}

static void flush(double *total, float *sum, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        total[i] += sum[i];
        sum[i] = 0;
    }
}

/* ------------------------------------------------------------ statistics -- */

BNN_CLONES static void add_squares(float *restrict s, float *restrict q, const float *restrict acc, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        s[c] += acc[c];
        q[c] += acc[c] * acc[c];
    }
}

static void statistics_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t MH = b->layer->MH, end = bnn_slice_at(p->n, BNN_SLICES, i + 1) * b->positions;
    double *total = partial_at(b, i);
    float s[CHANNELS] = { 0 }, q[CHANNELS] = { 0 };
    (void)thread;
    memset(total, 0, 2 * MH * sizeof *total);
    for (size_t c = 0; c < MH; c += CHANNELS) {
        const size_t width = MH - c < CHANNELS ? MH - c : CHANNELS;
        size_t pending = 0;
        for (size_t r = bnn_slice_at(p->n, BNN_SLICES, i) * b->positions; r < end; r++) {
            add_squares(s, q, b->acc + r * MH + c, width);
            if (++pending == ROWS || r + 1 == end) {
                flush(total + c, s, width);
                flush(total + MH + c, q, width);
                pending = 0;
            }
        }
    }
}

/* mean and inv of the batch from the sums. */
static void set_statistics(bnn_block *b, size_t c, double mean, double variance)
{
    b->inv[c]        = (float)(1 / sqrt((variance > 0 ? variance : 0) + EPSILON));
    b->norm.mean[c]  = (float)mean;
    b->norm.scale[c] = b->gamma.value[c] * b->inv[c];
    b->norm.beta[c]  = b->beta.value[c];
}

void bnn_norm_statistics(bnn_model *m, bnn_block *b, size_t n, enum bnn_mode mode)
{
    const size_t MH = b->layer->MH;
    struct pass p = { m, b, n };
    if (mode == BNN_FROZEN)
        return;
    bnn_pool_run(m->pool, BNN_SLICES, statistics_slice, &p);
    add_partials(b);
    for (size_t c = 0; c < MH; c++) {
        const double R = (double)(n * b->positions), mean = b->partial[c] / R, square = b->partial[MH + c] / R;
        set_statistics(b, c, mean, square - mean * mean);
        if (mode == BNN_MEASURE) {
            b->measured[c] += mean;
            b->measured[MH + c] += square;
        }
    }
}

void bnn_norm_measured(bnn_block *b, size_t batches)
{
    const size_t MH = b->layer->MH;
    for (size_t c = 0; c < MH; c++) {
        const double mean = b->measured[c] / (double)batches, square = b->measured[MH + c] / (double)batches;
        set_statistics(b, c, mean, square - mean * mean);
    }
    memset(b->measured, 0, 2 * MH * sizeof *b->measured);
}

/* --------------------------------------------------------------- forward -- */

BNN_CLONES static void normalise(float *restrict z, const float *restrict acc, const float *restrict mean,
                                 const float *restrict scale, const float *restrict beta, size_t n)
{
    for (size_t c = 0; c < n; c++)
        z[c] = bnn_norm_at(acc[c], mean[c], scale[c], beta[c]);
}

/* z of `rows` rows from row r on, channels c .. c + width - 1. */
static void normalise_rows(const bnn_block *b, float *z, size_t r, size_t rows, size_t c, size_t width)
{
    for (size_t i = 0; i < rows; i++)
        normalise(z + i * width, b->acc + (r + i) * b->layer->MH + c, b->norm.mean + c, b->norm.scale + c,
                  b->norm.beta + c, width);
}

/* First row of the product that output o of an image looks at. */
static size_t row_of(const bnn_block *b, size_t image, size_t o)
{
    const size_t width = b->layer->out.width;
    if (!b->pooled)
        return image * b->positions + o;
    return image * b->positions + o / (width / 2) * 2 * width + o % (width / 2) * 2;
}

static void forward_output(const bnn_model *m, const bnn_block *b, size_t image, size_t o)
{
    const size_t MH = b->layer->MH, r = row_of(b, image, o), at = (image * b->outputs + o) * MH;
    uint64_t *bits = b->bits + (image * b->outputs + o) * b->layer->output_bits * bnn_plane_words(b->layer->MH);
    float z[4 * CHANNELS], v[CHANNELS];
    for (size_t c = 0; c < MH; c += CHANNELS) {
        const size_t width = MH - c < CHANNELS ? MH - c : CHANNELS;
        normalise_rows(b, z, r, b->pooled ? 2 : 1, c, width);
        if (b->pooled) {
            normalise_rows(b, z + 2 * width, r + b->layer->out.width, 2, c, width);
            bnn_pool_forward(v, b->winner + at + c, z, width, 2 * width, width);
            bnn_quantise_forward(z, v, b->layer->output_bits, width);
        } else {
            bnn_quantise_forward(v, z, b->layer->output_bits, width);
            memcpy(z, v, width * sizeof *z);
        }
        bnn_gemm_store(&m->gemm, bnn_gemm_at(&m->gemm, b->out, at + c), z, width);
        bnn_product_bits(m, bits + c / 64, z, b->layer->output_bits, MH, width);
    }
}

static void forward_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    (void)thread;
    for (size_t image = bnn_slice_at(p->n, BNN_SLICES, i); image < bnn_slice_at(p->n, BNN_SLICES, i + 1); image++)
        for (size_t o = 0; o < p->b->outputs; o++)
            forward_output(p->m, p->b, image, o);
}

void bnn_norm_forward(bnn_model *m, bnn_block *b, size_t n)
{
    struct pass p = { m, b, n };
    bnn_pool_run(m->pool, BNN_SLICES, forward_slice, &p);
}

/* -------------------------------------------------------------- backward -- */

/* d_z and z of one row of the product, channels c .. c + width - 1. */
static void gradient_at(const bnn_block *b, size_t image, size_t position, size_t c, size_t width, float *d, float *z)
{
    const size_t MH = b->layer->MH, map_width = b->layer->out.width;
    size_t o = position, which = 0;
    if (b->pooled) {
        const size_t y = position / map_width, x = position % map_width;
        o     = y / 2 * (map_width / 2) + x / 2;
        which = y % 2 * 2 + x % 2;
    }
    const size_t at = (image * b->outputs + o) * MH + c;
    if (b->pooled)
        bnn_pool_backward(d, b->d_out + at, b->winner + at, (uint8_t)which, width);
    else
        memcpy(d, b->d_out + at, width * sizeof *d);
    normalise_rows(b, z, image * b->positions + position, 1, c, width);
    bnn_quantise_backward(d, z, width);
}

BNN_CLONES static void add_gradients(float *restrict sb, float *restrict sg, const float *restrict d,
                                     const float *restrict acc, const float *restrict mean, size_t n)
{
    for (size_t c = 0; c < n; c++) {
        sb[c] += d[c];
        sg[c] += d[c] * (acc[c] - mean[c]);
    }
}

static void gradients_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t MH = b->layer->MH, end = bnn_slice_at(p->n, BNN_SLICES, i + 1) * b->positions;
    double *total = partial_at(b, i);
    float sb[CHANNELS] = { 0 }, sg[CHANNELS] = { 0 }, d[CHANNELS], z[CHANNELS];
    (void)thread;
    memset(total, 0, 2 * MH * sizeof *total);
    for (size_t c = 0; c < MH; c += CHANNELS) {
        const size_t width = MH - c < CHANNELS ? MH - c : CHANNELS;
        size_t pending = 0;
        for (size_t r = bnn_slice_at(p->n, BNN_SLICES, i) * b->positions; r < end; r++) {
            gradient_at(b, r / b->positions, r % b->positions, c, width, d, z);
            add_gradients(sb, sg, d, b->acc + r * MH + c, b->norm.mean + c, width);
            if (++pending == ROWS || r + 1 == end) {
                flush(total + c, sb, width);
                flush(total + MH + c, sg, width);
                pending = 0;
            }
        }
    }
}

BNN_CLONES static void backward_row(float *restrict d, const float *restrict acc, const float *restrict mean,
                                    const float *restrict k0, const float *restrict k1, const float *restrict k2, size_t n)
{
    for (size_t c = 0; c < n; c++)
        d[c] = k0[c] * d[c] + k1[c] + k2[c] * (acc[c] - mean[c]);
}

static void backward_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const bnn_gemm *g = &p->m->gemm;
    const size_t MH = b->layer->MH, end = bnn_slice_at(p->n, BNN_SLICES, i + 1) * b->positions;
    float d[CHANNELS], z[CHANNELS];
    (void)thread;
    for (size_t r = bnn_slice_at(p->n, BNN_SLICES, i) * b->positions; r < end; r++)
        for (size_t c = 0; c < MH; c += CHANNELS) {
            const size_t width = MH - c < CHANNELS ? MH - c : CHANNELS;
            gradient_at(b, r / b->positions, r % b->positions, c, width, d, z);
            backward_row(d, b->acc + r * MH + c, b->norm.mean + c, b->k + c, b->k + MH + c, b->k + 2 * MH + c, width);
            if (bnn_gemm_coarse(g))
                memcpy(b->acc + r * MH + c, d, width * sizeof *d);
            else
                bnn_gemm_store(g, bnn_gemm_at(g, b->d_acc, r * MH + c), d, width);
        }
}

/* Leaves the gradients of beta and gamma as floats in k's place 3 and 4. */
void bnn_norm_backward(bnn_model *m, bnn_block *b, size_t n)
{
    const size_t MH = b->layer->MH;
    const double R = (double)(n * b->positions);
    struct pass p = { m, b, n };
    bnn_pool_run(m->pool, BNN_SLICES, gradients_slice, &p);
    add_partials(b);
    for (size_t c = 0; c < MH; c++) {
        const double d_beta = b->partial[c], d_gamma = b->inv[c] * b->partial[MH + c], scale = b->norm.scale[c];
        b->k[c]          = (float)scale;
        b->k[MH + c]     = (float)(-scale * d_beta / R);
        b->k[2 * MH + c] = (float)(-scale * b->inv[c] * d_gamma / R);
        b->k[3 * MH + c] = (float)d_beta;
        b->k[4 * MH + c] = (float)d_gamma;
    }
    bnn_pool_run(m->pool, BNN_SLICES, backward_slice, &p);
}
