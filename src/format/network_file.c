/* network_file.c -- our network file: a network in a safetensors container (docs/format.md). */
#include "format/format.h"
#include "format/safetensors.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VERSION = 1, NAME_ROOM = 32 };
#define KIND       "bnn-network"
#define PROVENANCE "provenance."
#define EXTRA      "bnn-pynq."
#define TABLE      "input.threshold"

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The tensors of a network, as they are described in a header. */

static bnn_tensor weights_tensor(char name[NAME_ROOM], const bnn_network *net, uint32_t layer)
{
    const bnn_layer *l = &net->topology.layer[layer];
    snprintf(name, NAME_ROOM, "layers.%u.weights", layer);
    return (bnn_tensor){ name, BNN_U64, 3, { l->MH, l->weight_bits, bnn_row_words(l) },
                         net->matrix ? net->matrix[layer].weights : NULL, bnn_weight_words(l) * 8 };
}

static bnn_tensor thresholds_tensor(char name[NAME_ROOM], const bnn_network *net, uint32_t layer)
{
    const bnn_layer *l = &net->topology.layer[layer];
    snprintf(name, NAME_ROOM, "layers.%u.thresholds", layer);
    return (bnn_tensor){ name, BNN_I32, 2, { l->MH, l->thresholds },
                         net->matrix ? net->matrix[layer].thresholds : NULL, (size_t)l->MH * l->thresholds * 4 };
}

static bnn_tensor table_tensor(const bnn_rule *r)
{
    return (bnn_tensor){ TABLE, BNN_U8, 3, { r->shape.height, r->shape.width, r->shape.channels }, r->table,
                         bnn_shape_size(r->shape) };
}

/* -------------------------------------------------------------- reading -- */

/* A file being read. `net` is only a description until build() has checked
 * that the file holds what the description asks memory for. */
struct reader {
    bnn_safetensors st;
    bnn_topology    topology;
    size_t          used; /* tensors that have their place in the network */
    bnn_error      *err;
};

static int missing(const struct reader *r, const char *key)
{
    return bnn_fail(r->err, BNN_ECORRUPT, "metadata has no '%s'", key);
}

static int check_version(const struct reader *r)
{
    const char *kind = bnn_safetensors_text(&r->st, "format"), *version = bnn_safetensors_text(&r->st, "version");
    uint32_t n;
    if (!kind || strcmp(kind, KIND) != 0)
        return bnn_fail(r->err, BNN_EMAGIC, "safetensors of format '%.40s'; expected '%s'", kind ? kind : "", KIND);
    if (!version || !bnn_span_number((bnn_span){ version, strlen(version) }, &n) || n < 1)
        return bnn_fail(r->err, BNN_ECORRUPT, "version '%.20s'; expected a number", version ? version : "");
    if (n > VERSION)
        return bnn_fail(r->err, BNN_EVERSION, "file version %u, this library reads up to %d", n, VERSION);
    return BNN_OK;
}

/* The file's tensor of the name and shape of `want`. */
static int find(struct reader *r, const bnn_tensor *want, const bnn_tensor **out)
{
    const bnn_tensor *t = bnn_safetensors_find(&r->st, want->name);
    if (!t)
        return bnn_fail(r->err, BNN_ECORRUPT, "no tensor '%s'; the topology has such a layer", want->name);
    bool same = t->dtype == want->dtype && t->rank == want->rank;
    for (unsigned i = 0; same && i < t->rank; i++)
        same = t->shape[i] == want->shape[i];
    if (!same)
        return bnn_fail(r->err, BNN_ECORRUPT, "tensor '%s': shape or dtype is not the topology's, %zu x %zu x %zu", want->name,
                        want->shape[0], want->shape[1], want->rank > 2 ? want->shape[2] : 1);
    r->used++;
    *out = t;
    return BNN_OK;
}

/* Finds the tensors of one layer; copies them once `net` has memory for them. */
static int read_layer(struct reader *r, const bnn_network *net, uint32_t layer)
{
    char name[NAME_ROOM];
    const bnn_tensor *found;
    const bnn_layer *l = &net->topology.layer[layer];
    if (l->kind == BNN_MAXPOOL)
        return BNN_OK;
    bnn_tensor want = weights_tensor(name, net, layer);
    int rc = find(r, &want, &found);
    if (rc == BNN_OK && net->matrix)
        bnn_tensor_copy(net->matrix[layer].weights, found);
    if (rc != BNN_OK || l->thresholds == 0)
        return rc;
    want = thresholds_tensor(name, net, layer);
    rc = find(r, &want, &found);
    if (rc == BNN_OK && net->matrix)
        bnn_tensor_copy(net->matrix[layer].thresholds, found);
    return rc;
}

static int read_layers(struct reader *r, const bnn_network *net)
{
    int rc = BNN_OK;
    r->used = 0;
    for (uint32_t i = 0; rc == BNN_OK && i < net->topology.layers; i++)
        rc = read_layer(r, net, i);
    return rc;
}

static int read_topology(struct reader *r)
{
    const char *text = bnn_safetensors_text(&r->st, "topology");
    if (!text)
        return missing(r, "topology");
    return bnn_topology_parse(&r->topology, text, strlen(text), r->err);
}

static int read_rule(struct reader *r, bnn_network *net)
{
    const char *text = bnn_safetensors_text(&r->st, "input");
    if (!text)
        return missing(r, "input");
    const int rc = bnn_rule_parse(&net->rule, &net->topology, text, strlen(text), r->err);
    if (rc != BNN_OK || !bnn_rule_has_table(&net->rule))
        return rc;
    const bnn_tensor want = table_tensor(&net->rule), *found;
    if (find(r, &want, &found) != BNN_OK)
        return BNN_ECORRUPT;
    net->rule.table = bnn_alloc(found->size, 1);
    if (!net->rule.table)
        return bnn_fail_memory(r->err, found->size);
    bnn_tensor_copy(net->rule.table, found);
    return BNN_OK;
}

static int read_names(struct reader *r, bnn_network *net)
{
    const char *text = bnn_safetensors_text(&r->st, "names");
    if (!text)
        return BNN_OK;
    json_t *list = json_loads(text, 0, NULL);
    const size_t n = json_array_size(list);
    const char **name = bnn_alloc(n, sizeof *name);
    int rc = !name ? bnn_fail_memory(r->err, n * sizeof *name) : BNN_OK;
    if (rc == BNN_OK && !json_is_array(list))
        rc = bnn_fail(r->err, BNN_ECORRUPT, "metadata 'names' is not a JSON array");
    for (size_t i = 0; rc == BNN_OK && i < n; i++)
        if (!(name[i] = json_string_value(json_array_get(list, i))))
            rc = bnn_fail(r->err, BNN_ECORRUPT, "metadata 'names': entry %zu is not a string", i);
    if (rc == BNN_OK)
        rc = bnn_network_set_names(net, name, (uint32_t)n, r->err);
    bnn_free(name);
    json_decref(list);
    return rc;
}

static int read_classes(struct reader *r, bnn_network *net)
{
    const char *text = bnn_safetensors_text(&r->st, "classes");
    if (!text)
        return missing(r, "classes");
    if (!bnn_span_number((bnn_span){ text, strlen(text) }, &net->classes))
        return bnn_fail(r->err, BNN_ECORRUPT, "metadata 'classes' is '%.20s'; expected a number", text);
    const char *origin = bnn_safetensors_text(&r->st, "origin");
    return origin ? bnn_origin_find(&net->origin, origin, &net->topology, r->err) : BNN_OK;
}

static int read_provenance(struct reader *r, bnn_network *net)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(r->st.header, "__metadata__"), key, value)
        if (starts(key, PROVENANCE)) {
            const int rc = bnn_network_set_text(net, key + strlen(PROVENANCE), json_string_value(value), r->err);
            if (rc != BNN_OK)
                return rc;
        }
    return BNN_OK;
}

/* What travels along for another format; anything else has no meaning and is refused. */
static int read_extras(struct reader *r, bnn_network *net)
{
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < r->st.tensors; i++) {
        const bnn_tensor *t = &r->st.tensor[i];
        if (!starts(t->name, EXTRA))
            continue;
        if (t->dtype != BNN_U8 || t->rank != 1)
            return bnn_fail(r->err, BNN_ECORRUPT, "tensor '%.40s': expected U8 of one side", t->name);
        rc = bnn_network_add_extra(net, t->name, t->data, t->size, r->err);
        r->used++;
    }
    if (rc == BNN_OK && r->used != r->st.tensors)
        rc = bnn_fail(r->err, BNN_ECORRUPT, "%zu tensors that the topology has no layers for", r->st.tensors - r->used);
    return rc;
}

static int fill(struct reader *r, bnn_network *net)
{
    static int (*const step[])(struct reader *, bnn_network *) = {
        read_rule, read_names, read_classes, read_provenance, read_extras,
    };
    int rc = read_layers(r, net);
    for (size_t i = 0; rc == BNN_OK && i < sizeof step / sizeof *step; i++)
        rc = step[i](r, net);
    net->file_version = VERSION;
    return rc == BNN_OK ? bnn_network_finish(net, r->err) : rc;
}

static int build(struct reader *r, bnn_network **out)
{
    bnn_network *net = NULL, description = { 0 };
    int rc = read_topology(r);
    if (rc != BNN_OK)
        return rc;
    description.topology = r->topology;
    rc = read_layers(r, &description); /* so a topology cannot ask for more memory than the file fills */
    if (rc == BNN_OK)
        rc = bnn_network_new(&net, &r->topology, r->err);
    if (rc == BNN_OK)
        rc = fill(r, net);
    if (rc == BNN_OK)
        *out = net;
    else
        bnn_network_close(net);
    return rc;
}

int bnn_network_read(bnn_network **out, const void *data, size_t size, bnn_error *err)
{
    struct reader r = { .err = err };
    int rc = bnn_safetensors_read(&r.st, data, size, err);
    if (rc != BNN_OK)
        return rc;
    rc = check_version(&r);
    if (rc == BNN_OK)
        rc = bnn_safetensors_check(data, size, err);
    if (rc == BNN_OK)
        rc = build(&r, out);
    bnn_safetensors_free(&r.st);
    return rc;
}

static bool matches(const char *path)
{
    uint8_t head[256];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && bnn_safetensors_is(head, (size_t)n);
}

static int open_file(bnn_network **out, const char *path, const bnn_open_options *options, bnn_error *err)
{
    bnn_file file;
    (void)options; /* all is in the file */
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_network_read(out, file.data, file.size, err);
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    return rc;
}

const bnn_format bnn_format_network_file = { "bnn", matches, open_file };

/* -------------------------------------------------------------- writing -- */

/* Adds a string; false when it is not UTF-8 or memory runs out. */
static bool put(json_t *metadata, const char *key, const char *value)
{
    return json_object_set_new(metadata, key, json_string(value)) == 0;
}

static int put_names(json_t *metadata, const bnn_network *net, bnn_error *err)
{
    if (net->names == 0)
        return BNN_OK;
    json_t *list = json_array();
    for (uint32_t i = 0; i < net->names; i++)
        if (json_array_append_new(list, json_string(net->name[i])) != 0) {
            json_decref(list);
            return bnn_fail(err, BNN_EINVAL, "name of class %u is not UTF-8", i);
        }
    char *text = json_dumps(list, JSON_COMPACT);
    const bool good = text && put(metadata, "names", text);
    json_decref(list);
    free(text);
    return good ? BNN_OK : bnn_fail_memory(err, 1 << 16);
}

static int put_provenance(json_t *metadata, const bnn_network *net, bnn_error *err)
{
    for (size_t i = 0; i < net->texts; i++) {
        char key[128];
        const int n = snprintf(key, sizeof key, PROVENANCE "%s", net->text[i].key);
        if (n < 0 || (size_t)n >= sizeof key || !put(metadata, key, net->text[i].value))
            return bnn_fail(err, BNN_EINVAL, "provenance '%.40s' is not UTF-8, or its key is too long", net->text[i].key);
    }
    return BNN_OK;
}

static int put_metadata(json_t *metadata, const bnn_network *net, bnn_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%u", net->classes);
    bool good = put(metadata, "classes", number);
    snprintf(number, sizeof number, "%d", VERSION);
    good = good && put(metadata, "version", number) && put(metadata, "format", KIND)
        && put(metadata, "topology", net->topology_text) && put(metadata, "input", net->rule_text)
        && (!net->origin || put(metadata, "origin", net->origin->name));
    const int rc = good ? put_names(metadata, net, err) : bnn_fail_memory(err, 1 << 16);
    return rc == BNN_OK ? put_provenance(metadata, net, err) : rc;
}

/* All tensors: weights, thresholds, table, extras. `name` has room for those of two a layer. */
static size_t list_tensors(bnn_tensor *out, char (*name)[NAME_ROOM], const bnn_network *net)
{
    const bnn_topology *t = &net->topology;
    size_t n = 0;
    for (uint32_t i = 0; i < t->layers; i++)
        if (t->layer[i].kind != BNN_MAXPOOL)
            out[n++] = weights_tensor(*name++, net, i);
    for (uint32_t i = 0; i < t->layers; i++)
        if (t->layer[i].thresholds > 0)
            out[n++] = thresholds_tensor(*name++, net, i);
    if (net->rule.table)
        out[n++] = table_tensor(&net->rule);
    for (size_t i = 0; i < net->extras; i++)
        out[n++] = (bnn_tensor){ net->extra[i].name, BNN_U8, 1, { net->extra[i].size }, net->extra[i].data, net->extra[i].size };
    return n;
}

int bnn_network_write(uint8_t **out, size_t *size, const bnn_network *net, bnn_error *err)
{
    char name[2 * BNN_MAX_LAYERS][NAME_ROOM];
    bnn_tensor *tensor = bnn_alloc(2 * BNN_MAX_LAYERS + 1 + net->extras, sizeof *tensor);
    json_t *metadata = json_object();
    int rc = tensor && metadata ? put_metadata(metadata, net, err) : bnn_fail_memory(err, sizeof *tensor);
    if (rc == BNN_OK)
        rc = bnn_safetensors_write(out, size, metadata, tensor, list_tensors(tensor, name, net), err);
    else
        json_decref(metadata);
    bnn_free(tensor);
    return rc;
}

int bnn_network_save(const bnn_network *net, const char *path, bnn_error *err)
{
    uint8_t *file = NULL;
    size_t size = 0;
    int rc = bnn_network_write(&file, &size, net, err);
    if (rc == BNN_OK)
        rc = bnn_file_write(path, file, size, err);
    else
        bnn_fail_prefix(err, path);
    bnn_free(file);
    return rc;
}
