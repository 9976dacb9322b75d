/* compare.c -- a float graph beside the integer network that was folded from it.
 *
 * The graph is evaluated by the trainer's own forward pass with frozen
 * statistics, the network by the CPU backend; every value of every layer is
 * compared: activations after the pool, and the accumulators of the scores.
 */
#include "train/compare.h"
#include "train/input.h"
#include "backend/backend.h"
#include "base/mem.h"

#include <string.h>

enum { CHUNK = 128 };

struct comparison {
    const bnn_network *net;
    bnn_model         *model;
    bnn_backend_state *backend;
    int32_t           *ours;    /* of the network: [CHUNK][largest layer] */
    float             *theirs;  /* of the graph */
    bnn_train_comparison *out;
};

static void note(struct comparison *c, const bnn_layer *l, uint32_t layer, size_t n)
{
    const size_t size = bnn_shape_size(l->out);
    bnn_train_comparison *out = c->out;
    for (size_t i = 0; i < n * size; i++) {
        if ((float)c->ours[i] == c->theirs[i])
            continue;
        if (out->differing_values++ == 0) {
            out->image  = out->images + i / size;
            out->layer  = layer;
            out->neuron = (uint32_t)(i % size);
        }
    }
    out->values += n * size;
}

static size_t argmax(const float *v, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

/* The last layer: accumulators are compared as values, and labels: the graph's
 * by its logits, the network's by its scores. */
static void note_labels(struct comparison *c, const bnn_block *b, size_t n)
{
    const size_t MH = b->layer->MH;
    float logits[BNN_MAX_CLASSES];
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < c->net->classes; k++)
            logits[k] = b->norm.scale[0] * b->acc[i * MH + k];
        c->out->differing += argmax(logits, c->net->classes) != bnn_decode_argmax.label(c->ours + i * MH, c->net->classes, b->layer);
    }
}

static int compare_block(struct comparison *c, const bnn_block *b, const uint8_t *images, size_t n, bnn_error *err)
{
    const uint32_t layer = b->index + b->pooled;
    const bnn_layer *l = &c->net->topology.layer[layer];
    const int rc = bnn_backend_cpu.trace(c->backend, images, n, layer, c->ours, err);
    if (rc != BNN_OK)
        return rc;
    if (b->last) {
        memcpy(c->theirs, b->acc, n * l->MH * sizeof(float));
        note_labels(c, b, n);
    } else {
        bnn_gemm_load(&c->model->gemm, c->theirs, b->out, n * bnn_shape_size(l->out));
    }
    note(c, l, layer, n);
    return BNN_OK;
}

static int compare_chunk(struct comparison *c, const uint8_t *images, size_t n, bnn_error *err)
{
    const size_t size = bnn_shape_size(c->net->rule.shape);
    int rc = BNN_OK;
    for (size_t i = 0; i < n; i++) { /* `theirs` has room for an input: see room_of */
        bnn_input_values(&c->net->rule, images + i * size, c->theirs);
        bnn_model_set_input(c->model, i, c->theirs);
    }
    bnn_model_forward(c->model, n, BNN_FROZEN);
    for (uint32_t k = 0; rc == BNN_OK && k < c->model->blocks; k++)
        rc = compare_block(c, &c->model->block[k], images, n, err);
    c->out->images += n;
    return rc;
}

static size_t room_of(const bnn_topology *t)
{
    size_t room = bnn_shape_size(t->input);
    for (uint32_t i = 0; i < t->layers; i++)
        room = bnn_shape_size(t->layer[i].out) > room ? bnn_shape_size(t->layer[i].out) : room;
    return room * CHUNK;
}

static int open_comparison(struct comparison *c, const bnn_graph *g, const char *maths, bnn_pool *pool, bnn_error *err)
{
    bnn_options options;
    bnn_options_default(&options);
    options.threads = bnn_pool_threads(pool);
    c->ours   = bnn_alloc(room_of(&g->topology), sizeof *c->ours);
    c->theirs = bnn_alloc(room_of(&g->topology), sizeof *c->theirs);
    if (!c->ours || !c->theirs)
        return bnn_fail_memory(err, room_of(&g->topology) * sizeof *c->ours);
    int rc = bnn_model_new(&c->model, &g->topology, c->net->classes, CHUNK, false, maths, pool, err);
    if (rc == BNN_OK) {
        bnn_graph_put(c->model, g);
        rc = bnn_backend_cpu.open(&c->backend, c->net, &options, err);
    }
    return rc;
}

int bnn_compare(bnn_train_comparison *out, const bnn_network *net, const bnn_graph *g, const char *maths, bnn_pool *pool,
                int (*read)(void *context, size_t first, size_t n, uint8_t *images, bnn_error *err), void *context,
                size_t count, bnn_error *err)
{
    struct comparison c = { .net = net, .out = out };
    *out = (bnn_train_comparison){ 0 };
    uint8_t *images = bnn_alloc(CHUNK, bnn_shape_size(net->rule.shape));
    int rc = images ? open_comparison(&c, g, maths, pool, err) : bnn_fail_memory(err, CHUNK * bnn_shape_size(net->rule.shape));
    for (size_t first = 0, n; rc == BNN_OK && first < count; first += n) {
        n = count - first < CHUNK ? count - first : CHUNK;
        rc = read(context, first, n, images, err);
        if (rc == BNN_OK)
            rc = compare_chunk(&c, images, n, err);
    }
    if (c.backend)
        bnn_backend_cpu.close(c.backend);
    bnn_model_free(c.model);
    bnn_free(c.ours);
    bnn_free(c.theirs);
    bnn_free(images);
    return rc;
}

/* ------------------------------------------------- against a checkpoint -- */

/* Was the network folded from this graph? Weights alone tell: rows as they are or negated. */
static bool same_weights(const bnn_network *net, const bnn_graph *g)
{
    for (uint32_t i = 0; i < g->topology.layers; i++) {
        const bnn_layer *l = &g->topology.layer[i];
        const bnn_graph_layer *gl = &g->layer[i];
        for (uint32_t r = 0; r < l->MH; r++) {
            const int sign = l->thresholds && gl->scale[r] < 0 ? -1 : 1;
            for (uint32_t s = 0; s < l->MW; s++)
                if (bnn_weight_at(l, &net->matrix[i], r, s) != sign * gl->weights[(size_t)r * l->MW + s])
                    return false;
        }
    }
    return true;
}

static int read_set(void *context, size_t first, size_t n, uint8_t *images, bnn_error *err)
{
    return bnn_dataset_get(context, first, n, images, NULL, err);
}

static int compare_with(const bnn_network *net, const bnn_graph *last, const bnn_graph *best, const char *checkpoint,
                        const bnn_dataset *set, uint32_t threads, bnn_train_comparison *out, bnn_error *err)
{
    bnn_shape shape;
    const size_t count = bnn_dataset_count(set, &shape);
    if (!bnn_topology_equal(&net->topology, &last->topology))
        return bnn_fail(err, BNN_ESHAPE, "%s: of another topology than the network", checkpoint);
    const bnn_graph *g = same_weights(net, best) ? best : same_weights(net, last) ? last : NULL;
    if (!g)
        return bnn_fail(err, BNN_ESHAPE, "%s: neither its best nor its last epoch has the network's weights", checkpoint);
    if (memcmp(&shape, &net->rule.shape, sizeof shape) != 0)
        return bnn_fail(err, BNN_ESHAPE, "images of %ux%ux%u; the network takes %ux%ux%u", shape.height, shape.width, shape.channels,
                        net->rule.shape.height, net->rule.shape.width, net->rule.shape.channels);
    bnn_pool *pool;
    int rc = bnn_pool_open(&pool, threads, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_compare(out, net, g, NULL, pool, read_set, (void *)(uintptr_t)set, count, err);
    bnn_pool_close(pool);
    return rc;
}

int bnn_train_compare(const bnn_network *net, const char *checkpoint, const bnn_dataset *set, uint32_t threads,
                      bnn_train_comparison *out, bnn_error *err)
{
    bnn_graph last, best;
    int rc = bnn_checkpoint_read_graphs(&last, &best, checkpoint, err);
    if (rc != BNN_OK)
        return rc;
    rc = compare_with(net, &last, &best, checkpoint, set, threads, out, err);
    bnn_graph_free(&last);
    bnn_graph_free(&best);
    return rc;
}
