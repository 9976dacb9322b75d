/* fold.c -- batch norm and quantisation to integer thresholds, exactly.
 *
 * The float graph computes z(acc) = (acc - mean) * scale + beta in floats and
 * compares it with a step. acc is a sum of products of small integers, so an
 * integer, and within 2^24 the float graph's sum is that integer itself.
 *
 * Proof that one threshold says the same. Subtracting a constant, multiplying
 * by one and adding one are monotone, and so is rounding to nearest; so z is,
 * as computed and not only as meant: non-decreasing where scale >= 0,
 * non-increasing where scale < 0. Take scale >= 0: if z(a) >= step then
 * z(b) >= step for every b > a, so the set of acc that fire is a range up to
 * the end of all sums, and its least member t decides: fires <=> acc >= t. It
 * is found by bisection on the very expression that the float graph evaluates
 * (bnn_norm_at, compiled without contraction), hence ties and roundings agree
 * by construction. If nothing fires t = limit + 1, if everything fires
 * t = -limit: both saturate, no sum is beyond. If scale is 0 or z is not a
 * number, z is constant and one of these two holds.
 *
 * Where scale < 0 the neuron fires below a bound. Negating its weights turns
 * acc into -acc for every input, and acc' -> z(-acc') is non-decreasing, so
 * the same search applies. The pool that may follow takes the maximum of
 * quantised values, which are unchanged by this, so it needs no care.
 *
 * Two steps (ternary activations) are two such thresholds; the value
 * -1 + (z >= -0.5) + (z >= 0.5) counts them. Scores have no threshold: one
 * positive scale for all classes keeps their order (loss.c).
 */
#include "train/graph.h"

#include <string.h>

int32_t bnn_fold_threshold(float mean, float scale, float beta, float step, int sign, int32_t limit)
{
    int32_t low = -limit, high = limit + 1; /* the answer is in low .. high */
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (bnn_norm_at((float)(sign * middle), mean, scale, beta) >= step)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* No sum of the layer is larger in magnitude. */
static int32_t limit_of(const bnn_layer *l)
{
    return (int32_t)(l->input_bits == 8 ? l->MW * 128u : l->MW);
}

static void fold_row(const bnn_layer *l, const bnn_graph_layer *g, bnn_matrix *m, uint32_t r)
{
    static const float steps[3][2] = { { 0 }, { 0 }, { -0.5f, 0.5f } }; /* by number of thresholds */
    const int sign = l->thresholds && g->scale[r] < 0 ? -1 : 1;
    const int8_t *row = g->weights + (size_t)r * l->MW;
    for (uint32_t s = 0; s < l->MW; s++)
        bnn_weight_set(l, m, r, s, sign * row[s]);
    for (uint32_t k = 0; k < l->thresholds; k++)
        m->thresholds[(size_t)r * l->thresholds + k] =
            bnn_fold_threshold(g->mean[r], g->scale[r], g->beta[r], steps[l->thresholds][k], sign, limit_of(l));
}

int bnn_fold(bnn_network **out, const bnn_graph *g, const bnn_rule *rule, uint32_t classes, bnn_error *err)
{
    bnn_network *net;
    int rc = bnn_network_new(&net, &g->topology, err);
    if (rc != BNN_OK)
        return rc;
    bnn_rule_free(&net->rule);
    net->classes = classes;
    rc = bnn_rule_copy(&net->rule, rule, err);
    if (rc != BNN_OK) {
        bnn_network_close(net);
        return rc;
    }
    for (uint32_t i = 0; i < g->topology.layers; i++)
        for (uint32_t r = 0; r < g->topology.layer[i].MH; r++)
            fold_row(&g->topology.layer[i], &g->layer[i], &net->matrix[i], r);
    *out = net;
    return BNN_OK;
}
