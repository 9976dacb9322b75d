/* pynq_write.c -- writing BNN-PYNQ parameter folders.
 *
 * Padding is the original converter's (spec of its section "Padding"): columns
 * and rows of weights +1 (w1) or 0 (w2), thresholds that never fire.
 */
#include "format/pynq.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -------------------------------------------------------------- content -- */

/* Threshold of rows that do not exist: never fires. */
static uint64_t padding_threshold(const bnn_pynq_overlay *o)
{
    return o->workshop ? 65535 : 32767;
}

/* Rows of a network that ends in scores fire, in an overlay that ends in bits, when their score is above 0. */
enum { SCORE_THRESHOLD = 1 };

static uint64_t threshold_word(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, const bnn_network *net, uint32_t n, uint32_t k, bool *exact)
{
    const bnn_layer *shape = &net->topology.layer[l->index];
    if (n >= shape->MH)
        return padding_threshold(o);
    const int32_t t = shape->thresholds ? net->matrix[l->index].thresholds[n * shape->thresholds + k] : SCORE_THRESHOLD;
    return bnn_pynq_threshold_write(o, l, t, exact);
}

static uint64_t weight_word(const bnn_pynq_layer *l, const bnn_network *net, uint32_t pe, uint32_t w)
{
    const bnn_layer *shape = &net->topology.layer[l->index];
    const uint32_t n = bnn_neuron_at(&l->fold, pe, w), bits = shape->weight_bits;
    uint64_t word = 0;
    for (uint32_t i = 0; i < l->fold.SIMD; i++) {
        const uint32_t s = bnn_synapse_at(&l->fold, w, i);
        const bool real = n < shape->MH && s < shape->MW;
        const int value = real ? bnn_weight_at(shape, &net->matrix[l->index], n, s) : bits == 1 ? 1 : 0;
        word |= (bits == 1 ? (uint64_t)(value > 0) : (uint64_t)value & 3) << (bits * i);
    }
    return word;
}

/* "L-P-weights.bin" or "L-P-thres.bin" of this overlay; false for any other name. */
static bool parse_name(const bnn_pynq_overlay *o, const char *name, uint32_t *layer, uint32_t *pe, bool *thresholds)
{
    char again[BNN_PYNQ_NAME], *end;
    *layer = (uint32_t)strtoul(name, &end, 10);
    *pe    = *end == '-' ? (uint32_t)strtoul(end + 1, &end, 10) : 0;
    *thresholds = strcmp(end, "-thres.bin") == 0;
    bnn_pynq_file_name(again, *layer, *pe, *thresholds);
    return strcmp(name, again) == 0 && *layer < o->layers && *pe < o->layer[*layer].fold.PE
        && !(*thresholds && o->layer[*layer].nTH == 0);
}

int bnn_pynq_content(uint8_t **out, size_t *size, const bnn_pynq_overlay *o, const bnn_network *net, const char *name,
                     bool *exact, bnn_error *err)
{
    uint32_t layer, pe;
    bool thresholds;
    *out  = NULL;
    *size = 0;
    if (!parse_name(o, name, &layer, &pe, &thresholds))
        return BNN_OK;
    const bnn_pynq_layer *l = &o->layer[layer];
    const uint32_t words = thresholds ? l->fold.TMEM * l->nTH : l->fold.WMEM;
    uint8_t *p = bnn_alloc(words, 8);
    if (!p)
        return bnn_fail_memory(err, 8 * (size_t)words);
    for (uint32_t w = 0; w < words; w++)
        bnn_put_u64le(p + 8 * (size_t)w, thresholds ? threshold_word(o, l, net, w / l->nTH * l->fold.PE + pe, w % l->nTH, exact)
                                                    : weight_word(l, net, pe, w));
    *out  = p;
    *size = 8 * (size_t)words;
    return BNN_OK;
}

/* Names joined by line ends, and numbers where there are none, so that as many
 * classes are read again; NULL when memory runs out. */
static char *class_lines(const bnn_network *net)
{
    size_t room = 1;
    for (uint32_t i = 0; i < net->classes; i++)
        room += strlen(bnn_network_class_name(net, i)) + 16;
    char *text = bnn_alloc(room, 1), *at = text;
    for (uint32_t i = 0; text && i < net->classes; i++) {
        char *name = at;
        at += i < net->names ? sprintf(at, "%s", net->name[i]) : sprintf(at, "%u", i);
        for (; name < at; name++)
            if (*name == '\n' || *name == '\r')
                *name = ' ';
        if (i + 1 < net->classes || (at > text && at[-1] == '\n') || at == text)
            *at++ = '\n';
    }
    return text;
}

/* --------------------------------------------------------------- folder -- */

/* A folder being written, under a temporary name beside its own. */
struct writer {
    const bnn_network *net;
    bnn_pynq_overlay   overlay;
    bnn_pynq_rest      rest;
    bool               has_rest, exact;
    char              *path, *temporary;
    bnn_error         *err;
};

static int write_file(struct writer *w, const char *name, const uint8_t *data, size_t size)
{
    char *path = bnn_path_join(w->temporary, name);
    if (!path)
        return bnn_fail_memory(w->err, size);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool good = fd >= 0;
    for (size_t at = 0; good && at < size;) {
        const ssize_t n = write(fd, data + at, size - at);
        good = n >= 0 || errno == EINTR;
        at += n > 0 ? (size_t)n : 0;
    }
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && good) {
        good = false;
        why  = errno;
    }
    bnn_free(path);
    char what[300];
    snprintf(what, sizeof what, "cannot write %s", name);
    errno = why;
    return good ? BNN_OK : bnn_fail_errno(w->err, what, w->path);
}

/* A file from its canonical content, with what was noted about it laid over. */
static int write_named(struct writer *w, const char *name)
{
    uint8_t *content;
    size_t size;
    const bnn_pynq_rest_file *noted = bnn_pynq_rest_find(&w->rest, name);
    int rc = bnn_pynq_content(&content, &size, &w->overlay, w->net, name, &w->exact, w->err);
    if (rc == BNN_OK && noted)
        rc = bnn_pynq_rest_apply(noted, &content, &size, w->err);
    if (rc == BNN_OK)
        rc = write_file(w, name, content, size);
    bnn_free(content);
    return rc;
}

static int write_layer(struct writer *w, uint32_t layer)
{
    const bnn_pynq_layer *l = &w->overlay.layer[layer];
    char name[BNN_PYNQ_NAME];
    int rc = BNN_OK;
    for (uint32_t p = 0; rc == BNN_OK && p < l->fold.PE; p++) {
        bnn_pynq_file_name(name, layer, p, false);
        rc = write_named(w, name);
        bnn_pynq_file_name(name, layer, p, true);
        if (rc == BNN_OK && l->nTH > 0)
            rc = write_named(w, name);
    }
    return rc;
}

static int write_classes(struct writer *w)
{
    char *text = class_lines(w->net);
    const int rc = text ? write_file(w, "classes.txt", (uint8_t *)text, strlen(text)) : bnn_fail_memory(w->err, 4096);
    bnn_free(text);
    return rc;
}

/* Files of the folder that the network came from and that it does not use, and its classes.txt. */
static int write_rest(struct writer *w)
{
    uint32_t layer, pe;
    bool thresholds;
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < w->rest.files; i++)
        if (!parse_name(&w->overlay, w->rest.file[i].name, &layer, &pe, &thresholds))
            rc = write_named(w, w->rest.file[i].name);
    return rc;
}

static int write_files(struct writer *w)
{
    int rc = BNN_OK;
    for (uint32_t i = 0; rc == BNN_OK && i < w->overlay.layers; i++)
        rc = write_layer(w, i);
    if (rc == BNN_OK)
        rc = w->has_rest ? write_rest(w) : write_classes(w);
    return rc;
}

static int make_temporary(struct writer *w)
{
    const size_t room = strlen(w->path) + 48;
    w->temporary = bnn_alloc(room, 1);
    if (!w->temporary)
        return bnn_fail_memory(w->err, room);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(w->temporary, room, "%s.%ld-%u.part", w->path, (long)getpid(), i);
        if (mkdir(w->temporary, 0777) == 0)
            return BNN_OK;
        if (errno != EEXIST)
            break;
    }
    const int rc = bnn_fail_errno(w->err, "cannot create", w->path);
    bnn_free(w->temporary);
    w->temporary = NULL;
    return rc;
}

static void remove_temporary(struct writer *w)
{
    bnn_names names = { 0 };
    bnn_names_read(&names, w->temporary, NULL);
    for (size_t i = 0; i < names.count; i++) {
        char *path = bnn_path_join(w->temporary, names.name[i]);
        if (path)
            unlink(path);
        bnn_free(path);
    }
    bnn_names_free(&names);
    rmdir(w->temporary);
}

/* To the disk, all files at once, then into place. rename(2) replaces an empty folder. */
static int put_in_place(struct writer *w)
{
    const int fd = open(w->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && syncfs(fd) == 0 && rename(w->temporary, w->path) == 0;
    const int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return good ? BNN_OK : bnn_fail_errno(w->err, "cannot write", w->path);
}

static int check_free(const struct writer *w)
{
    struct stat st;
    bnn_names names;
    if (lstat(w->path, &st) != 0)
        return BNN_OK;
    if (!S_ISDIR(st.st_mode))
        return bnn_fail(w->err, BNN_EIO, "%s: a file; expected a new or an empty folder", w->path);
    const int rc = bnn_names_read(&names, w->path, w->err);
    if (rc != BNN_OK)
        return rc;
    const size_t count = names.count;
    bnn_names_free(&names);
    return count == 0 ? BNN_OK : bnn_fail(w->err, BNN_EIO, "%s: a folder of %zu files; expected a new or an empty one", w->path, count);
}

static int write_folder(struct writer *w)
{
    int rc = check_free(w);
    if (rc == BNN_OK)
        rc = make_temporary(w);
    if (rc != BNN_OK)
        return rc;
    rc = write_files(w);
    if (rc == BNN_OK)
        rc = put_in_place(w);
    if (rc != BNN_OK)
        remove_temporary(w);
    return rc;
}

/* -------------------------------------------------------------- warning -- */

/* One remark after another, "; " between them. */
struct remarks { char *out; size_t size, used; };

static void remark(struct remarks *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void remark(struct remarks *r, const char *fmt, ...)
{
    char text[320];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (r->out && r->used < r->size)
        r->used += (size_t)snprintf(r->out + r->used, r->size - r->used, "%s%s", r->used ? "; " : "", text);
}

static bool same_rule(const bnn_network *net, const bnn_pynq_overlay *o)
{
    bnn_rule rule;
    char text[256] = "";
    if (bnn_rule_parse(&rule, &o->topology, o->input_rule, strlen(o->input_rule), NULL) == BNN_OK)
        bnn_rule_print(&rule, text, sizeof text);
    return strcmp(text, net->rule_text) == 0;
}

static void warn(char *out, size_t size, const struct writer *w)
{
    const bnn_network *net = w->net;
    const bnn_pynq_overlay *o = &w->overlay;
    struct remarks r = { out, size, 0 };
    if (out && size > 0)
        out[0] = '\0';
    if (!same_rule(net, o))
        remark(&r, "a folder cannot hold the input rule '%s'; BNN-PYNQ's is '%s'", net->rule_text, o->input_rule);
    if (bnn_topology_last(&o->topology)->last_bits && !bnn_topology_last(&net->topology)->last_bits)
        remark(&r, "%s ends in threshold bits: a row fires when its score is above 0, and only decoding by margin ranks the rows "
               "as the scores do", o->name);
    else if (!net->origin && o->layer[o->layers - 1].domain == BNN_PYNQ_DOT)
        remark(&r, "decoding by multi answers 0 where no score is above 0; single takes the largest");
    if (!w->exact && !w->has_rest) /* else the words are those that were read */
        remark(&r, "thresholds of this variant are not negative: neurons that always fire do not fire on a popcount of 0");
}

/* ----------------------------------------------------------------- save -- */

/* The variant that a network came from, when the caller does not say. */
static const char *own_variant(const bnn_network *net)
{
    const char *space = net->origin ? strrchr(net->origin->name, ' ') : NULL;
    return space ? space + 1 : NULL;
}

static int prepare(struct writer *w, const char *path, const char *variant)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    w->path = bnn_strndup(path, n);
    if (!w->path)
        return bnn_fail_memory(w->err, n);
    int rc = bnn_pynq_overlay_of(&w->overlay, &w->net->topology, variant ? variant : own_variant(w->net), w->err);
    const bnn_extra *extra = bnn_network_find_extra(w->net, BNN_PYNQ_REST);
    w->has_rest = rc == BNN_OK && extra && w->net->origin == w->overlay.origin;
    if (w->has_rest)
        rc = bnn_pynq_rest_open(&w->rest, extra, w->err);
    if (rc != BNN_OK)
        bnn_fail_prefix(w->err, path);
    return rc;
}

int bnn_network_save_pynq(const bnn_network *net, const char *path, const char *variant, char *warning, size_t warning_size,
                          bnn_error *err)
{
    struct writer *w = bnn_alloc(1, sizeof *w);
    if (!w)
        return bnn_fail_memory(err, sizeof *w);
    *w = (struct writer){ .net = net, .exact = true, .err = err };
    int rc = prepare(w, path, variant);
    if (rc == BNN_OK)
        rc = write_folder(w);
    if (rc == BNN_OK)
        warn(warning, warning_size, w);
    bnn_pynq_rest_close(&w->rest);
    bnn_free(w->path);
    bnn_free(w->temporary);
    bnn_free(w);
    return rc;
}
