/* graph.c -- moving parameters between a model and its frozen graph. */
#include "train/graph.h"
#include "base/mem.h"

#include <string.h>

int bnn_graph_new(bnn_graph *out, const bnn_topology *t, bnn_error *err)
{
    *out = (bnn_graph){ .topology = *t, .layer = bnn_alloc(t->layers, sizeof *out->layer) };
    if (!out->layer)
        return bnn_fail_memory(err, t->layers * sizeof *out->layer);
    for (uint32_t i = 0; i < t->layers; i++) {
        const bnn_layer *l = &t->layer[i];
        bnn_graph_layer *gl = &out->layer[i];
        if (l->kind == BNN_MAXPOOL)
            continue;
        *gl = (bnn_graph_layer){ bnn_alloc(l->MH, l->MW), bnn_alloc(l->MH, sizeof(float)), bnn_alloc(l->MH, sizeof(float)),
                                 bnn_alloc(l->MH, sizeof(float)) };
        if (!gl->weights || !gl->mean || !gl->scale || !gl->beta)
            return bnn_fail_memory(err, (size_t)l->MH * l->MW);
    }
    return BNN_OK;
}

void bnn_graph_free(bnn_graph *g)
{
    for (uint32_t i = 0; g->layer && i < g->topology.layers; i++) {
        bnn_free(g->layer[i].weights);
        bnn_free(g->layer[i].mean);
        bnn_free(g->layer[i].scale);
        bnn_free(g->layer[i].beta);
    }
    bnn_free(g->layer);
    *g = (bnn_graph){ 0 };
}

void bnn_graph_copy(bnn_graph *to, const bnn_graph *from)
{
    for (uint32_t i = 0; i < from->topology.layers; i++) {
        const bnn_layer *l = &from->topology.layer[i];
        bnn_graph_layer *a = &to->layer[i], *b = &from->layer[i];
        if (!b->weights)
            continue;
        memcpy(a->weights, b->weights, (size_t)l->MH * l->MW);
        memcpy(a->mean, b->mean, l->MH * sizeof(float));
        memcpy(a->scale, b->scale, l->MH * sizeof(float));
        memcpy(a->beta, b->beta, l->MH * sizeof(float));
    }
}

void bnn_graph_take(bnn_graph *g, const bnn_model *m)
{
    for (uint32_t i = 0; i < m->blocks; i++) {
        const bnn_block *b = &m->block[i];
        bnn_graph_layer *gl = &g->layer[b->index];
        const size_t weights = (size_t)b->layer->MW * b->layer->MH, MH = b->layer->MH;
        memcpy(gl->weights, b->small_weights, weights);
        memcpy(gl->mean, b->norm.mean, MH * sizeof(float));
        memcpy(gl->scale, b->norm.scale, MH * sizeof(float));
        memcpy(gl->beta, b->norm.beta, MH * sizeof(float));
    }
}

void bnn_graph_put(bnn_model *m, const bnn_graph *g)
{
    for (uint32_t i = 0; i < m->blocks; i++) {
        bnn_block *b = &m->block[i];
        const bnn_graph_layer *gl = &g->layer[b->index];
        const size_t weights = (size_t)b->layer->MW * b->layer->MH, MH = b->layer->MH;
        memcpy(b->small_weights, gl->weights, weights);
        if (!bnn_gemm_coarse(&m->gemm))
            bnn_gemm_store_small(&m->gemm, b->weights, gl->weights, weights);
        bnn_product_weights(m, b);
        memcpy(b->norm.mean, gl->mean, MH * sizeof(float));
        memcpy(b->norm.scale, gl->scale, MH * sizeof(float));
        memcpy(b->norm.beta, gl->beta, MH * sizeof(float));
    }
}
