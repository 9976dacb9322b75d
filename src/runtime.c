/* runtime.c -- a network being run: picks the backend, turns scores into labels.
 *
 * The only file that knows networks and backends together.
 */
#include "bnn/bench.h"
#include "backend/backend.h"
#include "base/mem.h"
#include "base/thread.h"

#include <string.h>

static const bnn_backend *const backend[] = { &bnn_backend_cpu, &bnn_backend_overlay }; /* best first */
enum { BACKENDS = sizeof backend / sizeof *backend };

struct bnn_runtime {
    const bnn_network *net;
    const bnn_backend *backend;
    bnn_backend_state *state;
    const bnn_decode  *decode;
    int32_t           *scores; /* of one chunk, for callers who want labels */
    size_t             chunk;  /* images */
    uint64_t           images, ticks;          /* run, and for how long */
    uint64_t           opened_ns, opened_ticks; /* what tells how long a tick is */
};

int bnn_backend_at(size_t index, bnn_backend_info *info)
{
    if (index >= BACKENDS)
        return BNN_EINVAL;
    const bnn_backend *b = backend[index];
    *info = (bnn_backend_info){ .name = b->name, .summary = b->summary, .missing = b->missing() };
    return BNN_OK;
}

void bnn_options_default(bnn_options *options)
{
    *options = (bnn_options){ 0 };
}

/* ----------------------------------------------------------------- open -- */

static int find_backend(const bnn_backend **out, const char *name, bnn_error *err)
{
    for (size_t i = 0; i < BACKENDS; i++) {
        const bnn_backend *b = backend[i];
        if (name ? strcmp(b->name, name) != 0 : b->missing() != NULL)
            continue;
        if (b->missing())
            return bnn_fail(err, BNN_EBACKEND, "backend '%s' is not usable here: %s", b->name, b->missing());
        *out = b;
        return BNN_OK;
    }
    return bnn_fail(err, BNN_EBACKEND, "backend '%s'; expected cpu or overlay", name ? name : "");
}

static int find_decode(const bnn_decode **out, const bnn_network *net, const char *name, bnn_error *err)
{
    static const bnn_decode *const core[] = { &bnn_decode_argmax, NULL };
    const bnn_decode *const *rules = net->origin ? net->origin->decode : core;
    for (size_t i = 0; rules[i]; i++)
        if (!name || strcmp(rules[i]->name, name) == 0) {
            *out = rules[i];
            return BNN_OK;
        }
    if (strcmp(name, bnn_decode_argmax.name) == 0) {
        *out = &bnn_decode_argmax;
        return BNN_OK;
    }
    return bnn_fail(err, BNN_EINVAL, "decode rule '%s'; expected %s%s", name, rules[0]->name,
                    net->origin ? ", another of its origin's (multi, single, margin), or argmax" : "");
}

/* A chunk of scores takes about a megabyte, and has work for every thread. */
static size_t chunk_images(uint32_t rows)
{
    const size_t n = ((size_t)1 << 18) / rows;
    return n < 256 ? 256 : n > 8192 ? 8192 : n;
}

int bnn_runtime_open(bnn_runtime **out, const bnn_network *net, const bnn_options *options, bnn_error *err)
{
    bnn_options defaults;
    bnn_options_default(&defaults);
    if (!out || !net)
        return bnn_fail(err, BNN_EINVAL, "runtime: %s is NULL", out ? "the network" : "the output");
    if (!options)
        options = &defaults;
    bnn_runtime *run = bnn_alloc(1, sizeof *run);
    if (!run)
        return bnn_fail_memory(err, sizeof *run);
    const uint32_t rows = bnn_topology_last(&net->topology)->MH;
    run->opened_ns = bnn_now_ns();
    run->opened_ticks = bnn_ticks();
    run->net    = net;
    run->chunk  = chunk_images(rows);
    run->scores = bnn_alloc(run->chunk * rows, sizeof *run->scores);
    int rc = run->scores ? BNN_OK : bnn_fail_memory(err, run->chunk * rows * sizeof *run->scores);
    if (rc == BNN_OK)
        rc = find_decode(&run->decode, net, options->decode, err);
    if (rc == BNN_OK)
        rc = find_backend(&run->backend, options->backend, err);
    if (rc == BNN_OK)
        rc = run->backend->open(&run->state, net, options, err);
    if (rc == BNN_OK)
        *out = run;
    else
        bnn_runtime_close(run);
    return rc;
}

void bnn_runtime_close(bnn_runtime *run)
{
    if (!run)
        return;
    if (run->state)
        run->backend->close(run->state);
    bnn_free(run->scores);
    bnn_free(run);
}

const bnn_network *bnn_runtime_network(const bnn_runtime *run)
{
    return run->net;
}

int bnn_runtime_set_decode(bnn_runtime *run, const char *name, bnn_error *err)
{
    return find_decode(&run->decode, run->net, name, err);
}

/* ------------------------------------------------------------------ run -- */

static int run_backend(bnn_runtime *run, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err)
{
    const uint64_t start = bnn_ticks(); /* reading the clock twice is 1.6 % of an image of LFC */
    const int rc = run->backend->run(run->state, images, count, scores, err);
    if (rc == BNN_OK) {
        const uint64_t spent = bnn_ticks() - start;
        run->ticks += spent >> 63 ? 0 : spent; /* a counter behind that of the core where this began: no time */
        run->images += count;
    }
    return rc;
}

static void decode(const bnn_runtime *run, const int32_t *scores, size_t count, uint16_t *labels)
{
    const bnn_layer *last = bnn_topology_last(&run->net->topology);
    for (size_t i = 0; i < count; i++)
        labels[i] = (uint16_t)run->decode->label(scores + i * last->MH, run->net->classes, last);
}

/* Chunk by chunk through the runtime's own scores: copies the classes' (or all rows') and decodes. */
static int run_chunks(bnn_runtime *run, const uint8_t *images, size_t count, int32_t *scores, uint16_t *labels, bnn_error *err)
{
    const size_t pixels = bnn_shape_size(run->net->rule.shape);
    const uint32_t rows = bnn_topology_last(&run->net->topology)->MH, classes = run->net->classes;
    for (size_t at = 0; at < count; at += run->chunk) {
        const size_t n = count - at < run->chunk ? count - at : run->chunk;
        const int rc = run_backend(run, images + at * pixels, n, run->scores, err);
        if (rc != BNN_OK)
            return rc;
        if (labels)
            decode(run, run->scores, n, labels + at);
        for (size_t i = 0; scores && i < n; i++)
            memcpy(scores + (at + i) * classes, run->scores + i * rows, classes * sizeof *scores);
    }
    return BNN_OK;
}

static int check_arguments(const bnn_runtime *run, const uint8_t *images, size_t count, bnn_error *err)
{
    if (!run || (!images && count > 0))
        return bnn_fail(err, BNN_EINVAL, "%s is NULL", run ? "images" : "the runtime");
    return BNN_OK;
}

int bnn_classify(bnn_runtime *run, const uint8_t *images, size_t count, uint16_t *labels, bnn_error *err)
{
    const int rc = check_arguments(run, images, count, err);
    return rc != BNN_OK ? rc : run_chunks(run, images, count, NULL, labels, err);
}

int bnn_score(bnn_runtime *run, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err)
{
    const int rc = check_arguments(run, images, count, err);
    return rc != BNN_OK ? rc : run_chunks(run, images, count, scores, NULL, err);
}

int bnn_run(bnn_runtime *run, const uint8_t *images, size_t count, int32_t *scores, uint16_t *labels, bnn_error *err)
{
    int rc = check_arguments(run, images, count, err);
    if (rc == BNN_OK && count > 0)
        rc = run_backend(run, images, count, scores, err);
    if (rc == BNN_OK && labels)
        decode(run, scores, count, labels);
    return rc;
}

int bnn_trace(bnn_runtime *run, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, size_t size, bnn_error *err)
{
    const int rc = check_arguments(run, images, count, err);
    if (rc != BNN_OK)
        return rc;
    const bnn_topology *t = &run->net->topology;
    if (layer >= t->layers && layer != UINT32_MAX)
        return bnn_fail(err, BNN_EINVAL, "layer %u; the network has layers 0 to %u", layer, t->layers - 1);
    const size_t values = bnn_shape_size(layer == UINT32_MAX ? t->input : t->layer[layer].out);
    if (size != count * values * sizeof *out)
        return bnn_fail(err, BNN_EINVAL, "trace of layer %u into %zu bytes; expected %zu", layer, size, count * values * sizeof *out);
    return run->backend->trace(run->state, images, count, layer, out, err);
}

int bnn_profile(bnn_runtime *run, const uint8_t *images, size_t count, uint64_t *ns, size_t size, bnn_error *err)
{
    const int rc = check_arguments(run, images, count, err);
    if (rc != BNN_OK)
        return rc;
    const uint32_t layers = run->net->topology.layers;
    if (size != 1 + (size_t)layers)
        return bnn_fail(err, BNN_EINVAL, "profile into %zu times; expected %u", size, 1 + layers);
    if (!run->backend->profile)
        return bnn_fail(err, BNN_EBACKEND, "backend '%s' does not time its layers", run->backend->name);
    const size_t pixels = bnn_shape_size(run->net->rule.shape);
    for (size_t at = 0; at < count; at += run->chunk) {
        const size_t n = count - at < run->chunk ? count - at : run->chunk;
        run->backend->profile(run->state, images + at * pixels, n, run->scores, ns);
    }
    return BNN_OK;
}

static uint64_t nanoseconds(const bnn_runtime *run)
{
    const uint64_t ticks = bnn_ticks() - run->opened_ticks, ns = bnn_now_ns() - run->opened_ns;
    return ticks ? (uint64_t)((double)run->ticks * (double)ns / (double)ticks) : 0;
}

void bnn_runtime_get_stats(const bnn_runtime *run, bnn_stats *stats)
{
    *stats = (bnn_stats){ .backend = run->backend->name, .images = run->images, .nanoseconds = nanoseconds(run) };
    run->backend->stats(run->state, stats);
}
