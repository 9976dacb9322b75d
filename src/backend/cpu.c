/* cpu.c -- runs networks on this CPU, by the kernels of one level.
 *
 * Images go through all layers in blocks, a block a task of the thread pool:
 * so the weights are read once a block, and activations stay in the cache.
 */
#include "backend/backend.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kernel/kernel.h"

#include <string.h>

enum { BLOCK = 16 }; /* images in a task */

struct bnn_backend_state {
    const bnn_network *net;
    bnn_kernels        kernels;
    bnn_pool          *pool;
    bnn_mvtu          *mvtu;    /* [layers]; unused of pools */
    void             **weights; /* [layers] packed */
    size_t             map_size;    /* bytes of the largest map of one image */
    uint8_t          **map[2];  /* [threads] BLOCK maps: a layer reads one, writes the other */
};

/* Kernel levels of this build, weakest first. */
static const struct { const char *name, *summary; void (*init)(bnn_kernels *); } level[] = {
    { "scalar", "portable C, the reference", bnn_kernels_init_scalar },
};
enum { LEVELS = sizeof level / sizeof *level };

int bnn_cpu_level_at(size_t index, bnn_backend_info *info)
{
    if (index >= LEVELS)
        return BNN_EINVAL;
    *info = (bnn_backend_info){ .name = level[index].name, .summary = level[index].summary };
    return BNN_OK;
}

static int choose_level(bnn_kernels *k, const char *name, bnn_error *err)
{
    size_t i = LEVELS;
    if (!name || strcmp(name, "auto") == 0)
        i = LEVELS - 1;
    else
        for (i = 0; i < LEVELS && strcmp(level[i].name, name) != 0;)
            i++;
    if (i == LEVELS)
        return bnn_fail(err, BNN_EBACKEND, "cpu level '%s'; \"bnn info --cpu\" lists what this machine has", name);
    level[i].init(k);
    return BNN_OK;
}

/* ----------------------------------------------------------------- open -- */

/* The packed input is flat when the first layer is dense: no padding between pixels. */
static bool is_flat(const bnn_topology *t, uint32_t i)
{
    return i == 0 || t->layer[i].in.channels % 64 == 0;
}

static void describe(bnn_mvtu *m, const bnn_topology *t, uint32_t i, const bnn_matrix *matrix)
{
    const bnn_layer *l = &t->layer[i];
    *m = (bnn_mvtu){
        .in_height     = l->in.height,
        .in_width      = l->in.width,
        .in_channels   = l->in.channels,
        .in_planes     = l->input_bits == 8 ? 0 : l->input_bits,
        .out_height    = l->out.height,
        .out_width     = l->out.width,
        .kh            = l->kind == BNN_CONV ? l->kernel : l->in.height,
        .kw            = l->kind == BNN_CONV ? l->kernel : l->in.width,
        .MW            = l->MW,
        .MH            = l->MH,
        .weight_planes = l->weight_bits,
        .thresholds    = l->last_bits ? 0 : l->thresholds, /* of thresholded ends the sums are wanted */
        .threshold     = matrix->thresholds,
    };
    if (l->kind == BNN_DENSE && is_flat(t, i)) {
        const bool ternary = l->input_bits == 2 && i > 0 && l->in.height * l->in.width > 1;
        if (!ternary) { /* planes of a ternary map lie pixel by pixel */
            m->in_height = m->in_width = m->kh = m->kw = 1;
            m->in_channels = l->MW;
        }
    }
}

static int prepare_layer(bnn_backend_state *s, uint32_t i, bnn_error *err)
{
    const bnn_topology *t = &s->net->topology;
    if (t->layer[i].kind == BNN_MAXPOOL)
        return BNN_OK;
    bnn_mvtu *m = &s->mvtu[i];
    describe(m, t, i, &s->net->matrix[i]);
    const size_t size = s->kernels.weight_size(m);
    s->weights[i] = bnn_alloc(size, 1);
    if (!s->weights[i])
        return bnn_fail_memory(err, size);
    s->kernels.weight_pack(s->weights[i], m, s->net->matrix[i].weights);
    m->weights = s->weights[i];
    const size_t in = bnn_mvtu_in_size(m), out = bnn_mvtu_out_size(m);
    s->map_size = in > s->map_size ? in : s->map_size;
    s->map_size = out > s->map_size ? out : s->map_size;
    return BNN_OK;
}

static int open_scratch(bnn_backend_state *s, bnn_error *err)
{
    const unsigned threads = bnn_pool_threads(s->pool);
    s->map_size = (s->map_size + 7) & ~(size_t)7; /* whole words */
    s->map[0] = bnn_alloc(threads, sizeof *s->map[0]);
    s->map[1] = bnn_alloc(threads, sizeof *s->map[1]);
    if (!s->map[0] || !s->map[1])
        return bnn_fail_memory(err, threads * sizeof *s->map[0]);
    for (unsigned i = 0; i < 2 * threads; i++) {
        s->map[i % 2][i / 2] = bnn_alloc(BLOCK, s->map_size);
        if (!s->map[i % 2][i / 2])
            return bnn_fail_memory(err, BLOCK * s->map_size);
    }
    return BNN_OK;
}

static void cpu_close(bnn_backend_state *s)
{
    if (!s)
        return;
    const unsigned threads = s->pool ? bnn_pool_threads(s->pool) : 0;
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; s->map[i] && k < threads; k++)
            bnn_free(s->map[i][k]);
        bnn_free(s->map[i]);
    }
    for (uint32_t i = 0; s->weights && i < s->net->topology.layers; i++)
        bnn_free(s->weights[i]);
    bnn_free(s->weights);
    bnn_free(s->mvtu);
    bnn_pool_close(s->pool);
    bnn_free(s);
}

static int cpu_open(bnn_backend_state **out, const bnn_network *net, const bnn_options *options, bnn_error *err)
{
    bnn_backend_state *s = bnn_alloc(1, sizeof *s);
    if (!s)
        return bnn_fail_memory(err, sizeof *s);
    s->net     = net;
    s->mvtu    = bnn_alloc(net->topology.layers, sizeof *s->mvtu);
    s->weights = bnn_alloc(net->topology.layers, sizeof *s->weights);
    int rc = s->mvtu && s->weights ? BNN_OK : bnn_fail_memory(err, net->topology.layers * sizeof *s->mvtu);
    if (rc == BNN_OK)
        rc = choose_level(&s->kernels, options->cpu, err);
    if (rc == BNN_OK)
        rc = bnn_pool_open(&s->pool, options->threads, err);
    for (uint32_t i = 0; rc == BNN_OK && i < net->topology.layers; i++)
        rc = prepare_layer(s, i, err);
    if (rc == BNN_OK)
        rc = open_scratch(s, err);
    if (rc == BNN_OK)
        *out = s;
    else
        cpu_close(s);
    return rc;
}

/* ------------------------------------------------------------------ run -- */

static size_t layer_out_size(const bnn_backend_state *s, uint32_t i)
{
    const bnn_layer *l = &s->net->topology.layer[i];
    if (l->kind == BNN_MAXPOOL)
        return (size_t)l->out.height * l->out.width * l->output_bits * bnn_plane_words(l->out.channels) * 8;
    return bnn_mvtu_out_size(&s->mvtu[i]);
}

/* Pixels to packed input: bits (flat before a dense layer, else pixel by pixel) or fixed point. */
static void pack_image(const bnn_backend_state *s, uint8_t *out, const uint8_t *pixels)
{
    const bnn_rule *rule = &s->net->rule;
    const bnn_mvtu *m = &s->mvtu[0];
    const size_t size = bnn_shape_size(rule->shape), C = m->in_channels;
    if (rule->bits == 8) {
        for (size_t i = 0; i < size; i++)
            ((int8_t *)out)[i] = bnn_rule_q(rule, pixels[i]);
        return;
    }
    const unsigned at_least = bnn_rule_level(rule, pixels);
    uint64_t *words = (uint64_t *)(void *)out;
    for (size_t at = 0; at < size; at += C, words += bnn_plane_words(m->in_channels))
        s->kernels.pack(words, pixels + at, at_least, rule->table ? rule->table + at : NULL, C);
}

static void run_layer(const bnn_backend_state *s, uint32_t i, const uint8_t *x, uint8_t *y, size_t n)
{
    const bnn_layer *l = &s->net->topology.layer[i];
    if (l->kind != BNN_MAXPOOL) {
        s->kernels.mvtu(&s->mvtu[i], x, y, n);
        return;
    }
    const size_t in = 4 * layer_out_size(s, i), out = layer_out_size(s, i);
    for (size_t k = 0; k < n; k++)
        s->kernels.maxpool((uint64_t *)(void *)(y + k * out), (const uint64_t *)(const void *)(x + k * in), l->in.height,
                           l->in.width, l->input_bits, bnn_plane_words(l->in.channels));
}

/* Runs layers 0..last of up to BLOCK images; returns the map that holds the outputs. */
static const uint8_t *run_block(const bnn_backend_state *s, const uint8_t *images, size_t n, uint32_t last, unsigned thread)
{
    uint8_t *x = s->map[0][thread], *y = s->map[1][thread];
    const size_t pixels = bnn_shape_size(s->net->rule.shape), in = bnn_mvtu_in_size(&s->mvtu[0]);
    for (size_t k = 0; k < n; k++)
        pack_image(s, x + k * in, images + k * pixels);
    for (uint32_t i = 0; i <= last && last != UINT32_MAX; i++) {
        run_layer(s, i, x, y, n);
        uint8_t *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

/* Sums of the last layer to scores. */
static void to_scores(const bnn_network *net, int32_t *scores, const int32_t *sums, size_t n)
{
    const uint32_t last = net->topology.layers - 1, rows = net->topology.layer[last].MH;
    memcpy(scores, sums, n * rows * sizeof *scores);
    if (!net->topology.layer[last].last_bits)
        return;
    for (size_t k = 0; k < n; k++)
        for (uint32_t r = 0; r < rows; r++)
            scores[k * rows + r] -= net->matrix[last].thresholds[r];
}

struct job { const bnn_backend_state *state; const uint8_t *images; size_t count; int32_t *scores; };

static void run_task(void *context, size_t i, unsigned thread)
{
    const struct job *job = context;
    const bnn_backend_state *s = job->state;
    const size_t first = i * BLOCK, n = job->count - first < BLOCK ? job->count - first : BLOCK;
    const uint32_t last = s->net->topology.layers - 1, rows = s->net->topology.layer[last].MH;
    const uint8_t *sums = run_block(s, job->images + first * bnn_shape_size(s->net->rule.shape), n, last, thread);
    to_scores(s->net, job->scores + first * rows, (const int32_t *)(const void *)sums, n);
}

static int cpu_run(bnn_backend_state *s, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err)
{
    struct job job = { s, images, count, scores };
    (void)err;
    bnn_pool_run(s->pool, (count + BLOCK - 1) / BLOCK, run_task, &job);
    return BNN_OK;
}

/* ---------------------------------------------------------------- trace -- */

/* One pixel of `channels` values from its planes. */
static void unpack_pixel(int32_t *out, const uint64_t *pixel, uint32_t channels, uint32_t planes)
{
    const size_t words = bnn_plane_words(channels);
    for (uint32_t c = 0; c < channels; c++) {
        const bool zero = planes == 2 && !(pixel[words + c / 64] >> (c % 64) & 1);
        out[c] = zero ? 0 : pixel[c / 64] >> (c % 64) & 1 ? 1 : -1;
    }
}

static void unpack_input(const bnn_backend_state *s, int32_t *out, const uint8_t *x)
{
    const bnn_mvtu *m = &s->mvtu[0];
    const size_t size = bnn_shape_size(s->net->rule.shape), C = m->in_channels;
    for (size_t i = 0; m->in_planes == 0 && i < size; i++)
        out[i] = ((const int8_t *)x)[i];
    const uint64_t *words = (const uint64_t *)(const void *)x;
    for (size_t at = 0; m->in_planes && at < size; at += C, words += bnn_plane_words(m->in_channels))
        unpack_pixel(out + at, words, m->in_channels, 1);
}

static void unpack_layer(const bnn_backend_state *s, uint32_t i, int32_t *out, const uint8_t *x)
{
    const bnn_layer *l = &s->net->topology.layer[i];
    const size_t pixels = (size_t)l->out.height * l->out.width;
    if (l->output_bits == BNN_BITS_SCORE || l->last_bits) {
        to_scores(s->net, out, (const int32_t *)(const void *)x, 1);
        for (uint32_t r = 0; l->last_bits && r < l->MH; r++)
            out[r] = out[r] >= 0 ? 1 : -1;
        return;
    }
    const uint64_t *words = (const uint64_t *)(const void *)x;
    for (size_t p = 0; p < pixels; p++, words += l->output_bits * bnn_plane_words(l->out.channels))
        unpack_pixel(out + p * l->out.channels, words, l->out.channels, l->output_bits);
}

static int cpu_trace(bnn_backend_state *s, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, bnn_error *err)
{
    const bnn_topology *t = &s->net->topology;
    const size_t pixels = bnn_shape_size(s->net->rule.shape);
    const size_t values = layer == UINT32_MAX ? pixels : bnn_shape_size(t->layer[layer].out);
    (void)err;
    for (size_t k = 0; k < count; k++) {
        const uint8_t *x = run_block(s, images + k * pixels, 1, layer, 0);
        if (layer == UINT32_MAX)
            unpack_input(s, out + k * values, x);
        else
            unpack_layer(s, layer, out + k * values, x);
    }
    return BNN_OK;
}

static const char *cpu_missing(void)
{
    return NULL;
}

static void cpu_stats(const bnn_backend_state *s, bnn_stats *stats)
{
    stats->kernels = s->kernels.name;
    stats->threads = bnn_pool_threads(s->pool);
}

const bnn_backend bnn_backend_cpu = {
    .name    = "cpu",
    .summary = "kernels for this processor",
    .missing = cpu_missing,
    .open    = cpu_open,
    .close   = cpu_close,
    .run     = cpu_run,
    .trace   = cpu_trace,
    .stats   = cpu_stats,
};
