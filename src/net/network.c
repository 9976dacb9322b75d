/* network.c -- building, checking and describing a network. */
#include "net/network.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- building -- */

static int new_matrix(bnn_matrix *m, const bnn_layer *l, bnn_error *err)
{
    if (l->kind == BNN_MAXPOOL)
        return BNN_OK;
    m->weights    = bnn_alloc(bnn_weight_words(l), sizeof *m->weights);
    m->thresholds = bnn_alloc((size_t)l->MH * l->thresholds, sizeof *m->thresholds);
    return m->weights && m->thresholds ? BNN_OK : bnn_fail_memory(err, bnn_weight_words(l) * sizeof *m->weights);
}

int bnn_network_new(bnn_network **out, const bnn_topology *t, bnn_error *err)
{
    bnn_network *net = bnn_alloc(1, sizeof *net);
    if (!net)
        return bnn_fail_memory(err, sizeof *net);
    net->topology = *t;
    net->topology.layer[t->layers - 1].at_most = false;
    net->classes = bnn_topology_last(t)->MH;
    bnn_rule_default(&net->rule, t);
    net->matrix = bnn_alloc(t->layers, sizeof *net->matrix);
    int rc = net->matrix ? BNN_OK : bnn_fail_memory(err, t->layers * sizeof *net->matrix);
    for (uint32_t i = 0; rc == BNN_OK && i < t->layers; i++)
        rc = new_matrix(&net->matrix[i], &t->layer[i], err);
    if (rc != BNN_OK) {
        bnn_network_close(net);
        return rc;
    }
    *out = net;
    return BNN_OK;
}

static void free_names(bnn_network *net)
{
    for (uint32_t i = 0; net->name && i < net->names; i++)
        bnn_free(net->name[i]);
    bnn_free(net->name);
    net->name  = NULL;
    net->names = 0;
}

void bnn_network_close(bnn_network *net)
{
    if (!net)
        return;
    for (uint32_t i = 0; net->matrix && i < net->topology.layers; i++) {
        bnn_free(net->matrix[i].weights);
        bnn_free(net->matrix[i].thresholds);
    }
    for (size_t i = 0; i < net->extras; i++) {
        bnn_free(net->extra[i].name);
        bnn_free(net->extra[i].data);
    }
    for (size_t i = 0; i < net->texts; i++) {
        bnn_free(net->text[i].key);
        bnn_free(net->text[i].value);
    }
    free_names(net);
    free(net->extra);
    free(net->text);
    bnn_rule_free(&net->rule);
    bnn_free(net->matrix);
    bnn_free(net->topology_text);
    bnn_free(net->rule_text);
    bnn_free(net);
}

int bnn_network_set_names(bnn_network *net, const char *const *names, uint32_t count, bnn_error *err)
{
    free_names(net);
    net->name = bnn_alloc(count, sizeof *net->name);
    if (!net->name)
        return bnn_fail_memory(err, count * sizeof *net->name);
    for (uint32_t i = 0; i < count; i++) {
        net->names   = i + 1;
        net->name[i] = bnn_strdup(names[i]);
        if (!net->name[i])
            return bnn_fail_memory(err, strlen(names[i]));
    }
    return BNN_OK;
}

int bnn_network_set_text(bnn_network *net, const char *key, const char *value, bnn_error *err)
{
    size_t at = 0;
    while (at < net->texts && strcmp(net->text[at].key, key) < 0)
        at++;
    const bool known = at < net->texts && strcmp(net->text[at].key, key) == 0;
    if (!known && net->texts == BNN_MAX_TEXTS)
        return bnn_fail(err, BNN_ESHAPE, "more than %d entries of provenance; expected at most that", BNN_MAX_TEXTS);
    char *copy = bnn_strdup(value);
    if (!copy)
        return bnn_fail_memory(err, strlen(value));
    if (known) {
        bnn_free(net->text[at].value);
        net->text[at].value = copy;
        return BNN_OK;
    }
    bnn_text *grown = realloc(net->text, (net->texts + 1) * sizeof *grown);
    char *name = grown ? bnn_strdup(key) : NULL;
    if (grown)
        net->text = grown;
    if (!name) {
        bnn_free(copy);
        return bnn_fail_memory(err, sizeof *grown);
    }
    memmove(grown + at + 1, grown + at, (net->texts - at) * sizeof *grown);
    grown[at] = (bnn_text){ name, copy };
    net->texts++;
    return BNN_OK;
}

int bnn_network_add_extra(bnn_network *net, const char *name, const void *data, size_t size, bnn_error *err)
{
    bnn_extra *grown = realloc(net->extra, (net->extras + 1) * sizeof *grown);
    if (!grown)
        return bnn_fail_memory(err, sizeof *grown);
    net->extra = grown;
    bnn_extra e = { .name = bnn_strdup(name), .data = bnn_alloc(size, 1), .size = size };
    if (!e.name || !e.data) {
        bnn_free(e.name);
        bnn_free(e.data);
        return bnn_fail_memory(err, size);
    }
    if (size)
        memcpy(e.data, data, size);
    net->extra[net->extras++] = e;
    return BNN_OK;
}

const bnn_extra *bnn_network_find_extra(const bnn_network *net, const char *name)
{
    for (size_t i = 0; i < net->extras; i++)
        if (strcmp(net->extra[i].name, name) == 0)
            return &net->extra[i];
    return NULL;
}

/* -------------------------------------------------------------- weights -- */

static uint64_t *plane(const bnn_layer *l, const bnn_matrix *m, uint32_t row, uint32_t which)
{
    return m->weights + ((size_t)row * l->weight_bits + which) * bnn_row_words(l);
}

int bnn_weight_at(const bnn_layer *l, const bnn_matrix *m, uint32_t row, uint32_t synapse)
{
    const uint64_t bit = (uint64_t)1 << (synapse % 64);
    if (l->weight_bits == 2 && !(plane(l, m, row, 1)[synapse / 64] & bit))
        return 0;
    return plane(l, m, row, 0)[synapse / 64] & bit ? 1 : -1;
}

static void put_bit(uint64_t *words, uint32_t i, bool on)
{
    const uint64_t bit = (uint64_t)1 << (i % 64);
    words[i / 64] = on ? words[i / 64] | bit : words[i / 64] & ~bit;
}

void bnn_weight_set(const bnn_layer *l, bnn_matrix *m, uint32_t row, uint32_t synapse, int value)
{
    put_bit(plane(l, m, row, 0), synapse, value > 0);
    if (l->weight_bits == 2)
        put_bit(plane(l, m, row, 1), synapse, value != 0);
}

/* ------------------------------------------------------------- checking -- */

static int check_row(const bnn_layer *l, const bnn_matrix *m, uint32_t layer, uint32_t row, bnn_error *err)
{
    const size_t words = bnn_row_words(l);
    const uint64_t padding = l->MW % 64 ? ~(uint64_t)0 << (l->MW % 64) : 0;
    for (uint32_t p = 0; p < l->weight_bits; p++)
        if (plane(l, m, row, p)[words - 1] & padding)
            return bnn_fail(err, BNN_ECORRUPT, "layer %u row %u: weight bits beyond its %u synapses; expected 0 there", layer, row, l->MW);
    for (size_t i = 0; l->weight_bits == 2 && i < words; i++)
        if (plane(l, m, row, 0)[i] & ~plane(l, m, row, 1)[i])
            return bnn_fail(err, BNN_ECORRUPT, "layer %u row %u: a weight is both zero and positive", layer, row);
    for (uint32_t k = 0; k < l->thresholds; k++) {
        const int32_t t = m->thresholds[(size_t)row * l->thresholds + k];
        if (t > BNN_THRESHOLD_LIMIT || t < -BNN_THRESHOLD_LIMIT)
            return bnn_fail(err, BNN_ECORRUPT, "layer %u row %u: threshold %d; expected -2^30 to 2^30", layer, row, t);
    }
    return BNN_OK;
}

static int check(const bnn_network *net, bnn_error *err)
{
    const bnn_topology *t = &net->topology;
    const uint32_t rows = bnn_topology_last(t)->MH;
    if (net->classes < 1 || net->classes > rows)
        return bnn_fail(err, BNN_ESHAPE, "%u classes; the last layer has %u rows", net->classes, rows);
    if (bnn_rule_has_table(&net->rule) && !net->rule.table)
        return bnn_fail(err, BNN_ECORRUPT, "input rule: 'threshold table' or 'scaled' without a table");
    for (uint32_t i = 0; i < t->layers; i++)
        for (uint32_t r = 0; r < t->layer[i].MH; r++) {
            const int rc = check_row(&t->layer[i], &net->matrix[i], i, r, err);
            if (rc != BNN_OK)
                return rc;
        }
    return BNN_OK;
}

typedef size_t (*print_fn)(const void *, char *, size_t);

static char *print_text(print_fn print, const void *what)
{
    const size_t n = print(what, NULL, 0);
    char *text = bnn_alloc(n + 1, 1);
    if (text)
        print(what, text, n + 1);
    return text;
}

static size_t print_topology(const void *t, char *out, size_t size) { return bnn_topology_print(t, out, size); }
static size_t print_rule(const void *r, char *out, size_t size) { return bnn_rule_print(r, out, size); }

static void hash_words(bnn_sha256 *s, const uint64_t *words, size_t n)
{
    uint8_t b[8];
    for (size_t i = 0; i < n; i++) {
        bnn_put_u64le(b, words[i]);
        bnn_sha256_add(s, b, sizeof b);
    }
}

/* SHA-256 over what decides the answers, first 8 bytes, big endian. */
static uint64_t checksum(const bnn_network *net)
{
    bnn_sha256 s;
    uint8_t digest[32], b[4];
    bnn_sha256_init(&s);
    bnn_sha256_add(&s, net->topology_text, strlen(net->topology_text) + 1);
    bnn_sha256_add(&s, net->rule_text, strlen(net->rule_text) + 1);
    if (net->rule.table)
        bnn_sha256_add(&s, net->rule.table, bnn_shape_size(net->rule.shape));
    bnn_put_u32le(b, net->classes);
    bnn_sha256_add(&s, b, sizeof b);
    for (uint32_t i = 0; i < net->topology.layers; i++) {
        const bnn_layer *l = &net->topology.layer[i];
        hash_words(&s, net->matrix[i].weights, l->MH ? bnn_weight_words(l) : 0);
        for (size_t k = 0; k < (size_t)l->MH * l->thresholds; k++) {
            bnn_put_u32le(b, (uint32_t)net->matrix[i].thresholds[k]);
            bnn_sha256_add(&s, b, sizeof b);
        }
    }
    bnn_sha256_end(&s, digest);
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++)
        sum = sum << 8 | digest[i];
    return sum;
}

int bnn_network_finish(bnn_network *net, bnn_error *err)
{
    const int rc = check(net, err);
    if (rc != BNN_OK)
        return rc;
    bnn_free(net->topology_text);
    bnn_free(net->rule_text);
    net->topology_text = print_text(print_topology, &net->topology);
    net->rule_text     = print_text(print_rule, &net->rule);
    if (!net->topology_text || !net->rule_text)
        return bnn_fail_memory(err, sizeof *net);
    net->checksum = checksum(net);
    return BNN_OK;
}

/* ----------------------------------------------------------- describing -- */

static uint32_t argmax(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    uint32_t best = 0;
    (void)last;
    for (uint32_t i = 1; i < classes; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

const bnn_decode bnn_decode_argmax = { "argmax", argmax };

void bnn_network_get_info(const bnn_network *net, bnn_network_info *info)
{
    const bnn_topology *t = &net->topology;
    *info = (bnn_network_info){
        .input        = t->input,
        .classes      = net->classes,
        .rows         = bnn_topology_last(t)->MH,
        .layers       = t->layers,
        .ends_in_bits = bnn_topology_last(t)->last_bits,
        .file_version = net->file_version,
        .checksum     = net->checksum,
        .decode       = net->origin ? net->origin->decode[0]->name : bnn_decode_argmax.name,
    };
    for (uint32_t i = 0; i < t->layers; i++) {
        info->weight_bits += (uint64_t)t->layer[i].MW * t->layer[i].MH * t->layer[i].weight_bits;
        info->ops += bnn_layer_ops(&t->layer[i]);
    }
}

int bnn_network_get_layer(const bnn_network *net, uint32_t index, bnn_layer_info *info)
{
    if (index >= net->topology.layers)
        return BNN_EINVAL;
    const bnn_layer *l = &net->topology.layer[index];
    *info = (bnn_layer_info){
        .kind        = bnn_layer_kind_name(l->kind),
        .input       = l->in,
        .output      = l->out,
        .kernel      = l->kernel,
        .MW          = l->MW,
        .MH          = l->MH,
        .weight_bits = l->weight_bits,
        .input_bits  = l->input_bits,
        .output_bits = l->output_bits,
        .thresholds  = l->thresholds,
        .ops         = bnn_layer_ops(l),
    };
    return BNN_OK;
}

static int check_parameters(const bnn_network *net, uint32_t layer, size_t each, size_t size, const char *what, bnn_error *err)
{
    if (layer >= net->topology.layers)
        return bnn_fail(err, BNN_EINVAL, "layer %u; the network has layers 0 to %u", layer, net->topology.layers - 1);
    const size_t want = net->topology.layer[layer].MH * each;
    if (size != want)
        return bnn_fail(err, BNN_EINVAL, "%s of layer %u into %zu bytes; expected %zu", what, layer, size, want);
    return BNN_OK;
}

int bnn_network_weights(const bnn_network *net, uint32_t layer, int8_t *out, size_t size, bnn_error *err)
{
    const bnn_layer *l = &net->topology.layer[layer < net->topology.layers ? layer : 0];
    const int rc = check_parameters(net, layer, l->MW, size, "weights", err);
    for (uint32_t row = 0; rc == BNN_OK && row < l->MH; row++)
        for (uint32_t s = 0; s < l->MW; s++)
            *out++ = (int8_t)bnn_weight_at(l, &net->matrix[layer], row, s);
    return rc;
}

int bnn_network_thresholds(const bnn_network *net, uint32_t layer, int32_t *out, size_t size, bnn_error *err)
{
    const bnn_layer *l = &net->topology.layer[layer < net->topology.layers ? layer : 0];
    const int rc = check_parameters(net, layer, l->thresholds * sizeof *out, size, "thresholds", err);
    if (rc == BNN_OK && size > 0)
        memcpy(out, net->matrix[layer].thresholds, size);
    return rc;
}

const char *bnn_network_class_name(const bnn_network *net, uint32_t label)
{
    return label < net->names ? net->name[label] : "";
}

const char *bnn_network_text(const bnn_network *net, const char *key)
{
    if (strcmp(key, "topology") == 0)
        return net->topology_text;
    if (strcmp(key, "input") == 0)
        return net->rule_text;
    for (size_t i = 0; i < net->texts; i++)
        if (strcmp(net->text[i].key, key) == 0)
            return net->text[i].value;
    return NULL;
}

const char *bnn_network_key(const bnn_network *net, size_t index)
{
    return index < net->texts ? net->text[index].key : NULL;
}

size_t bnn_raw_size(const bnn_network *net)
{
    const bnn_layer *last = bnn_topology_last(&net->topology);
    return last->last_bits ? (last->MH + 63u) / 64u * 8u : last->MH * 4u;
}

void bnn_raw(const bnn_network *net, const int32_t *scores, void *out)
{
    const bnn_layer *last = bnn_topology_last(&net->topology);
    uint8_t *p = out;
    if (last->last_bits) {
        memset(p, 0, bnn_raw_size(net));
        for (uint32_t r = 0; r < last->MH; r++) /* little endian: byte r / 8 of word r / 64 */
            p[r / 8] |= (uint8_t)((scores[r] >= 0) << (r % 8));
        return;
    }
    for (uint32_t r = 0; r < last->MH; r++)
        bnn_put_u32le(p + 4 * r, (uint32_t)(net->origin && net->origin->raw ? net->origin->raw(scores[r], last) : scores[r]));
}
