/* lasagne.c -- reading trained archives, and the exact fold.
 *
 * Proof of the fold. z, as computed in float64, is a monotone function of acc:
 * scaling by a power of two, subtracting, multiplying by the slope gamma *
 * inv_std and adding are, and so is rounding to nearest. Take slope >= 0: the
 * sums that fire (z >= step) are all from some T on, and bisection on the very
 * expression finds it; so ties and roundings are those of the graph. If no sum
 * fires T = limit + 1, if all do T = -limit. Take slope < 0: the row's weights
 * are negated, and z of the negated sum rises with it.
 *
 * Before a pool that would be wrong: the graph takes z of the maximum, and the
 * network the maximum of the values, which for a falling z is z of the
 * minimum. So there the row is kept and gives the opposite value, which does
 * rise with acc: it fires where the graph does not, acc >= 1 - T' with T' the
 * threshold of -acc; and the weights that read this channel in the next layer
 * are negated.
 *
 * The last layer. A norm that is one for all classes, with a positive slope,
 * keeps the order of the sums: they are the scores (negated for a negative
 * slope, all equal for 0). A norm per class cannot be put into integer scores:
 * its rows get their exact thresholds, the network ends in bits as the
 * original's do, and labels go by acc - T.
 */
#include "format/lasagne.h"
#include "format/format.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

static const char *const norm_name[] = { "b", "beta", "gamma", "mean", "inv_std" };

bnn_norm bnn_lasagne_norm(const bnn_lasagne_layer *l, uint32_t row)
{
    double v[BNN_NORM_ARRAYS];
    for (int i = 0; i < BNN_NORM_ARRAYS; i++)
        v[i] = !l->norm[i] ? 0 : l->norm[i][l->one[i] ? 0 : row];
    return (bnn_norm){ v[BNN_NORM_BIAS], v[BNN_NORM_BETA], v[BNN_NORM_GAMMA], v[BNN_NORM_MEAN], v[BNN_NORM_INV_STD] };
}

double bnn_lasagne_weight(const bnn_lasagne_layer *l, uint32_t row, uint32_t synapse)
{
    const bnn_layer *s = l->shape;
    const uint32_t c = synapse % s->in.channels, pixel = synapse / s->in.channels; /* (y, x, c) here, (c, y, x) there */
    if (s->kind == BNN_CONV)
        return l->W[((size_t)row * s->in.channels + c) * s->kernel * s->kernel + pixel];
    return l->W[((size_t)c * s->in.height * s->in.width + pixel) * s->MH + row];
}

/* -------------------------------------------------------------- reading -- */

struct reader { bnn_lasagne *a; size_t at; bnn_error *err; };

static void print_shape(char out[80], const bnn_array *a)
{
    bnn_printer p = { out, 80, 0 };
    bnn_print(&p, a->dims ? "" : "1");
    for (uint32_t d = 0; d < a->dims; d++)
        bnn_print(&p, "%s%zu", d ? "x" : "", a->shape[d]);
}

static int take_array(struct reader *r, const bnn_array **out)
{
    char name[24];
    snprintf(name, sizeof name, "arr_%zu", r->at++);
    *out = bnn_npz_find(&r->a->npz, name);
    if (!*out)
        return bnn_fail(r->err, BNN_ECORRUPT, "no array '%s'; expected arr_0 to arr_%zu", name, r->a->npz.count - 1);
    for (size_t i = 0; i < (*out)->size; i++)
        if (!isfinite((*out)->data[i]))
            return bnn_fail(r->err, BNN_ECORRUPT, "%s: value %zu is not finite", name, i);
    return BNN_OK;
}

/* How many neurons W has for this shape; 0 when it does not fit. */
static size_t neurons_of(const bnn_array *w, const bnn_layer *s)
{
    if (s->kind == BNN_CONV)
        return w->dims == 4 && w->shape[1] == s->in.channels && w->shape[2] == s->kernel && w->shape[3] == s->kernel ? w->shape[0] : 0;
    return w->dims == 2 && w->shape[0] == s->MW ? w->shape[1] : 0;
}

static int take_weights(struct reader *r, bnn_lasagne_layer *l, bnn_layer *s)
{
    const bnn_array *w;
    const bool last = s == bnn_topology_last(&r->a->topology);
    int rc = take_array(r, &w);
    if (rc != BNN_OK)
        return rc;
    const size_t n = neurons_of(w, s);
    if (n == 0 || n > s->MH || (n != s->MH && !(last && s->at_most))) {
        char shape[80];
        print_shape(shape, w);
        return bnn_fail(r->err, BNN_ESHAPE, "%s: %s weights; expected those of %s%u neurons of %u inputs (%s)", w->name, shape,
                        s->at_most ? "up to " : "", s->MH, s->MW, bnn_layer_kind_name(s->kind));
    }
    l->W = w->data;
    return last && n != s->MH ? bnn_topology_set_rows(&r->a->topology, (uint32_t)n, r->err) : BNN_OK;
}

static int take_norm(struct reader *r, bnn_lasagne_layer *l, int which, bool last)
{
    const bnn_array *a;
    const int rc = take_array(r, &a);
    if (rc != BNN_OK)
        return rc;
    if (a->size != l->shape->MH && !(last && a->size == 1))
        return bnn_fail(r->err, BNN_ESHAPE, "%s: %zu values of %s; expected %u", a->name, a->size, norm_name[which], l->shape->MH);
    for (size_t i = 0; which == BNN_NORM_INV_STD && i < a->size; i++)
        if (!(a->data[i] > 0))
            return bnn_fail(r->err, BNN_ECORRUPT, "%s: inv_std %g; expected a positive number", a->name, a->data[i]);
    l->norm[which] = a->data;
    l->one[which]  = a->size == 1;
    return BNN_OK;
}

static int take_layers(struct reader *r)
{
    bnn_topology *t = &r->a->topology;
    int rc = BNN_OK;
    for (uint32_t i = 0; rc == BNN_OK && i < t->layers; i++) {
        const bool last = i + 1 == t->layers;
        if (t->layer[i].kind == BNN_MAXPOOL)
            continue;
        bnn_lasagne_layer *l = &r->a->layer[r->a->layers++];
        l->shape  = &t->layer[i];
        l->pooled = !last && t->layer[i + 1].kind == BNN_MAXPOOL;
        rc = take_weights(r, l, &t->layer[i]);
        /* Without a b in the last layer four arrays are left, and else five. */
        for (int k = last && r->a->npz.count - r->at == 4; rc == BNN_OK && k < BNN_NORM_ARRAYS; k++)
            rc = take_norm(r, l, k, last);
    }
    return rc;
}

static int check_count(const bnn_lasagne *a, bnn_error *err)
{
    size_t layers = 0;
    for (uint32_t i = 0; i < a->topology.layers; i++)
        layers += a->topology.layer[i].kind != BNN_MAXPOOL;
    if (a->npz.count == 6 * layers || a->npz.count == 6 * layers - 1)
        return BNN_OK;
    return bnn_fail(err, BNN_ESHAPE, "%zu arrays; a network of %zu layers with weights has 6 of each, and 5 of the last if that has no biases",
                    a->npz.count, layers);
}

/* ------------------------------------------------------- which topology -- */

/* The scripts' names: mnist-1w-1a.npz, cifar10-2w-2a.npz; by number of arrays LFC or CNV. */
static const char *guess_name(const char *path, size_t arrays)
{
    static const struct { size_t arrays; const char *bits, *name; } guesses[] = {
        { 24, "1w-1a", "lfcW1A1" }, { 24, "1w-2a", "lfcW1A2" },
        { 53, "1w-1a", "cnvW1A1" }, { 53, "1w-2a", "cnvW1A2" }, { 53, "2w-2a", "cnvW2A2" },
    };
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (guesses[i].arrays == arrays && strstr(file, guesses[i].bits))
            return guesses[i].name;
    return NULL;
}

static bool is_overlay_name(const char *name)
{
    size_t i = 0;
    while (bnn_pynq_overlay_name(i) && strcmp(bnn_pynq_overlay_name(i), name) != 0)
        i++;
    return bnn_pynq_overlay_name(i) != NULL;
}

static int find_topology(bnn_lasagne *a, const char *path, const bnn_open_options *options, bnn_error *err)
{
    const char *name = options->topology ? options->topology : guess_name(path, a->npz.count);
    if (!name)
        return bnn_fail(err, BNN_EINVAL, "%zu arrays do not say how many bits weights and activations have; expected the topology "
                        "to be given (%s)", a->npz.count, a->npz.count == 24 ? "lfcW1A1 or lfcW1A2" : "cnvW1A1, cnvW1A2, cnvW2A2, ...");
    a->is_overlay = is_overlay_name(name);
    int rc = a->is_overlay ? bnn_pynq_overlay_find(&a->overlay, name, options->variant, err) : bnn_topology_open(&a->topology, name, err);
    if (rc == BNN_OK && a->is_overlay) {
        a->topology = a->overlay.topology;
        a->topology.layer[a->topology.layers - 1].at_most = true;
    }
    return rc == BNN_OK ? check_count(a, err) : rc;
}

/* ---------------------------------------------------------------- names -- */

/* The lines of a file, without line ends at the end: as classes.txt has them. */
static int read_names(bnn_lasagne *a, const char *path, bnn_error *err)
{
    const uint32_t classes = bnn_topology_last(&a->topology)->MH;
    bnn_file file;
    uint32_t lines = 1;
    const int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    size_t n = file.size;
    while (n > 0 && (file.data[n - 1] == '\n' || file.data[n - 1] == '\r'))
        n--;
    a->names = bnn_strndup((const char *)file.data, n);
    bnn_file_close(&file);
    if (!a->names)
        return bnn_fail_memory(err, n);
    for (const char *c = a->names; *c; c++)
        lines += *c == '\n';
    return lines == classes ? BNN_OK : bnn_fail(err, BNN_ESHAPE, "%s: %u lines; the archive has %u classes", path, lines, classes);
}

static int set_names(bnn_network *net, const char *text, bnn_error *err)
{
    const char *name[BNN_MAX_CLASSES];
    char *copy = bnn_strdup(text), *at = copy, *end;
    uint32_t n = 0;
    if (!copy)
        return bnn_fail_memory(err, strlen(text));
    for (; at && n < net->classes; at = end) {
        end = strchr(at, '\n');
        if (end)
            *end++ = '\0';
        at[strcspn(at, "\r")] = '\0';
        name[n++] = at;
    }
    const int rc = bnn_network_set_names(net, name, n, err);
    bnn_free(copy);
    return rc;
}

/* ----------------------------------------------------------- exact fold -- */

static double slope_of(const bnn_norm *n)
{
    return n->gamma * n->inv_std;
}

/* Least sum that fires, of those from -limit to limit; `unit` is what 1 of the sum counts. */
static int32_t fold_step(const bnn_norm *n, double unit, double step, int32_t limit)
{
    const double slope = slope_of(n);
    if (slope < 0)
        unit = -unit;
    int32_t low = -limit, high = limit + 1;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (((middle * unit + n->bias) - n->mean) * slope + n->beta >= step)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int quantised(const bnn_layer *s, double w)
{
    const double rounded = floor(w + 0.5);
    if (s->weight_bits == 1)
        return w >= 0 ? 1 : -1;
    return rounded < -1 ? -1 : rounded > 1 ? 1 : (int)rounded;
}

/* What a row of the network is, beside the archive's: `weights` and `output` are signs, 0 of a constant score. */
struct turn { int weights, output; };

static struct turn turn_of(const bnn_lasagne_layer *l, double slope)
{
    if (l->shape->output_bits == BNN_BITS_SCORE && slope == 0)
        return (struct turn){ 0, 1 };
    if (slope < 0)
        return l->pooled ? (struct turn){ 1, -1 } : (struct turn){ -1, 1 };
    return (struct turn){ 1, 1 };
}

/* `in` has the outputs' signs of the layer before, for each channel; `out` gets those of this one. */
static void fold_row(bnn_matrix *m, const bnn_lasagne_layer *l, uint32_t row, const int8_t *in, int8_t *out)
{
    static const double steps[3][2] = { { 0 }, { 0 }, { -0.5, 0.5 } }; /* by number of thresholds */
    const bnn_layer *s = l->shape;
    const bool fixed = s->input_bits == 8;
    const bnn_norm n = bnn_lasagne_norm(l, row);
    const struct turn turn = turn_of(l, slope_of(&n));
    for (uint32_t i = 0; i < s->MW; i++) {
        const int w = quantised(s, bnn_lasagne_weight(l, row, i)) * in[i % s->in.channels] * turn.weights;
        bnn_weight_set(s, m, row, i, w == 0 && s->weight_bits == 1 ? 1 : w);
    }
    for (uint32_t k = 0; k < s->thresholds; k++) {
        const int32_t t = fold_step(&n, fixed ? 1.0 / 128 : 1, steps[s->thresholds][k], (int32_t)(fixed ? 128 * s->MW : s->MW));
        m->thresholds[(size_t)row * s->thresholds + (turn.output < 0 ? s->thresholds - 1 - k : k)] = turn.output < 0 ? 1 - t : t;
    }
    out[row] = (int8_t)turn.output;
}

static int fold_layers(bnn_network *net, const bnn_lasagne *a, bnn_error *err)
{
    int8_t *in = bnn_alloc(BNN_MAX_MH, 1), *out = bnn_alloc(BNN_MAX_MH, 1);
    const int rc = in && out ? BNN_OK : bnn_fail_memory(err, BNN_MAX_MH);
    if (rc == BNN_OK)
        memset(in, 1, BNN_MAX_MH);
    for (uint32_t i = 0; rc == BNN_OK && i < a->layers; i++) {
        const bnn_lasagne_layer *l = &a->layer[i];
        for (uint32_t r = 0; r < l->shape->MH; r++)
            fold_row(&net->matrix[l->shape - a->topology.layer], l, r, in, out);
        int8_t *swap = in;
        in  = out;
        out = swap;
    }
    bnn_free(in);
    bnn_free(out);
    return rc;
}

static bool same_for_all(const bnn_lasagne_layer *l)
{
    const bnn_norm first = bnn_lasagne_norm(l, 0);
    for (uint32_t r = 1; r < l->shape->MH; r++) {
        const bnn_norm n = bnn_lasagne_norm(l, r);
        if (n.bias != first.bias || n.beta != first.beta || n.gamma != first.gamma || n.mean != first.mean || n.inv_std != first.inv_std)
            return false;
    }
    return true;
}

static int fold_exactly(bnn_network **out, bnn_lasagne *a, bnn_error *err)
{
    bnn_layer *last = &a->topology.layer[a->topology.layers - 1];
    last->last_bits   = !same_for_all(&a->layer[a->layers - 1]);
    last->thresholds  = last->last_bits;
    last->output_bits = last->last_bits ? 1 : BNN_BITS_SCORE;
    bnn_network *net;
    int rc = bnn_network_new(&net, &a->topology, err);
    if (rc != BNN_OK)
        return rc;
    rc = fold_layers(net, a, err);
    if (rc == BNN_OK && a->is_overlay)
        rc = bnn_rule_parse(&net->rule, &net->topology, a->overlay.input_rule, strlen(a->overlay.input_rule), err);
    if (rc == BNN_OK && a->names)
        rc = set_names(net, a->names, err);
    if (rc == BNN_OK)
        rc = bnn_network_finish(net, err);
    if (rc == BNN_OK)
        *out = net;
    else
        bnn_network_close(net);
    return rc;
}

/* ----------------------------------------------------------------- open -- */

static int check_fold(bool *exact, const bnn_open_options *options, bnn_error *err)
{
    *exact = !options->fold || strcmp(options->fold, "exact") == 0;
    if (!*exact && strcmp(options->fold, "finnthesizer") != 0)
        return bnn_fail(err, BNN_EINVAL, "fold '%s'; expected exact or finnthesizer", options->fold);
    if (options->variant && strcmp(options->variant, "xilinx") != 0)
        return bnn_fail(err, BNN_EINVAL, "variant '%s' of an archive; expected xilinx", options->variant);
    return BNN_OK;
}

static int read_archive(bnn_lasagne *a, const char *path, const bnn_open_options *options, bnn_error *err)
{
    struct reader r = { .a = a, .err = err };
    int rc = find_topology(a, path, options, err);
    if (rc == BNN_OK)
        rc = take_layers(&r);
    if (rc != BNN_OK) {
        bnn_fail_prefix(err, path);
        return rc;
    }
    return options->names ? read_names(a, options->names, err) : BNN_OK;
}

static int open_archive(bnn_network **out, const char *path, const bnn_open_options *options, bnn_error *err)
{
    bool exact;
    bnn_network *net = NULL;
    int rc = check_fold(&exact, options, err);
    if (rc != BNN_OK)
        return rc;
    bnn_lasagne *a = bnn_alloc(1, sizeof *a);
    if (!a)
        return bnn_fail_memory(err, sizeof *a);
    rc = bnn_npz_open(&a->npz, path, err);
    if (rc == BNN_OK)
        rc = read_archive(a, path, options, err);
    if (rc == BNN_OK)
        rc = exact ? fold_exactly(&net, a, err) : bnn_finnthesize(&net, a, path, err);
    if (rc == BNN_OK)
        rc = bnn_network_set_text(net, "fold", exact ? "exact" : "finnthesizer", err);
    if (rc == BNN_OK)
        *out = net;
    else
        bnn_network_close(net);
    bnn_npz_free(&a->npz);
    bnn_free(a->names);
    bnn_free(a);
    return rc;
}

static bool matches(const char *path)
{
    bnn_file file;
    if (bnn_file_open(&file, path, NULL) != BNN_OK)
        return false;
    const bool zip = file.size >= 4 && memcmp(file.data, "PK\3\4", 4) == 0;
    bnn_file_close(&file);
    return zip;
}

const bnn_format bnn_format_lasagne = { "lasagne", matches, open_archive };
