/* small.c -- see small.h. */
#include "format/small.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { const char *name, *topology, *rule; } small[] = {
    { "dense-table", "input 5x7x1 bit\ndense 70 w1 a1\ndense 3 w1 scores\n", "threshold table invert" },
    { "dense-mean", "input 9x3x2 bit\ndense 65 w2 a2\ndense 4 w1 scores\n", "threshold mean" },
    { "dense-bits", "input 4x4x1 bit\ndense 66 w1 a2\ndense 5 w1 bits\n", "threshold 77" },
    { "conv-bit", "input 9x9x1 bit\nconv 5 2x2 w2 a2\nmaxpool 2x2\nconv 6 3x3 w1 a1\nmaxpool 2x2\ndense 4 w2 scores\n",
      "size 11x10 fit stretch" },
    { "conv-round", "input 6x8x3 uint8\nconv 7 3x3 w1 a2\nmaxpool 2x2\ndense 9 w2 a1\ndense 5 w1 scores\n", "background 1,2,3" },
    { "conv-truncate", "input 10x6x4 uint8\nconv 3 1x1 w2 a1\nconv 64 5x5 w1 a2\ndense 16 w1 scores\n", "truncate" },
    { "one-layer", "input 3x3x1 uint8\ndense 4 w2 scores\n", "" },
    { "dense-scaled", "input 7x11x1 bit\ndense 70 w1 a1\ndense 3 w1 scores\n", "threshold scaled" },
};
enum { SMALL = sizeof small / sizeof *small };

const char *small_name(size_t index)
{
    return index < SMALL ? small[index].name : NULL;
}

static void must(int rc, const bnn_error *err)
{
    if (rc != BNN_OK) {
        fprintf(stderr, "%s\n", err->message);
        exit(1);
    }
}

static void fill_layer(const bnn_layer *l, bnn_matrix *m, scratch_rng *r)
{
    const int spread = l->input_bits == 8 ? 300 : 5;
    for (uint32_t n = 0; n < l->MH; n++) {
        for (uint32_t s = 0; s < l->MW; s++)
            bnn_weight_set(l, m, n, s, l->weight_bits == 2 ? scratch_between(r, -1, 1) : 2 * scratch_between(r, 0, 1) - 1);
        for (uint32_t k = 0; k < l->thresholds; k++)
            m->thresholds[n * l->thresholds + k] = scratch_between(r, -spread, spread);
    }
}

bnn_network *small_network(size_t index, scratch_rng *r)
{
    static const char *const name[] = { "no", "gr\xc3\xbc\xc3\x9f", "\"third\"\n" };
    bnn_topology t;
    bnn_network *net;
    bnn_error err;
    must(bnn_topology_parse(&t, small[index].topology, strlen(small[index].topology), &err), &err);
    must(bnn_network_new(&net, &t, &err), &err);
    must(bnn_rule_parse(&net->rule, &t, small[index].rule, strlen(small[index].rule), &err), &err);
    if (bnn_rule_has_table(&net->rule)) {
        net->rule.table = bnn_alloc(bnn_shape_size(t.input), 1);
        for (size_t i = 0; i < bnn_shape_size(t.input); i++)
            net->rule.table[i] = (uint8_t)scratch_next(r);
    }
    for (uint32_t i = 0; i < t.layers; i++)
        fill_layer(&t.layer[i], &net->matrix[i], r);
    net->classes = 3;
    must(bnn_network_set_names(net, name, 3, &err), &err);
    must(bnn_network_set_text(net, "recipe", small[index].name, &err), &err);
    must(bnn_network_set_text(net, "data", "random numbers", &err), &err);
    must(bnn_network_finish(net, &err), &err);
    return net;
}
