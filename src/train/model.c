/* model.c -- building the blocks of a topology, and the passes over them. */
#include "train/model.h"
#include "train/coarse.h"
#include "train/random.h"
#include "base/mem.h"

#include <string.h>

#define GAIN_MIN 0.01f /* the gain of the scores stays positive (loss.c) */

/* -------------------------------------------------------------- building -- */

static size_t weights_of(const bnn_block *b) { return (size_t)b->layer->MW * b->layer->MH; }

/* Ranges of images over which a convolution sums its weight gradients: enough
 * rows in each to keep the product fast. */
static size_t slices_of(const bnn_block *b, size_t batch)
{
    enum { ROWS = 512 };
    const size_t slices = batch * b->positions / ROWS;
    if (b->flat || slices < 1)
        return 1;
    return slices < BNN_SLICES ? slices : BNN_SLICES;
}

static int new_trainable(bnn_block *b, size_t batch, size_t operand, bnn_error *err)
{
    const size_t MH = b->layer->MH, norms = b->last ? 1 : MH;
    const bool coarse = operand == 1;
    int rc = bnn_adam_new(&b->latent, weights_of(b), err);
    if (rc == BNN_OK)
        rc = bnn_adam_new(&b->gamma, norms, err);
    if (rc == BNN_OK)
        rc = bnn_adam_new(&b->beta, norms, err);
    b->d_out     = bnn_alloc(batch * b->outputs * MH, sizeof(float));
    b->d_acc     = bnn_alloc(coarse ? 0 : batch * b->positions * MH, operand);
    b->d_weights = bnn_alloc(b->slices * weights_of(b), sizeof(float));
    b->k         = bnn_alloc(5 * MH, sizeof(float));
    if (rc == BNN_OK && (!b->d_out || !b->d_acc || !b->d_weights || !b->k))
        rc = bnn_fail_memory(err, batch * b->positions * MH * sizeof(float));
    for (size_t i = 0; rc == BNN_OK && i < norms; i++)
        b->gamma.value[i] = 1;
    return rc;
}

static int new_block(bnn_block *b, size_t batch, bool trainable, size_t operand, bnn_error *err)
{
    const size_t MH = b->layer->MH;
    b->slices     = slices_of(b, batch);
    b->weights    = bnn_alloc(weights_of(b), operand);
    b->small_weights = operand == 1 ? b->weights : bnn_alloc(weights_of(b), 1);
    b->norm.mean  = bnn_alloc(MH, sizeof(float));
    b->norm.scale = bnn_alloc(MH, sizeof(float));
    b->norm.beta  = bnn_alloc(MH, sizeof(float));
    b->inv        = bnn_alloc(MH, sizeof(float));
    b->partial    = bnn_alloc(2 * BNN_SLICES * MH, sizeof(double));
    b->measured   = bnn_alloc(2 * MH, sizeof(double));
    b->acc        = bnn_alloc(batch * b->positions * MH, sizeof(float));
    b->out        = bnn_alloc(batch * b->outputs * MH, operand);
    b->winner     = bnn_alloc(b->pooled ? batch * b->outputs * MH : 0, 1);
    if (!b->weights || !b->small_weights || !b->norm.mean || !b->norm.scale || !b->norm.beta || !b->inv || !b->partial || !b->measured || !b->acc
        || !b->out || !b->winner)
        return bnn_fail_memory(err, batch * b->positions * MH * sizeof(float));
    return trainable ? new_trainable(b, batch, operand, err) : BNN_OK;
}

static void free_block(bnn_block *b)
{
    void *const owned[] = { b->weights, b->small_weights != b->weights ? b->small_weights : NULL, b->norm.mean, b->norm.scale, b->norm.beta, b->inv, b->partial, b->measured, b->acc,
                            b->out, b->winner, b->d_out, b->d_acc, b->d_weights, b->k, b->natural, b->packed, b->bits,
                            b->w_blocks, b->in_blocks };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bnn_free(owned[i]);
    bnn_adam_free(&b->latent);
    bnn_adam_free(&b->gamma);
    bnn_adam_free(&b->beta);
}

/* Layers to blocks: a pool belongs to the layer before it. */
static int find_blocks(bnn_model *m, bnn_error *err)
{
    const bnn_topology *t = &m->topology;
    for (uint32_t i = 0; i < t->layers; i++) {
        const bnn_layer *l = &t->layer[i];
        if (l->kind == BNN_MAXPOOL) {
            bnn_block *b = m->blocks ? &m->block[m->blocks - 1] : NULL;
            if (!b || b->pooled)
                return bnn_fail(err, BNN_ESHAPE, "layer %u: a maxpool that does not follow a conv layer; training expects one there", i);
            b->pooled  = true;
            b->outputs = (size_t)l->out.height * l->out.width;
            continue;
        }
        bnn_block *b = &m->block[m->blocks++];
        *b = (bnn_block){ .layer = l, .index = i, .last = i + 1 == t->layers };
        b->positions = b->outputs = (size_t)l->out.height * l->out.width;
        b->flat = b->positions == 1;
    }
    if (bnn_topology_last(t)->last_bits)
        return bnn_fail(err, BNN_ESHAPE, "a last layer of threshold bits; training expects 'scores'");
    return BNN_OK;
}

/* Room for the windows of the largest convolution, for each thread. */
static int new_columns(bnn_model *m, bnn_error *err)
{
    const unsigned threads = bnn_pool_threads(m->pool);
    size_t room = 0;
    for (uint32_t i = 0; i < m->blocks; i++) {
        const bnn_block *b = &m->block[i];
        const size_t n = b->layer->kind == BNN_CONV ? bnn_conv_chunk(b) * b->positions * b->layer->MW : 0;
        room = n > room ? n : room;
    }
    m->column   = bnn_alloc(threads, sizeof *m->column);
    m->d_column = bnn_alloc(threads, sizeof *m->d_column);
    for (unsigned t = 0; m->column && m->d_column && t < threads; t++) {
        m->column[t]   = bnn_alloc(room, m->gemm.size);
        m->d_column[t] = bnn_alloc(m->trainable ? room : 0, sizeof(float));
        if (!m->column[t] || !m->d_column[t])
            return bnn_fail_memory(err, room * sizeof(float));
    }
    return m->column && m->d_column ? BNN_OK : bnn_fail_memory(err, threads * sizeof(void *));
}

/* Room for a line of any block, for each thread. */
static int new_lines(bnn_model *m, bnn_error *err)
{
    const unsigned threads = bnn_pool_threads(m->pool);
    size_t room = 0;
    for (uint32_t i = 0; i < m->blocks; i++) {
        const size_t n = (size_t)m->block[i].layer->out.width * m->block[i].layer->MH;
        room = n > room ? n : room;
    }
    m->line   = bnn_alloc(threads, sizeof *m->line);
    m->values = bnn_alloc(threads, sizeof *m->values);
    for (unsigned t = 0; m->line && m->values && t < threads; t++) {
        m->line[t]   = bnn_alloc(room, sizeof(float));
        m->values[t] = bnn_alloc(room, 1);
        if (!m->line[t] || !m->values[t])
            return bnn_fail_memory(err, room * sizeof(float));
    }
    return m->line && m->values ? BNN_OK : bnn_fail_memory(err, threads * sizeof(void *));
}

static int fill(bnn_model *m, const char *maths, bnn_error *err)
{
    int rc = find_blocks(m, err);
    if (rc == BNN_OK)
        rc = bnn_gemm_open(&m->gemm, maths, err);
    for (uint32_t i = 0; rc == BNN_OK && i < m->blocks; i++)
        rc = new_block(&m->block[i], m->batch, m->trainable, m->gemm.size, err);
    if (rc != BNN_OK)
        return rc;
    m->input    = bnn_alloc(m->batch * bnn_shape_size(m->topology.input), m->gemm.size);
    m->input_values = bnn_gemm_coarse(&m->gemm) ? m->input : bnn_alloc(m->batch * bnn_shape_size(m->topology.input), 1);
    m->d_logits = bnn_alloc(m->batch * bnn_topology_last(&m->topology)->MH, sizeof(float));
    if (!m->input || !m->input_values || !m->d_logits)
        return bnn_fail_memory(err, m->batch * sizeof(float));
    rc = new_lines(m, err);
    if (rc == BNN_OK && !bnn_gemm_coarse(&m->gemm))
        rc = new_columns(m, err);
    else if (rc == BNN_OK && m->trainable)
        rc = bnn_coarse_new(m, err);
    return rc == BNN_OK ? bnn_product_new(m, err) : rc;
}

int bnn_model_new(bnn_model **out, const bnn_topology *t, uint32_t classes, size_t batch, bool trainable,
                  const char *maths, bnn_pool *pool, bnn_error *err)
{
    bnn_model *m = bnn_alloc(1, sizeof *m);
    if (!m)
        return bnn_fail_memory(err, sizeof *m);
    m->topology  = *t;
    m->classes   = classes;
    m->batch     = batch;
    m->trainable = trainable;
    m->pool      = pool;
    const int rc = fill(m, maths, err);
    if (rc != BNN_OK) {
        bnn_model_free(m);
        return rc;
    }
    *out = m;
    return BNN_OK;
}

int bnn_model_want_input(bnn_model *m, bnn_error *err)
{
    const size_t size = m->batch * bnn_shape_size(m->topology.input);
    m->d_input = bnn_alloc(size, sizeof *m->d_input);
    if (!m->d_input)
        return bnn_fail_memory(err, size * sizeof *m->d_input);
    return bnn_gemm_coarse(&m->gemm) ? bnn_coarse_want_input(m, err) : BNN_OK;
}

void bnn_model_free(bnn_model *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->blocks; i++)
        free_block(&m->block[i]);
    for (unsigned t = 0; t < bnn_pool_threads(m->pool); t++) {
        bnn_free(m->column ? m->column[t] : NULL);
        bnn_free(m->d_column ? m->d_column[t] : NULL);
        bnn_free(m->scratch ? m->scratch[t] : NULL);
        bnn_free(m->line ? m->line[t] : NULL);
        bnn_free(m->values ? m->values[t] : NULL);
    }
    bnn_coarse_free(m);
    bnn_free(m->scratch);
    bnn_free(m->input_bits);
    bnn_free(m->column);
    bnn_free(m->d_column);
    bnn_free(m->line);
    bnn_free(m->values);
    if ((void *)m->input_values != m->input)
        bnn_free(m->input_values);
    bnn_free(m->input);
    bnn_free(m->d_logits);
    bnn_free(m->d_input);
    bnn_gemm_close(&m->gemm);
    bnn_free(m);
}

/* The layer of a network that has the block's place and shape, or NULL. */
static const bnn_layer *same_layer(const bnn_network *net, const bnn_block *b)
{
    const bnn_layer *l = net && b->index < net->topology.layers ? &net->topology.layer[b->index] : NULL;
    return l && l->kind == b->layer->kind && l->MW == b->layer->MW && l->MH == b->layer->MH ? l : NULL;
}

/* A weight w starts between w/4 and 3w/4: it keeps its sign, and may still change. */
static void start_from(bnn_block *b, const bnn_network *net, const bnn_layer *l)
{
    for (uint32_t r = 0; r < l->MH; r++)
        for (uint32_t s = 0; s < l->MW; s++) {
            float *latent = &b->latent.value[(size_t)r * l->MW + s];
            *latent = 0.5f * (float)bnn_weight_at(l, &net->matrix[b->index], r, s) + 0.25f * *latent;
        }
}

void bnn_model_init(bnn_model *m, uint64_t seed, const bnn_network *from)
{
    for (uint32_t i = 0; i < m->blocks; i++) {
        bnn_block *b = &m->block[i];
        bnn_random r = bnn_random_at(seed, BNN_FOR_WEIGHTS, i);
        for (size_t k = 0; k < b->latent.size; k++)
            b->latent.value[k] = bnn_random_unit(&r);
        const bnn_layer *l = same_layer(from, b);
        if (l)
            start_from(b, from, l);
    }
    bnn_model_quantise_weights(m);
}

/* --------------------------------------------------------------- forward -- */

static const void *input_of(const bnn_model *m, uint32_t block)
{
    return block == 0 ? m->input : m->block[block - 1].out;
}

void bnn_model_forward(bnn_model *m, size_t n, enum bnn_mode mode)
{
    for (uint32_t i = 0; i < m->blocks; i++) {
        bnn_block *b = &m->block[i];
        bnn_product_forward(m, b, i == 0 ? m->input_bits : m->block[i - 1].bits, n, mode);
        if (b->last) {
            bnn_scores_statistics(m, n, mode);
        } else {
            bnn_norm_statistics(b, n, mode);
            bnn_norm_forward(m, b, n, mode);
        }
    }
    m->measured += mode == BNN_MEASURE;
}

void bnn_model_measured(bnn_model *m)
{
    for (uint32_t i = 0; i + 1 < m->blocks; i++)
        bnn_norm_measured(&m->block[i], m->measured);
    bnn_scores_measured(&m->block[m->blocks - 1], m->measured);
    m->measured = 0;
}

/* -------------------------------------------------------------- backward -- */

void bnn_model_products(bnn_model *m, uint32_t block, size_t n)
{
    bnn_block *b = &m->block[block];
    float *d_in = block > 0 ? m->block[block - 1].d_out : m->d_input;
    if (bnn_gemm_coarse(&m->gemm)) {
        (b->flat ? bnn_coarse_dense : bnn_coarse_conv)(m, b, input_of(m, block), d_in, n);
        return;
    }
    bnn_norm_store_gradient(m, b, n);
    (b->flat ? bnn_dense_backward : bnn_conv_backward)(m, b, input_of(m, block), d_in, n);
}

void bnn_model_backward(bnn_model *m, size_t n)
{
    for (uint32_t i = m->blocks; i-- > 0;) {
        bnn_block *b = &m->block[i];
        if (b->last)
            bnn_loss_backward(m, n);
        else
            bnn_norm_backward(m, b, n);
        bnn_model_products(m, i, n);
    }
}

/* ------------------------------------------------------------- optimiser -- */

enum { PIECE = 1 << 14 }; /* latents of one task: their arrays fit the second-level cache */

struct update {
    bnn_model    *m;
    bnn_block    *b;
    bnn_adam_step step;
    bool          optimise; /* else only quantise */
};

static void update_piece(void *context, size_t i, unsigned thread)
{
    const struct update *u = context;
    bnn_block *b = u->b;
    const size_t first = i * PIECE, left = b->latent.size - first, n = left < PIECE ? left : PIECE;
    int8_t *q = b->small_weights + first;
    (void)thread;
    if (u->optimise)
        bnn_adam_update(&u->step, &b->latent, first, n, b->d_weights, b->slices, b->latent.size, -1, 1);
    bnn_quantise_weights(q, b->latent.value + first, b->layer->weight_bits, n);
    if (!bnn_gemm_coarse(&u->m->gemm))
        bnn_gemm_store_small(&u->m->gemm, bnn_gemm_at(&u->m->gemm, b->weights, first), q, n);
}

static void update_norm(const struct update *u, bnn_block *b)
{
    const size_t MH = b->layer->MH;
    const float inf = 1e30f;
    if (b->last) {
        bnn_adam_update(&u->step, &b->gamma, 0, 1, b->k, 1, 0, GAIN_MIN, inf);
        return;
    }
    bnn_adam_update(&u->step, &b->beta, 0, MH, b->k + 3 * MH, 1, 0, -inf, inf);
    bnn_adam_update(&u->step, &b->gamma, 0, MH, b->k + 4 * MH, 1, 0, -inf, inf);
}

static void update_all(bnn_model *m, struct update *u)
{
    for (uint32_t i = 0; i < m->blocks; i++) {
        u->b = &m->block[i];
        bnn_pool_run(m->pool, (u->b->latent.size + PIECE - 1) / PIECE, update_piece, u);
        if (u->optimise)
            update_norm(u, u->b);
        bnn_product_weights(m, u->b);
        if (bnn_gemm_coarse(&m->gemm))
            bnn_coarse_weights(m, u->b);
    }
}

void bnn_model_update(bnn_model *m, float learning_rate)
{
    struct update u = { .m = m, .step = bnn_adam_at(++m->steps, learning_rate), .optimise = true };
    update_all(m, &u);
}

void bnn_model_quantise_weights(bnn_model *m)
{
    struct update u = { .m = m };
    update_all(m, &u);
}
