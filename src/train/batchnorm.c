/* batchnorm.c -- batch norm of the accumulators, and the way through pool and quantise.
 *
 * Per channel over the R rows of a batch (Ioffe and Szegedy, 2015):
 *     mean = sum acc / R,  inv = 1 / sqrt(sum (acc - mean)^2 / R + eps)
 *     z    = (acc - mean) scale + beta,  scale = gamma inv
 * Backward, from d_z:
 *     d_beta = sum d_z,   d_gamma = inv sum d_z (acc - mean)
 *     d_acc  = scale (d_z - d_beta / R - (acc - mean) inv d_gamma / R)
 * z is computed anew where it is needed, and so is d_acc: both cost less than
 * keeping them, since what these passes wait for is memory. So statistics are
 * added up while the products are in the cache, and gradients are made a line
 * (the positions that share y) at a time by those that multiply them.
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
    bool       drop; /* dropout, of a training step */
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

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

BNN_CLONES static void add_squares(float *restrict s, float *restrict q, const float *restrict acc, size_t stride, size_t rows,
                                   size_t n)
{
    for (; rows >= 4; rows -= 4, acc += 4 * stride)
        for (size_t c = 0; c < n; c++) {
            const float a0 = acc[c], a1 = acc[stride + c], a2 = acc[2 * stride + c], a3 = acc[3 * stride + c];
            s[c] += a0 + a1 + (a2 + a3);
            q[c] += a0 * a0 + a1 * a1 + (a2 * a2 + a3 * a3);
        }
    for (; rows > 0; rows--, acc += stride)
        for (size_t c = 0; c < n; c++) {
            s[c] += acc[c];
            q[c] += acc[c] * acc[c];
        }
}

void bnn_norm_clear(bnn_block *b, size_t slice)
{
    memset(partial_at(b, slice), 0, 2 * (size_t)b->layer->MH * sizeof(double));
}

void bnn_norm_add(bnn_block *b, size_t slice, size_t first, size_t count)
{
    const size_t MH = b->layer->MH, end = (first + count) * b->positions;
    double *total = partial_at(b, slice);
    float s[CHANNELS] = { 0 }, q[CHANNELS] = { 0 };
    for (size_t r = first * b->positions; r < end; r += ROWS)
        for (size_t c = 0; c < MH; c += CHANNELS) {
            const size_t width = least(CHANNELS, MH - c);
            add_squares(s, q, b->acc + r * MH + c, MH, least(ROWS, end - r), width);
            flush(total + c, s, width);
            flush(total + MH + c, q, width);
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

void bnn_norm_statistics(bnn_block *b, size_t n, enum bnn_mode mode)
{
    const size_t MH = b->layer->MH;
    if (mode == BNN_FROZEN)
        return;
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

static bnn_lines lines_at(const bnn_block *b, size_t c)
{
    return (bnn_lines){ b->norm.mean + c, b->norm.scale + c, b->norm.beta + c };
}

/* Values of one line of outputs, as int8; a line is what shares y. */
static void forward_line(const bnn_block *b, int8_t *v, size_t image, size_t y)
{
    const size_t MH = b->layer->MH, width = b->layer->out.width, outputs = b->pooled ? width / 2 : width;
    const size_t at = (image * b->outputs + y * outputs) * MH;
    const float *acc = b->acc + (image * b->positions + (b->pooled ? 2 * y : y) * width) * MH;
    const bnn_lines l = lines_at(b, 0);
    if (b->pooled)
        bnn_pool_forward(v, b->winner + at, acc, width * MH, &l, b->layer->output_bits, outputs, MH);
    else
        bnn_quantise_forward(v, acc, &l, b->layer->output_bits, outputs, MH);
}

static void forward_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const bnn_gemm *g = &p->m->gemm;
    const size_t MH = b->layer->MH, outputs = b->layer->out.width >> b->pooled, lines = b->outputs / outputs;
    const size_t words = b->layer->output_bits * bnn_plane_words(b->layer->MH);
    for (size_t image = bnn_slice_at(p->n, BNN_SLICES, i); image < bnn_slice_at(p->n, BNN_SLICES, i + 1); image++)
        for (size_t y = 0; y < lines; y++) {
            const size_t at = image * b->outputs + y * outputs;
            int8_t *v = bnn_gemm_coarse(g) ? (int8_t *)b->out + at * MH : p->m->values[thread];
            forward_line(b, v, image, y);
            if (p->drop)
                bnn_drop_values(bnn_drop_at(p->m, b, image * lines + y), v, b->layer->output_bits, outputs * MH);
            if (!bnn_gemm_coarse(g))
                bnn_gemm_store_small(g, bnn_gemm_at(g, b->out, at * MH), v, outputs * MH);
            bnn_product_bits(p->m, b->bits + at * words, v, b->layer->output_bits, MH, outputs);
        }
}

void bnn_norm_forward(bnn_model *m, bnn_block *b, size_t n, enum bnn_mode mode)
{
    struct pass p = { m, b, n, m->drop && mode == BNN_BATCH };
    bnn_pool_run(m->pool, BNN_SLICES, forward_slice, &p);
}

/* -------------------------------------------------------------- backward -- */

/* d_out of a line becomes d_z of the largest values; sums of d_z and d_z (acc - mean), channels c .. c + width - 1. */
static void gradient_line(const bnn_block *b, float *sb, float *sg, size_t image, size_t y, size_t c, size_t channels)
{
    const size_t MH = b->layer->MH, width = b->layer->out.width, outputs = b->pooled ? width / 2 : width;
    const size_t at = (image * b->outputs + y * outputs) * MH + c;
    const float *acc = b->acc + (image * b->positions + (b->pooled ? 2 * y : y) * width) * MH + c;
    const bnn_lines l = lines_at(b, c);
    if (b->pooled)
        bnn_pool_backward(b->d_out + at, sb, sg, b->winner + at, acc, width * MH, &l, outputs, MH, channels);
    else
        bnn_quantise_backward(b->d_out + at, sb, sg, acc, &l, outputs, MH, channels);
}

static void gradients_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t MH = b->layer->MH, outputs = b->layer->out.width >> b->pooled, lines = b->outputs / outputs;
    double *total = partial_at(b, i);
    float sb[CHANNELS] = { 0 }, sg[CHANNELS] = { 0 };
    (void)thread;
    memset(total, 0, 2 * MH * sizeof *total);
    for (size_t image = bnn_slice_at(p->n, BNN_SLICES, i); image < bnn_slice_at(p->n, BNN_SLICES, i + 1); image++)
        for (size_t y = 0; y < lines; y++) {
            if (p->drop)
                bnn_drop_gradient(bnn_drop_at(p->m, b, image * lines + y), b->d_out + (image * lines + y) * outputs * MH, outputs * MH);
            for (size_t c = 0; c < MH; c += CHANNELS) {
                const size_t channels = least(CHANNELS, MH - c);
                gradient_line(b, sb, sg, image, y, c, channels);
                flush(total + c, sb, channels);
                flush(total + MH + c, sg, channels);
            }
        }
}

/* Leaves the gradients of beta and gamma as floats in k's place 3 and 4. */
void bnn_norm_backward(bnn_model *m, bnn_block *b, size_t n)
{
    const size_t MH = b->layer->MH;
    const double R = (double)(n * b->positions);
    struct pass p = { m, b, n, m->drop > 0 };
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
}

/* k holds k0, k1, k2 as rows of n. */
BNN_CLONES static void through_norm(float *restrict out, const float *restrict d, const float *restrict acc,
                                    const float *restrict mean, const float *restrict k, size_t rows, size_t n)
{
    for (; rows > 0; rows--, out += n, d += n, acc += n)
        for (size_t c = 0; c < n; c++)
            out[c] = k[c] * d[c] + k[n + c] + k[2 * n + c] * (acc[c] - mean[c]);
}

/* The same below a pool: two neighbours share d, which is that of place `which` or `which` + 1. */
BNN_CLONES static void through_pool(float *restrict out, const float *restrict d, const uint8_t *restrict winner, int which,
                                    const float *restrict acc, const float *restrict mean, const float *restrict k,
                                    size_t pairs, size_t n)
{
    for (; pairs > 0; pairs--, out += 2 * n, d += n, winner += n, acc += 2 * n)
        for (size_t c = 0; c < n; c++) {
            const float d0 = winner[c] == which ? d[c] : 0.0f, d1 = winner[c] == which + 1 ? d[c] : 0.0f;
            out[c]     = k[c] * d0 + k[n + c] + k[2 * n + c] * (acc[c] - mean[c]);
            out[n + c] = k[c] * d1 + k[n + c] + k[2 * n + c] * (acc[n + c] - mean[c]);
        }
}

void bnn_norm_gradient(const bnn_block *b, float *out, size_t line)
{
    const size_t MH = b->layer->MH, width = b->layer->out.width, r = line * width;
    const float *acc = b->acc + r * MH;
    if (b->last) {
        memcpy(out, acc, width * MH * sizeof *out); /* the loss left it there */
    } else if (b->pooled) {
        const size_t at = line / 2 * (width / 2) * MH;
        through_pool(out, b->d_out + at, b->winner + at, (int)(line % 2 * 2), acc, b->norm.mean, b->k, width / 2, MH);
    } else {
        through_norm(out, b->d_out + r * MH, acc, b->norm.mean, b->k, width, MH);
    }
}

static void store_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const bnn_gemm *g = &p->m->gemm;
    const size_t height = b->layer->out.height, size = b->layer->out.width * (size_t)b->layer->MH;
    for (size_t line = bnn_slice_at(p->n, BNN_SLICES, i) * height; line < bnn_slice_at(p->n, BNN_SLICES, i + 1) * height; line++) {
        bnn_norm_gradient(b, p->m->line[thread], line);
        bnn_gemm_store(g, bnn_gemm_at(g, b->d_acc, line * size), p->m->line[thread], size);
    }
}

void bnn_norm_store_gradient(bnn_model *m, bnn_block *b, size_t n)
{
    struct pass p = { m, b, n, false };
    bnn_pool_run(m->pool, BNN_SLICES, store_slice, &p);
}
