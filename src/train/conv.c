/* conv.c -- the two gradients of a valid K x K convolution, by products of unfolded windows.
 *
 * A row of `column` is one window in the order of the synapses, (ky, kx,
 * channel): K runs of K x channels neighbouring elements of the map. Then
 *     d_weights = d_acc^T column        summed over the images of a slice
 *     d_column  = d_acc weights         added back to the places it was copied from
 * A few images at a time, so that the windows stay in the second-level cache.
 */
#include "train/model.h"
#include "train/clones.h"

#include <string.h>

struct pass {
    bnn_model  *m;
    bnn_block  *b;
    const void *in;
    float      *d_in;
    size_t      n, slices;
};

size_t bnn_conv_chunk(const bnn_block *b)
{
    enum { ROWS = 512 };
    return b->positions >= ROWS ? 1 : ROWS / b->positions;
}

static void unfold(const bnn_model *m, const bnn_layer *l, const void *map, void *column)
{
    const size_t size = m->gemm.size, run = l->kernel * l->in.channels * size, pixel = l->in.channels * size;
    const char *from = map;
    char *to = column;
    for (uint32_t y = 0; y < l->out.height; y++)
        for (uint32_t x = 0; x < l->out.width; x++)
            for (uint32_t ky = 0; ky < l->kernel; ky++, to += run)
                memcpy(to, from + ((size_t)(y + ky) * l->in.width + x) * pixel, run);
}

BNN_CLONES static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += from[i];
}

static void fold_back(const bnn_layer *l, const float *column, float *map)
{
    const size_t run = (size_t)l->kernel * l->in.channels;
    memset(map, 0, bnn_shape_size(l->in) * sizeof *map);
    for (uint32_t y = 0; y < l->out.height; y++)
        for (uint32_t x = 0; x < l->out.width; x++)
            for (uint32_t ky = 0; ky < l->kernel; ky++, column += run)
                add(map + ((size_t)(y + ky) * l->in.width + x) * l->in.channels, column, run);
}

static void unfold_images(const struct pass *p, void *column, size_t first, size_t count)
{
    const bnn_layer *l = p->b->layer;
    const bnn_gemm *g = &p->m->gemm;
    for (size_t i = 0; i < count; i++)
        unfold(p->m, l, bnn_gemm_at(g, p->in, (first + i) * bnn_shape_size(l->in)),
               bnn_gemm_at(g, column, i * p->b->positions * l->MW));
}

static size_t chunk_at(const bnn_block *b, size_t at, size_t end)
{
    const size_t chunk = bnn_conv_chunk(b);
    return end - at < chunk ? end - at : chunk;
}

static void backward_slice(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const bnn_layer *l = b->layer;
    const bnn_gemm *g = &p->m->gemm;
    const size_t MW = l->MW, MH = l->MH, start = bnn_slice_at(p->n, p->slices, i), end = bnn_slice_at(p->n, p->slices, i + 1);
    void  *column     = p->m->column[thread];
    float *d_column   = p->m->d_column[thread];
    float *d_weights  = b->d_weights + i * MH * MW;
    if (start == end)
        memset(d_weights, 0, MH * MW * sizeof *d_weights);
    for (size_t at = start, count; at < end; at += count) {
        count = chunk_at(b, at, end);
        const size_t rows = count * b->positions;
        const void *d_acc = bnn_gemm_at(g, b->d_acc, at * b->positions * MH);
        unfold_images(p, column, at, count);
        bnn_gemm_run(g, 'T', 'N', MH, MW, rows, d_acc, MH, column, MW, at > start, d_weights, MW);
        if (!p->d_in)
            continue;
        bnn_gemm_run(g, 'N', 'N', rows, MW, MH, d_acc, MH, b->weights, MW, 0, d_column, MW);
        for (size_t k = 0; k < count; k++)
            fold_back(l, d_column + k * b->positions * MW, p->d_in + (at + k) * bnn_shape_size(l->in));
    }
}

void bnn_conv_backward(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n)
{
    struct pass p = { m, b, in, d_in, n, b->slices };
    bnn_pool_run(m->pool, p.slices, backward_slice, &p);
}
