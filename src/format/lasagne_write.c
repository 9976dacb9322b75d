/* lasagne_write.c -- a network as an archive of the original's scripts.
 *
 * Floats that mean just these integers: W is -1, 0, +1, and the norm puts each
 * step half a unit below its threshold, where no sum can be. So both folds
 * give the same network back, whatever their rounding:
 *
 *     a1, bits  z = acc - (T - 1/2)                      z >= 0    <=> acc >= T
 *     a2        z = (acc - (T0 + T1 - 1) / 2) / (T1 - T0)  z >= -1/2 <=> acc >= T0 - 1/2, z >= 1/2 <=> acc >= T1 - 1/2
 *               (for T0 = T1 = T: z = 2 (acc - (T - 1/2)))
 *
 * Thresholds that every sum reaches, or none, become ones just outside. Rows that take
 * no part (padding) are left out.
 */
#include "format/lasagne.h"
#include "base/mem.h"

#include <string.h>

/* An archive being filled. */
struct writer { bnn_npz npz; const bnn_network *net; bnn_error *err; };

static bnn_array *add_array(struct writer *w, uint32_t dims, const size_t *shape)
{
    char name[24];
    bnn_array *a = &w->npz.array[w->npz.count];
    snprintf(name, sizeof name, "arr_%zu", w->npz.count);
    *a = (bnn_array){ .name = bnn_strdup(name), .dims = dims, .size = 1 };
    for (uint32_t d = 0; d < dims; d++)
        a->size *= a->shape[d] = shape[d];
    a->data = bnn_alloc(a->size, sizeof *a->data);
    w->npz.count++; /* even of a half made one, for bnn_npz_free */
    if (a->name && a->data)
        return a;
    bnn_fail_memory(w->err, a->size * sizeof *a->data);
    return NULL;
}

/* (out, in, ky, kx), or (in, out) with the input as (c, y, x). */
static int add_weights(struct writer *w, uint32_t layer, uint32_t rows)
{
    const bnn_layer *l = &w->net->topology.layer[layer];
    const size_t conv[] = { rows, l->in.channels, l->kernel, l->kernel }, dense[] = { l->MW, rows };
    const size_t pixels = l->MW / l->in.channels;
    bnn_array *a = l->kind == BNN_CONV ? add_array(w, 4, conv) : add_array(w, 2, dense);
    if (!a)
        return BNN_ENOMEM;
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t s = 0; s < l->MW; s++) {
            const size_t i = s % l->in.channels * pixels + s / l->in.channels;
            a->data[l->kind == BNN_CONV ? (size_t)r * l->MW + i : i * rows + r] = bnn_weight_at(l, &w->net->matrix[layer], r, s);
        }
    return BNN_OK;
}

/* `low`: what stands for thresholds that all sums reach. */
static double within(int32_t threshold, double limit, double low)
{
    return threshold <= -limit ? low : threshold > limit + 1 ? limit + 1 : threshold;
}

static bnn_norm norm_of(const bnn_layer *l, const bnn_matrix *m, uint32_t row)
{
    const int32_t *t = m->thresholds + (size_t)row * l->thresholds;
    const double unit = l->input_bits == 8 ? 1.0 / 128 : 1, limit = l->MW / unit;
    bnn_norm n = { .gamma = 1, .inv_std = 1 };
    if (l->thresholds == 1) /* finnthesizer cuts the popcount (MW + T) / 2 towards 0: below -1 it has to be */
        n.mean = (within(t[0], limit, -limit - 2) - 0.5) * unit;
    if (l->thresholds == 2) {
        const double a = within(t[0], limit, -limit), b = within(t[1], limit, -limit), apart = a < b ? b - a : a - b;
        n.mean  = (a + b - 1) / 2 * unit;
        n.gamma = (apart == 0 ? 2 : 1 / apart) / unit;
    }
    return n;
}

/* One norm for all rows has no dimensions, and no b goes with it. */
static int add_norm(struct writer *w, uint32_t layer, uint32_t rows, bool one)
{
    const bnn_layer *l = &w->net->topology.layer[layer];
    const size_t shape[] = { rows };
    bnn_array *a[BNN_NORM_ARRAYS] = { NULL };
    for (int k = one; k < BNN_NORM_ARRAYS; k++)
        if (!(a[k] = add_array(w, !one, shape)))
            return BNN_ENOMEM;
    for (uint32_t r = 0; r < (one ? 1 : rows); r++) {
        const bnn_norm n = norm_of(l, &w->net->matrix[layer], r);
        a[BNN_NORM_GAMMA]->data[r]   = n.gamma;
        a[BNN_NORM_MEAN]->data[r]    = n.mean;
        a[BNN_NORM_INV_STD]->data[r] = n.inv_std;
    }
    return BNN_OK;
}

static int add_layers(struct writer *w)
{
    const bnn_topology *t = &w->net->topology;
    int rc = BNN_OK;
    for (uint32_t i = 0; rc == BNN_OK && i < t->layers; i++) {
        const bnn_layer *l = &t->layer[i];
        const bool last = i + 1 == t->layers;
        const uint32_t rows = last ? w->net->classes : l->MH;
        if (l->kind == BNN_MAXPOOL)
            continue;
        rc = add_weights(w, i, rows);
        if (rc == BNN_OK) /* the scripts' CNV ends in one norm for all classes, their LFC in one a class */
            rc = add_norm(w, i, rows, last && l->thresholds == 0 && t->layer[0].kind == BNN_CONV);
    }
    return rc;
}

int bnn_network_save_npz(const bnn_network *net, const char *path, bnn_error *err)
{
    struct writer w = { .net = net, .err = err };
    const bnn_npz_options options = { .deflated = true };
    w.npz.array = bnn_alloc((size_t)net->topology.layers * (1 + BNN_NORM_ARRAYS), sizeof *w.npz.array);
    int rc = w.npz.array ? add_layers(&w) : bnn_fail_memory(err, net->topology.layers * sizeof *w.npz.array);
    if (rc == BNN_OK)
        rc = bnn_npz_save(&w.npz, &options, path, err);
    bnn_npz_free(&w.npz);
    return rc;
}
