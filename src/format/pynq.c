/* pynq.c -- reading BNN-PYNQ parameter folders.
 *
 * As the original's loader does: missing words are 0, words and bits beyond
 * the memories are ignored. Unlike it, a ternary weight of -2 is refused.
 */
#include "format/pynq.h"
#include "format/format.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder being read. */
struct folder {
    const char            *path;
    const bnn_pynq_source *source;
    bnn_pynq_overlay       overlay;
    bnn_network           *net;
    int32_t                padding[1024]; /* of each neuron of the layer being read */
    bnn_error             *err;
};

/* ------------------------------------------------------- which overlay -- */

static bool has(const char *folder, const char *name, off_t *size)
{
    struct stat st;
    char *path = bnn_path_join(folder, name);
    const bool found = path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    *size = found ? st.st_size : 0;
    bnn_free(path);
    return found;
}

/* The last component of `path`, which is cut short, that names an overlay; NULL when none does. */
static const char *name_in(char *path)
{
    for (;;) {
        char *slash = strrchr(path, '/'), *component = slash ? slash + 1 : path;
        for (size_t i = 0; bnn_pynq_overlay_name(i); i++)
            if (strcmp(component, bnn_pynq_overlay_name(i)) == 0)
                return bnn_pynq_overlay_name(i);
        if (!slash)
            return NULL;
        *slash = '\0';
    }
}

/* The path as it was given comes first, then what links and "." in it stand for. */
static const char *name_in_path(const char *path)
{
    char *given = bnn_strdup(path), *whole = realpath(path, NULL);
    const char *name = given ? name_in(given) : NULL;
    if (!name && whole)
        name = name_in(whole);
    bnn_free(given);
    free(whole);
    return name;
}

/* By the number of layers; among those, by what the first layer needs: 2-bit
 * activations have twice the thresholds, 2-bit weights half the PEs. */
static const char *name_by_files(const char *folder, bool workshop)
{
    off_t size, thresholds;
    has(folder, "0-0-thres.bin", &thresholds);
    if (has(folder, "8-0-weights.bin", &size) && !has(folder, "9-0-weights.bin", &size)) {
        if (workshop || thresholds <= 4 * 8)
            return "cnvW1A1";
        return has(folder, "0-8-weights.bin", &size) ? "cnvW1A2" : "cnvW2A2";
    }
    if (has(folder, "3-0-weights.bin", &size) && !has(folder, "4-0-weights.bin", &size))
        return workshop || thresholds <= 32 * 8 ? "lfcW1A1" : "lfcW1A2";
    return NULL;
}

/* The fork's names of its two networks. */
static const char *name_2017(const char *name)
{
    return strcmp(name, "lfc-pynq") == 0 ? "lfcW1A1" : strcmp(name, "cnv-pynq") == 0 ? "cnvW1A1" : name;
}

static int find_named(struct folder *f, const char *topology, const char *variant)
{
    bnn_topology t;
    const char *name = name_2017(topology);
    for (size_t i = 0; bnn_pynq_overlay_name(i); i++)
        if (strcmp(name, bnn_pynq_overlay_name(i)) == 0)
            return bnn_pynq_overlay_find(&f->overlay, name, variant, f->err);
    const int rc = bnn_topology_open(&t, topology, f->err);
    return rc == BNN_OK ? bnn_pynq_overlay_of(&f->overlay, &t, variant, f->err) : rc;
}

static int find_overlay(struct folder *f, const bnn_open_options *options)
{
    const bool workshop = options->variant && strcmp(options->variant, "workshop") == 0;
    if (options->topology)
        return find_named(f, options->topology, options->variant);
    const char *name = name_in_path(f->path);
    if (!name)
        name = name_by_files(f->path, workshop);
    if (!name)
        return bnn_fail(f->err, BNN_ESHAPE, "neither 4 nor 9 layers of weights; say which network it is (topology lfcW1A1, lfcW1A2, "
                        "cnvW1A1, cnvW1A2 or cnvW2A2)");
    return bnn_pynq_overlay_find(&f->overlay, name, options->variant, f->err);
}

/* ---------------------------------------------------------------- words -- */

/* Word `w` of a file; what the file does not have is 0. */
static uint64_t word_at(const bnn_file *file, size_t w)
{
    uint8_t b[8] = { 0 };
    const size_t at = 8 * w;
    if (at < file->size)
        memcpy(b, file->data + at, file->size - at < 8 ? file->size - at : 8);
    return bnn_get_u64le(b);
}

static const bnn_pynq_file *find_in_memory(const bnn_pynq_source *s, const char *name)
{
    for (size_t i = 0; i < s->files; i++)
        if (strcmp(s->file[i].name, name) == 0)
            return &s->file[i];
    return NULL;
}

int bnn_pynq_source_open(bnn_file *out, const bnn_pynq_source *s, const char *name, bnn_error *err)
{
    if (s->file) {
        const bnn_pynq_file *file = find_in_memory(s, name);
        if (file)
            *out = (bnn_file){ .data = file->data, .size = file->size };
        return file ? BNN_OK : bnn_fail(err, BNN_EIO, "%s/%s: there is none", s->path, name);
    }
    char *path = bnn_path_join(s->path, name);
    const int rc = path ? bnn_file_open(out, path, err) : bnn_fail_memory(err, strlen(s->path));
    bnn_free(path);
    return rc;
}

/* -1, 0, +1, or -2 which no network may have. */
static int weight_in(uint64_t word, uint32_t lane, uint32_t bits)
{
    if (bits == 1)
        return word >> lane & 1 ? 1 : -1;
    static const int value[] = { 0, 1, -2, -1 };
    return value[word >> (2 * lane) & 3];
}

static int take_word(struct folder *f, const bnn_pynq_layer *l, uint64_t word, const char *name, uint32_t pe, uint32_t w)
{
    const bnn_layer *shape = &f->net->topology.layer[l->index];
    const uint32_t n = bnn_neuron_at(&l->fold, pe, w);
    for (uint32_t i = 0; i < l->fold.SIMD; i++) {
        const uint32_t s = bnn_synapse_at(&l->fold, w, i);
        const int value = weight_in(word, i, shape->weight_bits);
        if (value == -2)
            return bnn_fail_at(f->err, BNN_ECORRUPT, 8 * (uint64_t)w, "%s/%s: word %u: the weight of neuron %u, synapse %u is -2; "
                               "expected -1, 0 or +1", f->path, name, w, n, s);
        if (s < shape->MW)
            bnn_weight_set(shape, &f->net->matrix[l->index], n, s, value);
        else
            f->padding[n] -= value; /* the input there is -1 */
    }
    return BNN_OK;
}

static int read_weights(struct folder *f, uint32_t layer, uint32_t pe)
{
    const bnn_pynq_layer *l = &f->overlay.layer[layer];
    char name[BNN_PYNQ_NAME];
    bnn_file file;
    bnn_pynq_file_name(name, layer, pe, false);
    int rc = bnn_pynq_source_open(&file, f->source, name, f->err);
    if (rc != BNN_OK)
        return rc;
    for (uint32_t w = 0; rc == BNN_OK && w < l->fold.WMEM; w++)
        rc = take_word(f, l, word_at(&file, w), name, pe, w);
    bnn_file_close(&file);
    return rc;
}

static int read_thresholds(struct folder *f, uint32_t layer, uint32_t pe)
{
    const bnn_pynq_layer *l = &f->overlay.layer[layer];
    char name[BNN_PYNQ_NAME];
    bnn_file file;
    bnn_pynq_file_name(name, layer, pe, true);
    const int rc = bnn_pynq_source_open(&file, f->source, name, f->err);
    if (rc != BNN_OK)
        return rc;
    for (uint32_t t = 0; t < l->fold.TMEM * l->nTH; t++) {
        const uint32_t n = t / l->nTH * l->fold.PE + pe, k = t % l->nTH;
        f->net->matrix[l->index].thresholds[n * l->nTH + k] =
            bnn_pynq_threshold_read(&f->overlay, l, word_at(&file, t), f->padding[n]);
    }
    bnn_file_close(&file);
    return BNN_OK;
}

static int read_layer(struct folder *f, uint32_t layer)
{
    const bnn_pynq_layer *l = &f->overlay.layer[layer];
    int rc = BNN_OK;
    memset(f->padding, 0, sizeof f->padding);
    for (uint32_t p = 0; rc == BNN_OK && p < l->fold.PE; p++)
        rc = read_weights(f, layer, p);
    for (uint32_t p = 0; rc == BNN_OK && l->nTH > 0 && p < l->fold.PE; p++)
        rc = read_thresholds(f, layer, p);
    return rc;
}

/* -------------------------------------------------------------- classes -- */

/* Takes the next line as Python's readlines does: LF, CRLF and CR end one. */
static bool next_line(bnn_bytes *b, const char **line, size_t *size)
{
    const char *at = (const char *)b->data + b->at;
    const size_t left = bnn_bytes_left(b);
    size_t n = 0;
    while (n < left && at[n] != '\n' && at[n] != '\r')
        n++;
    *line = at;
    *size = n;
    bnn_bytes_take(b, n + (n < left) + (n + 1 < left && at[n] == '\r' && at[n + 1] == '\n'));
    return left > 0;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_utf8(const char *s, size_t n)
{
    json_t *text = json_stringn(s, n);
    json_decref(text);
    return text != NULL;
}

/* A name without the blanks around it; bytes that are not UTF-8 are taken as Latin-1, control characters as '?'. */
static char *name_of(const char *s, size_t n)
{
    while (n > 0 && is_blank(s[0]))
        s++, n--;
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    const bool utf8 = is_utf8(s, n);
    char *name = bnn_alloc(2 * n + 1, 1);
    for (size_t i = 0, at = 0; name && i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        if (c >= 0x80 && !utf8) {
            name[at++] = (char)(0xc0 | c >> 6);
            name[at++] = (char)(0x80 | (c & 0x3f));
        } else {
            name[at++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
        }
    }
    return name;
}

static int set_names(struct folder *f, const bnn_file *file)
{
    char *name[BNN_MAX_CLASSES] = { NULL };
    const char *line;
    size_t size, count = 0;
    bnn_bytes b = bnn_bytes_of(file->data, file->size);
    int rc = BNN_OK;
    for (; rc == BNN_OK && next_line(&b, &line, &size); count++) {
        if (count == BNN_MAX_CLASSES)
            rc = bnn_fail(f->err, BNN_ESHAPE, "%s/classes.txt: more than %d lines", f->path, BNN_MAX_CLASSES);
        else if (!(name[count] = name_of(line, size)))
            rc = bnn_fail_memory(f->err, size);
    }
    if (rc == BNN_OK)
        rc = bnn_network_set_names(f->net, (const char *const *)name, (uint32_t)count, f->err);
    for (size_t i = 0; i < BNN_MAX_CLASSES; i++)
        bnn_free(name[i]);
    return rc;
}

/* Every line is a class, an empty one too: so the original counts. */
static int read_classes(struct folder *f, const bnn_open_options *options)
{
    off_t size;
    bnn_file file;
    if (f->source->file ? find_in_memory(f->source, "classes.txt") != NULL : has(f->path, "classes.txt", &size)) {
        int rc = bnn_pynq_source_open(&file, f->source, "classes.txt", f->err);
        if (rc != BNN_OK)
            return rc;
        rc = set_names(f, &file);
        bnn_file_close(&file);
        if (rc != BNN_OK)
            return rc;
    }
    if (options->classes > BNN_PYNQ_ROWS)
        return bnn_fail(f->err, BNN_ESHAPE, "%s: %u classes; expected 1 to %d", f->path, options->classes, BNN_PYNQ_ROWS);
    if (options->classes == 0 && f->net->names > BNN_PYNQ_ROWS)
        return bnn_fail(f->err, BNN_ESHAPE, "%s/classes.txt: %u lines; the last layer has %d rows", f->path, f->net->names, BNN_PYNQ_ROWS);
    f->net->classes = options->classes ? options->classes : f->net->names ? f->net->names : BNN_PYNQ_ROWS;
    return BNN_OK;
}

/* ----------------------------------------------------------------- open -- */

static int read_all(struct folder *f, const bnn_open_options *options)
{
    const bnn_pynq_overlay *o = &f->overlay;
    int rc = bnn_network_new(&f->net, &o->topology, f->err);
    for (uint32_t i = 0; rc == BNN_OK && i < o->layers; i++)
        rc = read_layer(f, i);
    if (rc == BNN_OK)
        rc = read_classes(f, options);
    if (rc == BNN_OK)
        rc = bnn_rule_parse(&f->net->rule, &f->net->topology, o->input_rule, strlen(o->input_rule), f->err);
    if (rc == BNN_OK)
        rc = bnn_pynq_rest_keep(f->net, o, f->source, f->err);
    if (rc != BNN_OK)
        return rc;
    f->net->origin = o->origin;
    return bnn_network_finish(f->net, f->err);
}

int bnn_pynq_read(bnn_network **out, const bnn_pynq_overlay *o, const bnn_pynq_source *source, const bnn_open_options *options,
                  bnn_error *err)
{
    struct folder *f = bnn_alloc(1, sizeof *f);
    if (!f)
        return bnn_fail_memory(err, sizeof *f);
    f->path   = source->path;
    f->source = source;
    f->err    = err;
    int rc = BNN_OK;
    if (o)
        f->overlay = *o;
    else if ((rc = find_overlay(f, options)) != BNN_OK)
        bnn_fail_prefix(err, source->path);
    if (rc == BNN_OK)
        rc = read_all(f, options);
    if (rc == BNN_OK)
        *out = f->net;
    else
        bnn_network_close(f->net);
    bnn_free(f);
    return rc;
}

static int open_folder(bnn_network **out, const char *path, const bnn_open_options *options, bnn_error *err)
{
    const bnn_pynq_source source = { .path = path };
    return bnn_pynq_read(out, NULL, &source, options, err);
}

static bool ends(const char *text, const char *suffix)
{
    const size_t n = strlen(text), s = strlen(suffix);
    return n >= s && strcmp(text + n - s, suffix) == 0;
}

/* A folder with any file of weights: so a missing one can be named. */
static bool matches(const char *path)
{
    bnn_names names;
    if (!bnn_is_folder(path) || bnn_names_read(&names, path, NULL) != BNN_OK)
        return false;
    bool found = false;
    for (size_t i = 0; !found && i < names.count; i++)
        found = ends(names.name[i], "-weights.bin");
    bnn_names_free(&names);
    return found;
}

const bnn_format bnn_format_pynq = { "bnn-pynq", matches, open_folder };
