/* product.c -- the products of the forward pass, by the kernels of the deployed network.
 *
 * Weights and activations are one or two bits, so their products are exact
 * integers, and XNOR and popcount compute them many times faster than floats
 * could: the forward pass nearly vanishes beside the backward one.
 */
#include "train/model.h"
#include "train/clones.h"
#include "base/mem.h"

#include <string.h>

/* ---------------------------------------------------------------- set-up -- */

static void choose_kernels(bnn_kernels *k)
{
    const bnn_level *best = NULL, *level;
    for (size_t i = 0; (level = bnn_level_at(i)) != NULL; i++)
        if (!bnn_level_missing(level))
            best = level;
    bnn_kernels_init(k, best);
}

static bnn_mvtu unit_of(const bnn_layer *l)
{
    return (bnn_mvtu){
        .in_height = l->in.height, .in_width = l->in.width, .in_channels = l->in.channels,
        .in_planes = l->input_bits == 8 ? 0 : l->input_bits,
        .kh = l->kind == BNN_CONV ? l->kernel : l->in.height, .kw = l->kind == BNN_CONV ? l->kernel : l->in.width,
        .out_height = l->out.height, .out_width = l->out.width,
        .MW = l->MW, .MH = l->MH, .weight_planes = l->weight_bits,
    };
}

/* A flat 1-bit input has no padding between its pixels: a dense first layer
 * reads it as one pixel of many channels. */
static bnn_mvtu flattened(bnn_mvtu u)
{
    u.in_channels = u.MW;
    u.in_height = u.in_width = u.kh = u.kw = 1;
    return u;
}

static int new_block(bnn_model *m, bnn_block *b, bnn_error *err)
{
    const bnn_kernels *k = &m->kernels;
    b->unit = unit_of(b->layer);
    if (b->index == 0 && b->layer->kind == BNN_DENSE)
        b->unit = flattened(b->unit);
    b->natural = bnn_alloc(bnn_weight_words(b->layer), sizeof *b->natural);
    b->packed  = bnn_alloc(k->unit.weight_size(&b->unit), 1);
    b->bits    = b->last ? NULL : bnn_alloc(m->batch * b->outputs * b->layer->output_bits * bnn_plane_words(b->layer->MH), 8);
    b->unit.weights = b->packed;
    return b->natural && b->packed && (b->bits || b->last) ? BNN_OK : bnn_fail_memory(err, bnn_weight_words(b->layer) * 8);
}

int bnn_product_new(bnn_model *m, bnn_error *err)
{
    size_t room = 0;
    choose_kernels(&m->kernels);
    for (uint32_t i = 0; i < m->blocks; i++) {
        const int rc = new_block(m, &m->block[i], err);
        if (rc != BNN_OK)
            return rc;
        const size_t scratch = m->kernels.unit.scratch_size(&m->block[i].unit);
        room = scratch > room ? scratch : room;
    }
    const size_t input = m->batch * bnn_mvtu_in_size(&m->block[0].unit);
    m->input_bits = bnn_alloc(input, 1);
    m->scratch    = bnn_alloc(bnn_pool_threads(m->pool), sizeof *m->scratch);
    for (unsigned t = 0; m->scratch && t < bnn_pool_threads(m->pool); t++)
        if (!(m->scratch[t] = bnn_alloc(room, 1)))
            return bnn_fail_memory(err, room);
    return m->input_bits && m->scratch ? BNN_OK : bnn_fail_memory(err, input);
}

/* --------------------------------------------------------------- to bits -- */

BNN_CLONES static void to_flags(uint8_t *restrict positive, uint8_t *restrict nonzero, const int8_t *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        positive[i] = v[i] > 0;
        nonzero[i]  = v[i] != 0;
    }
}

static void pixel_bits(const bnn_model *m, uint64_t *out, const int8_t *values, uint32_t planes, size_t channels)
{
    enum { BLOCK = 1024 }; /* a multiple of 64 */
    uint8_t positive[BLOCK], nonzero[BLOCK];
    for (size_t at = 0; at < channels; at += BLOCK) {
        const size_t count = channels - at < BLOCK ? channels - at : BLOCK;
        to_flags(positive, nonzero, values + at, count);
        m->kernels.pack(out + at / 64, positive, 1, NULL, count);
        if (planes == 2)
            m->kernels.pack(out + bnn_plane_words((uint32_t)channels) + at / 64, nonzero, 1, NULL, count);
    }
}

/* Pixels without padding or a second plane between them are one. */
void bnn_product_bits(const bnn_model *m, uint64_t *out, const int8_t *values, uint32_t planes, size_t channels, size_t pixels)
{
    if (planes == 1 && channels % 64 == 0) {
        pixel_bits(m, out, values, 1, channels * pixels);
        return;
    }
    for (; pixels > 0; pixels--, values += channels, out += planes * bnn_plane_words((uint32_t)channels))
        pixel_bits(m, out, values, planes, channels);
}

void bnn_model_set_input(bnn_model *m, size_t i, const float *values)
{
    static const bnn_gemm small = { .size = 1 };
    const bnn_mvtu *u = &m->block[0].unit;
    const size_t size = bnn_shape_size(m->topology.input);
    char *to = (char *)m->input_bits + i * bnn_mvtu_in_size(u);
    int8_t *v = m->input_values + i * size;
    bnn_gemm_store(&small, v, values, size);
    if (!bnn_gemm_coarse(&m->gemm))
        bnn_gemm_store(&m->gemm, bnn_gemm_at(&m->gemm, m->input, i * size), values, size);
    if (u->in_planes == 0)
        memcpy(to, v, size);
    else
        bnn_product_bits(m, (uint64_t *)(void *)to, v, 1, u->in_channels, size / u->in_channels);
}

struct pass {
    bnn_model  *m;
    bnn_block  *b;
    const void *bits;
    size_t      n;
    bool        sums; /* of the statistics */
};

enum { ROWS = 16 }; /* of weights in one task */

static void weight_rows(void *context, size_t i, unsigned thread)
{
    const struct pass *p = context;
    const bnn_layer *l = p->b->layer;
    const size_t words = bnn_row_words(l), end = (i + 1) * ROWS < l->MH ? (i + 1) * ROWS : l->MH;
    (void)thread;
    for (size_t r = i * ROWS; r < end; r++)
        bnn_product_bits(p->m, p->b->natural + r * l->weight_bits * words, p->b->small_weights + r * l->MW, l->weight_bits, l->MW, 1);
}

void bnn_product_weights(bnn_model *m, bnn_block *b)
{
    struct pass p = { .m = m, .b = b };
    bnn_pool_run(m->pool, (b->layer->MH + ROWS - 1) / ROWS, weight_rows, &p);
    m->kernels.unit.weight_pack(b->packed, &b->unit, b->natural);
}

/* --------------------------------------------------------------- forward -- */

/* Integers to floats in place: both have four bytes, and each is read before it is written. */
BNN_CLONES static void to_floats(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t x;
        __builtin_memcpy(&x, &v[i], 4);
        v[i] = (float)x;
    }
}

static void forward_slice(void *context, size_t i, unsigned thread)
{
    enum { CACHED = 1 << 16 }; /* sums that stay in the second-level cache until they are floats */
    const struct pass *p = context;
    const bnn_block *b = p->b;
    const size_t size = b->positions * b->layer->MH, chunk = size < CACHED ? CACHED / size : 1;
    const size_t end = bnn_slice_at(p->n, BNN_SLICES, i + 1), in = bnn_mvtu_in_size(&b->unit);
    if (p->sums)
        bnn_norm_clear(p->b, i);
    for (size_t at = bnn_slice_at(p->n, BNN_SLICES, i), n; at < end; at += n) {
        n = end - at < chunk ? end - at : chunk;
        p->m->kernels.unit.mvtu(&b->unit, (const char *)p->bits + at * in, b->acc + at * size, n, p->m->scratch[thread]);
        to_floats(b->acc + at * size, n * size);
        if (p->sums)
            bnn_norm_add(p->b, i, at, n);
    }
}

void bnn_product_forward(bnn_model *m, bnn_block *b, const void *bits, size_t n, enum bnn_mode mode)
{
    struct pass p = { m, b, bits, n, mode != BNN_FROZEN && !b->last };
    bnn_pool_run(m->pool, BNN_SLICES, forward_slice, &p);
}
