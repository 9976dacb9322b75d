/* cpu.c -- runs networks on this CPU, by the kernels of one level.
 *
 * Images go through all layers in blocks, a block a task of the thread pool:
 * so the weights are read once a block, and activations stay in the cache.
 * One image is a block of one, run by the caller: no thread is woken for it.
 *
 * A level has its kernels and its own packing of the weights: an engine. On
 * processors with AMX there are two, since its tiles were seen to fall to a
 * quarter of their speed for tenths of a second: every thread measures both
 * now and then, on the core it runs on, and takes the faster.
 */
#include "backend/backend.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kernel/kernel.h"

#include <string.h>

enum {
    MAX_BLOCK  = 64,  /* images in a task at most */
    EASY_BLOCK = 8,   /* images that fill the kernels' blocks: a task is no smaller while there are enough */
    TILE_BLOCK = 512, /* images in a task where tiles are used: their weights take a byte each, so they are to be read seldom, */
    TILE_MAPS  = 256 << 10, /* as long as the maps stay this small; and fewer images than */
    TILE_LEAST = 16,  /* fill no tile */
};
/* A task should last long enough that handing it over does not matter: about 50 us. */
static const uint64_t TASK_OPS = (uint64_t)1 << 27;
/* Maps of a task at most, but for those of one image. */
static const size_t BLOCK_BYTES = (size_t)1 << 24;

/* A layer as it runs: all that is needed for it in one place, since one image streams the weights through
 * the first-level cache, and what was there before is gone at the next layer. */
struct stage {
    void   (*run)(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch); /* NULL of pools */
    bnn_mvtu m;       /* unused of pools */
    void    *weights; /* packed */
};

struct engine {
    bnn_kernels   kernels;
    struct stage *stage; /* [layers] */
};

/* What a thread works with. */
struct worker {
    uint8_t *map[2]; /* `block` maps: a layer reads one, writes the other */
    void    *scratch;
    unsigned engine;
    uint64_t probe_at; /* time of the next choice between engines, ns */
};

struct bnn_backend_state {
    const bnn_network *net;
    bnn_pool          *pool;
    struct engine      engine[2];
    unsigned           engines;
    size_t             block;        /* images a task at most */
    size_t             map_size;     /* bytes of the largest map of one image */
    size_t             scratch_size;
    struct worker     *worker;       /* [threads] */
};

/* --------------------------------------------------------------- levels -- */

int bnn_cpu_level_at(size_t index, bnn_backend_info *info)
{
    const bnn_level *l = bnn_level_at(index);
    if (!l)
        return BNN_EINVAL;
    *info = (bnn_backend_info){ .name = l->name, .summary = l->summary, .missing = bnn_level_missing(l) };
    return BNN_OK;
}

static const bnn_level *best_level(void)
{
    const bnn_level *best = bnn_level_at(0), *l;
    for (size_t i = 1; (l = bnn_level_at(i)) != NULL; i++)
        if (!bnn_level_missing(l))
            best = l;
    return best;
}

static int find_level(const bnn_level **out, const char *name, bnn_error *err)
{
    const bnn_level *l;
    for (size_t i = 0; (l = bnn_level_at(i)) != NULL; i++) {
        if (strcmp(l->name, name) != 0)
            continue;
        if (bnn_level_missing(l))
            return bnn_fail(err, BNN_EBACKEND, "cpu level '%s' is not usable here: %s", name, bnn_level_missing(l));
        *out = l;
        return BNN_OK;
    }
    return bnn_fail(err, BNN_EBACKEND, "cpu level '%s'; \"bnn info --cpu\" lists what this machine has", name);
}

/* One engine for a level by name; for auto the best, and beside AMX the step below it. */
static int choose_engines(bnn_backend_state *s, const char *name, bnn_error *err)
{
    const bool fixed = name && strcmp(name, "auto") != 0;
    const bnn_level *l = best_level();
    const int rc = fixed ? find_level(&l, name, err) : BNN_OK;
    if (rc != BNN_OK)
        return rc;
    bnn_kernels_init(&s->engine[s->engines++].kernels, l);
    if (!fixed && strcmp(l->name, "amx") == 0)
        bnn_kernels_init(&s->engine[s->engines++].kernels, l - 1);
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

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static int prepare_layer(bnn_backend_state *s, struct engine *e, uint32_t i, bnn_error *err)
{
    const bnn_topology *t = &s->net->topology;
    if (t->layer[i].kind == BNN_MAXPOOL)
        return BNN_OK;
    struct stage *stage = &e->stage[i];
    bnn_mvtu *m = &stage->m;
    describe(m, t, i, &s->net->matrix[i]);
    const bnn_unit *unit = bnn_unit_for(&e->kernels, m);
    const size_t size = unit->weight_size(m);
    stage->weights = bnn_alloc(size, 1);
    if (!stage->weights)
        return bnn_fail_memory(err, size);
    unit->weight_pack(stage->weights, m, s->net->matrix[i].weights);
    stage->run = unit->mvtu;
    m->weights = stage->weights;
    s->map_size = larger(s->map_size, larger(bnn_mvtu_in_size(m), bnn_mvtu_out_size(m)));
    s->scratch_size = larger(s->scratch_size, unit->scratch_size(m));
    return BNN_OK;
}

static int prepare_engine(bnn_backend_state *s, struct engine *e, bnn_error *err)
{
    const uint32_t layers = s->net->topology.layers;
    e->stage = bnn_alloc(layers, sizeof *e->stage);
    int rc = e->stage ? BNN_OK : bnn_fail_memory(err, layers * sizeof *e->stage);
    for (uint32_t i = 0; rc == BNN_OK && i < layers; i++)
        rc = prepare_layer(s, e, i, err);
    return rc;
}

/* As many images as make a task of the wanted length, in eights; fewer where maps are large. */
static size_t block_images(const bnn_backend_state *s)
{
    const bnn_topology *t = &s->net->topology;
    uint64_t ops = 1;
    for (uint32_t i = 0; i < t->layers; i++)
        ops += bnn_layer_ops(&t->layer[i]);
    if (s->engine[0].kernels.takes && s->map_size * TILE_BLOCK <= TILE_MAPS)
        return TILE_BLOCK;
    const uint64_t n = (TASK_OPS / ops + EASY_BLOCK) / EASY_BLOCK * EASY_BLOCK;
    const size_t most = BLOCK_BYTES / s->map_size + 1;
    return n > most ? most : n > MAX_BLOCK ? MAX_BLOCK : (size_t)n;
}

static int open_workers(bnn_backend_state *s, bnn_error *err)
{
    const unsigned threads = bnn_pool_threads(s->pool);
    s->map_size = (s->map_size + 7) & ~(size_t)7; /* whole words */
    s->block    = block_images(s);
    s->worker   = bnn_alloc(threads, sizeof *s->worker);
    if (!s->worker)
        return bnn_fail_memory(err, threads * sizeof *s->worker);
    for (unsigned i = 0; i < threads; i++) {
        struct worker *w = &s->worker[i];
        w->map[0]  = bnn_alloc(s->block, s->map_size);
        w->map[1]  = bnn_alloc(s->block, s->map_size);
        w->scratch = bnn_alloc(1, s->scratch_size);
        if (!w->map[0] || !w->map[1] || !w->scratch)
            return bnn_fail_memory(err, s->block * s->map_size);
    }
    return BNN_OK;
}

static void close_engine(struct engine *e, uint32_t layers)
{
    for (uint32_t i = 0; e->stage && i < layers; i++)
        bnn_free(e->stage[i].weights);
    bnn_free(e->stage);
}

static void cpu_close(bnn_backend_state *s)
{
    if (!s)
        return;
    for (unsigned i = 0; s->worker && i < bnn_pool_threads(s->pool); i++) {
        bnn_free(s->worker[i].map[0]);
        bnn_free(s->worker[i].map[1]);
        bnn_free(s->worker[i].scratch);
    }
    bnn_free(s->worker);
    for (unsigned i = 0; i < s->engines; i++)
        close_engine(&s->engine[i], s->net->topology.layers);
    bnn_pool_close(s->pool);
    bnn_free(s);
}

static int cpu_open(bnn_backend_state **out, const bnn_network *net, const bnn_options *options, bnn_error *err)
{
    bnn_backend_state *s = bnn_alloc(1, sizeof *s);
    if (!s)
        return bnn_fail_memory(err, sizeof *s);
    s->net = net;
    int rc = choose_engines(s, options->cpu, err);
    if (rc == BNN_OK)
        rc = bnn_pool_open(&s->pool, options->threads, err);
    for (unsigned i = 0; rc == BNN_OK && i < s->engines; i++)
        rc = prepare_engine(s, &s->engine[i], err);
    if (rc == BNN_OK)
        rc = open_workers(s, err);
    if (rc == BNN_OK)
        *out = s;
    else
        cpu_close(s);
    return rc;
}

/* --------------------------------------------------------------- choice -- */

/* MACs a nanosecond of an engine's peak, over some tens of microseconds. */
static double measure(const struct engine *e)
{
    const uint64_t start = bnn_now_ns();
    uint64_t macs = 0, spent;
    do {
        macs += e->kernels.peaks[0].run(256);
        spent = bnn_now_ns() - start;
    } while (spent < 10000);
    return (double)macs / (double)spent;
}

/* The engine for n images on this thread's core, now. */
static const struct engine *choose(const bnn_backend_state *s, struct worker *w, size_t n)
{
    enum { INTERVAL_NS = 20000000 };
    const uint64_t now = s->engines > 1 ? bnn_now_ns() : 0;
    if (s->engines > 1 && now >= w->probe_at) {
        w->engine   = measure(&s->engine[0]) < measure(&s->engine[1]);
        w->probe_at = now + INTERVAL_NS;
    }
    return &s->engine[s->engines > 1 && n < TILE_LEAST ? 1 : w->engine];
}

/* ------------------------------------------------------------------ run -- */

static size_t layer_out_size(const bnn_backend_state *s, uint32_t i)
{
    const bnn_layer *l = &s->net->topology.layer[i];
    if (l->kind == BNN_MAXPOOL)
        return (size_t)l->out.height * l->out.width * l->output_bits * bnn_plane_words(l->out.channels) * 8;
    return bnn_mvtu_out_size(&s->engine[0].stage[i].m);
}

/* bnn_rule_q without branches, so that compilers make vectors of it. */
static void pack_fixed_point(int8_t *out, const uint8_t *v, size_t n, bool truncate)
{
    const uint8_t up = !truncate;
    for (size_t i = 0; i < n; i++)
        out[i] = (int8_t)(v[i] - 128 + ((v[i] >> 7) & (v[i] != 255) & up));
}

/* Bits of `n` pixels from `at` on, in pieces whose thresholds fit the stack. */
static void pack_bits(const bnn_kernels *k, const bnn_rule *rule, unsigned level, uint64_t *out, const uint8_t *pixels, size_t at, size_t n)
{
    enum { PIECE = 1024 }; /* whole words */
    uint8_t room[PIECE];
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t count = n - i < PIECE ? n - i : PIECE;
        k->pack(out + i / 64, pixels + at + i, level, bnn_rule_thresholds(rule, level, at + i, count, room), count);
    }
}

/* Pixels to packed input: bits (flat before a dense layer, else pixel by pixel) or fixed point. */
static void pack_image(const bnn_backend_state *s, uint8_t *out, const uint8_t *pixels)
{
    const bnn_rule *rule = &s->net->rule;
    const size_t size = bnn_shape_size(rule->shape), C = s->engine[0].stage[0].m.in_channels;
    if (rule->bits == 8) {
        pack_fixed_point((int8_t *)out, pixels, size, rule->truncate);
        return;
    }
    const unsigned level = bnn_rule_level(rule, pixels);
    uint64_t *words = (uint64_t *)(void *)out;
    for (size_t at = 0; at < size; at += C, words += bnn_plane_words((uint32_t)C))
        pack_bits(&s->engine[0].kernels, rule, level, words, pixels, at, C);
}

static void run_pool(const bnn_backend_state *s, const struct engine *e, uint32_t i, const uint8_t *x, uint8_t *y, size_t n)
{
    const bnn_layer *l = &s->net->topology.layer[i];
    const size_t in = 4 * layer_out_size(s, i), out = layer_out_size(s, i);
    for (size_t k = 0; k < n; k++)
        e->kernels.maxpool((uint64_t *)(void *)(y + k * out), (const uint64_t *)(const void *)(x + k * in), l->in.height,
                           l->in.width, l->input_bits, bnn_plane_words(l->in.channels));
}

/* Adds the time since *since to a counter, when counters are wanted. */
static void lap(uint64_t *counter, uint64_t *since)
{
    if (!counter)
        return;
    const uint64_t now = bnn_now_ns();
    *counter += now - *since;
    *since = now;
}

/* Runs layers 0..last of up to s->block images; returns their outputs: `out`, or when that is NULL a map of
 * the thread's own. ns: NULL, or times to add to: of packing, then of each layer. */
static const uint8_t *run_block(const bnn_backend_state *s, const uint8_t *images, size_t n, uint32_t last, unsigned thread,
                                void *out, uint64_t *ns)
{
    struct worker *w = &s->worker[thread];
    const struct engine *e = choose(s, w, n);
    uint8_t *x = w->map[0], *y = w->map[1];
    const size_t pixels = bnn_shape_size(s->net->rule.shape), in = bnn_mvtu_in_size(&e->stage[0].m);
    uint64_t since = ns ? bnn_now_ns() : 0;
    for (size_t k = 0; k < n; k++)
        pack_image(s, x + k * in, images + k * pixels);
    lap(ns, &since);
    for (uint32_t i = 0; i <= last && last != UINT32_MAX; i++) {
        const struct stage *stage = &e->stage[i];
        if (i == last && out)
            y = out;
        if (stage->run)
            stage->run(&stage->m, x, y, n, w->scratch);
        else
            run_pool(s, e, i, x, y, n);
        lap(ns ? ns + 1 + i : NULL, &since);
        uint8_t *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

/* Sums of the last layer to scores, in place. */
static void to_scores(const bnn_network *net, int32_t *sums, size_t n)
{
    const uint32_t last = net->topology.layers - 1, rows = net->topology.layer[last].MH;
    if (!net->topology.layer[last].last_bits)
        return;
    for (size_t k = 0; k < n; k++, sums += rows)
        for (uint32_t r = 0; r < rows; r++)
            sums[r] -= net->matrix[last].thresholds[r];
}

struct job { const bnn_backend_state *state; const uint8_t *images; size_t count, block; int32_t *scores; uint64_t *ns; };

static void run_task(void *context, size_t i, unsigned thread)
{
    const struct job *job = context;
    const bnn_backend_state *s = job->state;
    const size_t first = i * job->block, n = job->count - first < job->block ? job->count - first : job->block;
    const uint32_t last = s->net->topology.layers - 1, rows = s->net->topology.layer[last].MH;
    int32_t *scores = job->scores + first * rows;
    run_block(s, job->images + first * bnn_shape_size(s->net->rule.shape), n, last, thread, scores, job->ns);
    to_scores(s->net, scores, n);
}

/* Images a task: `block`, or less when that would leave threads idle, but not below what is worth a wake-up. */
static size_t task_images(const bnn_backend_state *s, size_t count)
{
    const size_t threads = bnn_pool_threads(s->pool), share = (count + threads - 1) / threads;
    const size_t even = (share + EASY_BLOCK - 1) / EASY_BLOCK * EASY_BLOCK;
    return even < s->block ? even : s->block;
}

static int cpu_run(bnn_backend_state *s, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err)
{
    struct job job = { s, images, count, task_images(s, count), scores, NULL };
    (void)err;
    if (count > 0)
        bnn_pool_run(s->pool, (count + job.block - 1) / job.block, run_task, &job);
    return BNN_OK;
}

static void cpu_profile(bnn_backend_state *s, const uint8_t *images, size_t count, int32_t *scores, uint64_t *ns)
{
    struct job job = { s, images, count, s->block, scores, ns };
    for (size_t i = 0; i * job.block < count; i++)
        run_task(&job, i, 0);
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
    const bnn_mvtu *m = &s->engine[0].stage[0].m;
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
        memcpy(out, x, l->MH * sizeof *out);
        to_scores(s->net, out, 1);
        for (uint32_t r = 0; l->last_bits && r < l->MH; r++)
            out[r] = out[r] >= 0 ? 1 : -1;
        return;
    }
    const uint64_t *words = (const uint64_t *)(const void *)x;
    for (size_t p = 0; p < pixels; p++, words += l->output_bits * bnn_plane_words(l->out.channels))
        unpack_pixel(out + p * l->out.channels, words, l->out.channels, l->output_bits);
}

/* Bytes of one image of what a layer writes; of the packed input for UINT32_MAX. */
static size_t map_bytes(const bnn_backend_state *s, uint32_t layer)
{
    return layer == UINT32_MAX ? bnn_mvtu_in_size(&s->engine[0].stage[0].m) : layer_out_size(s, layer);
}

static int cpu_trace(bnn_backend_state *s, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, bnn_error *err)
{
    const bnn_topology *t = &s->net->topology;
    const size_t pixels = bnn_shape_size(s->net->rule.shape), bytes = map_bytes(s, layer);
    const size_t values = layer == UINT32_MAX ? pixels : bnn_shape_size(t->layer[layer].out);
    (void)err;
    for (size_t at = 0; at < count; at += s->block) {
        const size_t n = count - at < s->block ? count - at : s->block;
        const uint8_t *x = run_block(s, images + at * pixels, n, layer, 0, NULL, NULL);
        for (size_t k = 0; k < n; k++, x += bytes, out += values)
            if (layer == UINT32_MAX)
                unpack_input(s, out, x);
            else
                unpack_layer(s, layer, out, x);
    }
    return BNN_OK;
}

static const char *cpu_missing(void)
{
    return NULL;
}

static void cpu_stats(const bnn_backend_state *s, bnn_stats *stats)
{
    stats->kernels = s->engine[s->worker[0].engine].kernels.name;
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
    .profile = cpu_profile,
    .stats   = cpu_stats,
};
