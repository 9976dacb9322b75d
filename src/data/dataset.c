/* dataset.c -- data sets: the table of kinds, and many sources as one.
 *
 * Every image goes through an input rule: the network's, the one given as text,
 * or (without either) one that only states the shape that all images have.
 */
#include "base/mem.h"
#include "base/text.h"
#include "data/labels.h"
#include "data/picture.h"
#include "net/network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sys/stat.h>

/* The first that matches; the order is explained in docs/data.md. */
static const bnn_source_kind *const kinds[] = {
    &bnn_source_folder, &bnn_source_records, &bnn_source_list, &bnn_source_picture, &bnn_source_idx, &bnn_source_records_by_size,
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

struct bnn_dataset {
    bnn_source *source;
    size_t      sources, count;
    bnn_rule    rule;
    bool        photo;
    bnn_notes   left_out;
};

/* ---------------------------------------------------------------- paths -- */

bool bnn_path_ends(const char *path, const char *suffix)
{
    const size_t n = strlen(path), k = strlen(suffix);
    return n >= k && strcasecmp(path + n - k, suffix) == 0;
}

const char *bnn_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *bnn_path_folder(const char *path)
{
    const size_t n = (size_t)(bnn_path_base(path) - path);
    return n == 0 ? bnn_strdup(".") : bnn_strndup(path, n);
}

/* ---------------------------------------------------------------- notes -- */

int bnn_notes_add(bnn_notes *notes, const char *line, bnn_error *err)
{
    if (notes->count == notes->room) {
        const size_t room = notes->room ? 2 * notes->room : 16;
        char **grown = realloc(notes->line, room * sizeof *grown);
        if (!grown)
            return bnn_fail_memory(err, room * sizeof *grown);
        notes->line = grown;
        notes->room = room;
    }
    notes->line[notes->count] = bnn_strdup(line);
    if (!notes->line[notes->count])
        return bnn_fail_memory(err, strlen(line));
    notes->count++;
    return BNN_OK;
}

void bnn_notes_free(bnn_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        bnn_free(notes->line[i]);
    free(notes->line);
    *notes = (bnn_notes){ 0 };
}

/* -------------------------------------------------------------- sources -- */

static int look_at(bnn_candidate *c, bnn_error *err)
{
    struct stat st;
    if (stat(c->path, &st) != 0)
        return bnn_fail_errno(err, "cannot open", c->path);
    c->folder = S_ISDIR(st.st_mode);
    c->size   = (uint64_t)st.st_size;
    if (c->folder)
        return BNN_OK;
    if (!S_ISREG(st.st_mode))
        return bnn_fail(err, BNN_EIO, "%s: not a regular file", c->path);
    const int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, c->head, sizeof c->head);
    const int rc = n < 0 ? bnn_fail_errno(err, fd < 0 ? "cannot open" : "cannot read", c->path) : BNN_OK;
    if (fd >= 0)
        close(fd);
    c->head_size = n < 0 ? 0 : (size_t)n;
    return rc;
}

static void close_source(bnn_source *s)
{
    s->kind->close(s);
    bnn_free(s->path);
    bnn_free(s->labels);
    bnn_names_free(&s->classes);
}

static int add_source(bnn_dataset *set, const char *path, const bnn_source_kind *kind, const bnn_source_options *o, bnn_error *err)
{
    bnn_source *grown = realloc(set->source, (set->sources + 1) * sizeof *grown);
    if (!grown)
        return bnn_fail_memory(err, sizeof *grown);
    set->source = grown;
    bnn_source *s = &grown[set->sources];
    *s = (bnn_source){ .kind = kind, .path = bnn_strdup(path) };
    if (!s->path)
        return bnn_fail_memory(err, strlen(path));
    set->sources++; /* closed with the set, whatever comes */
    return kind->open(s, o, err);
}

static int add_file(bnn_dataset *set, const bnn_candidate *c, bnn_error *err)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i]->matches(c))
            return add_source(set, c->path, kinds[i], c->options, err);
    const bnn_shape r = c->options->record;
    return bnn_fail(err, BNN_EMAGIC, "%s: %s; expected a picture (PNG, JPEG, PNM), IDX, a list (.txt), records of %zu bytes or a folder",
                    c->path, c->size ? "not of a known kind" : "empty", 1 + bnn_shape_size(r));
}

static int add_path(bnn_dataset *set, const char *path, const bnn_source_options *o, bnn_error *err)
{
    bnn_candidate c = { .path = path, .options = o };
    const int rc = look_at(&c, err);
    return rc == BNN_OK ? add_file(set, &c, err) : rc;
}

static int add_within(bnn_dataset *set, const char *folder, const char *name, const bnn_source_options *o, bnn_error *err)
{
    char *path = bnn_path_join(folder, name);
    const int rc = path ? add_path(set, path, o, err) : bnn_fail_memory(err, strlen(folder));
    bnn_free(path);
    return rc;
}

static bool is_training_set(const char *name)
{
    return strcmp(name, "train-images-idx3-ubyte") == 0 || strcmp(name, "train-images-idx3-ubyte.gz") == 0;
}

static bool is_batch(const char *name)
{
    return strncmp(name, "data_batch_", 11) == 0 && bnn_path_ends(name, ".bin");
}

/* A folder that holds a published data set stands for its training set: one
 * train-images file, or all data_batch files. *found is false of other folders. */
static int add_published(bnn_dataset *set, const char *folder, const bnn_source_options *o, bool *found, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, folder, err);
    *found = false;
    if (rc != BNN_OK)
        return rc;
    for (size_t i = 0; rc == BNN_OK && !*found && i < names.count; i++)
        if (is_training_set(names.name[i])) {
            *found = true;
            rc = add_within(set, folder, names.name[i], o, err);
        }
    const bool images = *found;
    for (size_t i = 0; rc == BNN_OK && !images && i < names.count; i++)
        if (is_batch(names.name[i])) {
            *found = true;
            rc = add_within(set, folder, names.name[i], o, err);
        }
    bnn_names_free(&names);
    return rc;
}

static int add(bnn_dataset *set, const char *path, const bnn_source_options *o, bnn_error *err)
{
    bool found = false;
    const int rc = bnn_is_folder(path) ? add_published(set, path, o, &found, err) : BNN_OK;
    return rc != BNN_OK || found ? rc : add_path(set, path, o, err);
}

/* ----------------------------------------------------------------- rule -- */

/* The shape that the text of a rule speaks of: its size, and 1 or 3 channels. */
static int shape_of_text(bnn_topology *t, const char *text, bnn_error *err)
{
    bnn_span rest = { text, strlen(text) }, word;
    uint32_t n[2] = { 0, 0 };
    t->input_bits     = 8;
    t->input.channels = 3;
    while (bnn_next_word(&rest, &word)) {
        if (bnn_span_is(word, "size") && bnn_next_word(&rest, &word) && bnn_span_numbers(word, 'x', n, 2) != 2)
            n[0] = 0;
        else if (bnn_span_is(word, "grey"))
            t->input.channels = 1;
        else if (bnn_span_is(word, "threshold"))
            t->input_bits = 1;
    }
    if (n[0] < 1 || n[1] < 1 || n[0] > BNN_MAX_SIDE || n[1] > BNN_MAX_SIDE)
        return bnn_fail(err, BNN_EINVAL, "input rule without a network: no size; expected 'size HEIGHTxWIDTH' from 1 to %d", BNN_MAX_SIDE);
    t->input.height = n[0];
    t->input.width  = n[1];
    return BNN_OK;
}

static int make_rule(bnn_dataset *set, const bnn_dataset_options *o, bnn_error *err)
{
    if (o->rule && o->network)
        return bnn_rule_parse(&set->rule, &o->network->topology, o->rule, strlen(o->rule), err);
    if (o->network)
        return bnn_rule_copy(&set->rule, &o->network->rule, err);
    bnn_topology t = { 0 };
    const int rc = shape_of_text(&t, o->rule, err);
    return rc == BNN_OK ? bnn_rule_parse(&set->rule, &t, o->rule, strlen(o->rule), err) : rc;
}

/* The rule that leaves images of this shape as they are. */
static bnn_rule plain_rule(bnn_shape shape)
{
    return (bnn_rule){ .shape = shape, .bits = 8, .height = shape.height, .width = shape.width, .grey = shape.channels == 1 };
}

/* Images of the rule's own size and channels are taken as they are. */
static bool fits(const bnn_rule *rule, bnn_shape shape)
{
    return shape.height == rule->height && shape.width == rule->width && shape.channels == rule->shape.channels;
}

/* Anything but that goes the way of a picture, which has 1 or 3 channels. */
static int check_source(const bnn_dataset *set, const bnn_source *s, bnn_error *err)
{
    const bnn_rule *rule = &set->rule;
    const bool picture = !s->kind->read;
    if (!picture && fits(rule, s->shape) && !set->photo)
        return BNN_OK;
    if (rule->shape.channels != (rule->grey ? 1u : 3u))
        return bnn_fail(err, BNN_ESHAPE, "%s: %s for an input of %ux%ux%u; expected records of that shape", s->path,
                        picture ? "pictures" : s->kind->name, rule->height, rule->width, rule->shape.channels);
    if (!picture && s->shape.channels != 1 && s->shape.channels != 3)
        return bnn_fail(err, BNN_ESHAPE, "%s: images of %ux%ux%u; expected %ux%ux%u, or 1 or 3 channels", s->path, s->shape.height,
                        s->shape.width, s->shape.channels, rule->height, rule->width, rule->shape.channels);
    return BNN_OK;
}

/* ----------------------------------------------------------------- open -- */

static int check_classes(const bnn_source *a, const bnn_source *b, bnn_error *err)
{
    for (size_t i = 0; i < a->classes.count && i < b->classes.count; i++)
        if (strcmp(a->classes.name[i], b->classes.name[i]) != 0)
            return bnn_fail(err, BNN_ESHAPE, "%s: class %zu is '%s', but '%s' of %s; expected the same classes", b->path, i,
                            b->classes.name[i], a->classes.name[i], a->path);
    return BNN_OK;
}

static const bnn_source *named_source(const bnn_dataset *set)
{
    for (size_t i = 0; i < set->sources; i++)
        if (set->source[i].classes.count)
            return &set->source[i];
    return NULL;
}

/* One file of labels for all images. */
static int set_labels(bnn_dataset *set, const char *path, bnn_error *err)
{
    uint16_t *labels;
    size_t count, at = 0;
    int rc = bnn_labels_read(&labels, &count, path, err);
    if (rc != BNN_OK)
        return rc;
    if (count != set->count)
        rc = bnn_fail(err, BNN_ESHAPE, "%s: %zu labels; expected %zu, one for each image", path, count, set->count);
    for (size_t i = 0; rc == BNN_OK && i < set->sources; i++) {
        bnn_source *s = &set->source[i];
        bnn_free(s->labels);
        s->labels = bnn_alloc(s->count, sizeof *s->labels);
        if (!s->labels)
            rc = bnn_fail_memory(err, s->count * sizeof *s->labels);
        else
            memcpy(s->labels, labels + at, s->count * sizeof *s->labels);
        at += s->count;
    }
    bnn_free(labels);
    return rc;
}

static const bnn_source *first_source(const bnn_dataset *set)
{
    for (size_t i = 0; i < set->sources; i++)
        if (set->source[i].count)
            return &set->source[i];
    return NULL;
}

/* The sources together: of one shape, if nothing brings them to one, and of the same classes. */
static int check_sources(bnn_dataset *set, bool ruled, bnn_error *err)
{
    const bnn_source *first = first_source(set), *named = named_source(set);
    if (!first)
        return bnn_fail(err, BNN_ECORRUPT, "no images; all %zu were left out, the first: %s", set->left_out.count,
                        set->left_out.count ? set->left_out.line[0] : "none");
    if (!ruled)
        set->rule = plain_rule(first->shape);
    int rc = BNN_OK;
    for (const bnn_source *s = set->source; rc == BNN_OK && s < set->source + set->sources; s++) {
        if (!ruled && s->count && memcmp(&s->shape, &first->shape, sizeof s->shape) != 0)
            rc = bnn_fail_shapes(first->path, first->shape, s->path, s->shape, err);
        if (rc == BNN_OK && s->count)
            rc = check_source(set, s, err);
        if (rc == BNN_OK && named)
            rc = check_classes(named, s, err);
        set->count += s->count;
    }
    return rc;
}

static int read_options(bnn_dataset *set, bnn_source_options *out, const bnn_dataset_options *o, bnn_error *err)
{
    const bnn_shape cifar = { 32, 32, 3 }, r = o->record;
    const bool given = r.height || r.width || r.channels;
    if (o->input && strcmp(o->input, "photo") != 0)
        return bnn_fail(err, BNN_EINVAL, "input '%s'; expected photo", o->input);
    if (given && (r.height < 1 || r.width < 1 || r.channels < 1 || r.height > BNN_MAX_SIDE || r.width > BNN_MAX_SIDE || r.channels > BNN_MAX_SIDE))
        return bnn_fail(err, BNN_EINVAL, "records of %ux%ux%u; expected sides and channels from 1 to %d", r.height, r.width,
                        r.channels, BNN_MAX_SIDE);
    set->photo = o->input != NULL;
    *out = (bnn_source_options){ .record       = given ? r : cifar,
                                 .record_given = given,
                                 .skip_bad     = o->skip_bad != 0,
                                 .left_out     = &set->left_out };
    if (!o->rule && !o->network)
        return set->photo ? bnn_fail(err, BNN_EINVAL, "input photo without a network; expected a grey one") : BNN_OK;
    out->rule = &set->rule;
    const int rc = make_rule(set, o, err);
    if (rc == BNN_OK && set->photo && set->rule.shape.channels != 1)
        return bnn_fail(err, BNN_ESHAPE, "input photo for an input of %u channels; expected 1", set->rule.shape.channels);
    return rc;
}

static int open_set(bnn_dataset *set, const char *const *paths, size_t n_paths, const bnn_dataset_options *o, bnn_error *err)
{
    bnn_source_options source;
    int rc = n_paths ? read_options(set, &source, o, err) : bnn_fail(err, BNN_EINVAL, "no paths; expected at least one");
    for (size_t i = 0; rc == BNN_OK && i < n_paths; i++)
        rc = add(set, paths[i], &source, err);
    if (rc == BNN_OK)
        rc = check_sources(set, source.rule != NULL, err);
    return rc == BNN_OK && o->labels ? set_labels(set, o->labels, err) : rc;
}

void bnn_dataset_options_default(bnn_dataset_options *options)
{
    *options = (bnn_dataset_options){ 0 };
}

int bnn_dataset_open(bnn_dataset **out, const char *const *paths, size_t n_paths, const bnn_dataset_options *options, bnn_error *err)
{
    const bnn_dataset_options none = { 0 };
    bnn_dataset *set = bnn_alloc(1, sizeof *set);
    if (!set)
        return bnn_fail_memory(err, sizeof *set);
    const int rc = open_set(set, paths, n_paths, options ? options : &none, err);
    if (rc != BNN_OK) {
        bnn_dataset_close(set);
        return rc;
    }
    *out = set;
    return BNN_OK;
}

void bnn_dataset_close(bnn_dataset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->sources; i++)
        close_source(&set->source[i]);
    free(set->source);
    bnn_rule_free(&set->rule);
    bnn_notes_free(&set->left_out);
    bnn_free(set);
}

/* ------------------------------------------------------------------ get -- */

static int prepare(const bnn_dataset *set, const bnn_picture *p, uint8_t *out, bnn_error *err)
{
    return (set->photo ? bnn_prepare_photo : bnn_prepare)(&set->rule, p, out, err);
}

static int get_picture(const bnn_dataset *set, const bnn_source *s, size_t image, uint8_t *out, bnn_error *err)
{
    bnn_picture p;
    int rc = s->kind->decode(s, image, set->photo ? NULL : &set->rule, &p, err);
    if (rc == BNN_OK) {
        rc = prepare(set, &p, out, err);
        bnn_picture_free(&p);
    }
    if (rc == BNN_ESHAPE)
        bnn_fail_prefix(err, s->kind->file(s, image, NULL));
    return rc;
}

static void crop(const bnn_rule *rule, const uint8_t *in, uint8_t *out)
{
    const size_t channels = rule->shape.channels, row = rule->shape.width * channels, pitch = rule->width * channels;
    const size_t top = (rule->height - rule->shape.height) / 2, left = (rule->width - rule->shape.width) / 2;
    for (size_t y = 0; y < rule->shape.height; y++)
        for (size_t i = 0; i < row; i++) {
            const uint8_t v = in[(top + y) * pitch + left * channels + i];
            out[y * row + i] = rule->invert ? (uint8_t)(255 - v) : v;
        }
}

static int prepare_record(const bnn_dataset *set, const bnn_source *s, uint8_t *record, uint8_t *out, bnn_error *err)
{
    if (fits(&set->rule, s->shape) && !set->photo) {
        crop(&set->rule, record, out);
        return BNN_OK;
    }
    const bnn_picture p = { .height = s->shape.height, .width = s->shape.width, .pixels = record,
                            .mode = s->shape.channels == 1 ? BNN_MODE_L : BNN_MODE_RGB,
                            .scale = 1, .full_height = s->shape.height, .full_width = s->shape.width };
    return prepare(set, &p, out, err);
}

static int get_records(const bnn_dataset *set, const bnn_source *s, size_t first, size_t count, uint8_t *out, bnn_error *err)
{
    enum { BLOCK = 64 };
    const bnn_rule *r = &set->rule;
    const size_t size = bnn_shape_size(s->shape), step = bnn_shape_size(r->shape);
    if (fits(r, s->shape) && !set->photo && size == step && !r->invert)
        return s->kind->read(s, first, count, out, err);
    uint8_t *block = bnn_alloc(BLOCK, size);
    int rc = block ? BNN_OK : bnn_fail_memory(err, BLOCK * size);
    while (rc == BNN_OK && count > 0) {
        const size_t n = count < BLOCK ? count : BLOCK;
        rc = s->kind->read(s, first, n, block, err);
        for (size_t i = 0; rc == BNN_OK && i < n; i++, out += step)
            rc = prepare_record(set, s, block + i * size, out, err);
        if (rc == BNN_ESHAPE)
            bnn_fail_prefix(err, s->path);
        first += n;
        count -= n;
    }
    bnn_free(block);
    return rc;
}

static int get_images(const bnn_dataset *set, const bnn_source *s, size_t first, size_t count, uint8_t *out, bnn_error *err)
{
    if (s->kind->read)
        return get_records(set, s, first, count, out, err);
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < count; i++)
        rc = get_picture(set, s, first + i, out + i * bnn_shape_size(set->rule.shape), err);
    return rc;
}

static void get_labels(const bnn_source *s, size_t first, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = s->labels ? s->labels[first + i] : BNN_NO_LABEL;
}

int bnn_dataset_get(const bnn_dataset *set, size_t first, size_t count, uint8_t *images, uint16_t *labels, bnn_error *err)
{
    if (first > set->count || count > set->count - first)
        return bnn_fail(err, BNN_EINVAL, "images %zu to %zu; the data set has %zu", first, first + count, set->count);
    const size_t step = bnn_shape_size(set->rule.shape);
    int rc = BNN_OK;
    for (const bnn_source *s = set->source; rc == BNN_OK && count > 0; s++) {
        if (first >= s->count) {
            first -= s->count;
            continue;
        }
        const size_t n = count < s->count - first ? count : s->count - first;
        if (images) {
            rc = get_images(set, s, first, n, images, err);
            images += n * step;
        }
        if (labels) {
            get_labels(s, first, n, labels);
            labels += n;
        }
        count -= n;
        first = 0;
    }
    return rc;
}

/* ----------------------------------------------------------- describing -- */

size_t bnn_dataset_count(const bnn_dataset *set, bnn_shape *shape)
{
    if (shape)
        *shape = set->rule.shape;
    return set->count;
}

const char *bnn_dataset_source(const bnn_dataset *set, size_t image, size_t *index)
{
    for (size_t i = 0; i < set->sources; i++) {
        const bnn_source *s = &set->source[i];
        if (image < s->count) {
            if (s->kind->file)
                return s->kind->file(s, image, index);
            if (index)
                *index = image;
            return s->path;
        }
        image -= s->count;
    }
    return NULL;
}

const char *bnn_dataset_class_name(const bnn_dataset *set, uint32_t label)
{
    const bnn_source *s = named_source(set);
    return s && label < s->classes.count ? s->classes.name[label] : NULL;
}

const char *bnn_dataset_left_out(const bnn_dataset *set, size_t index)
{
    return index < set->left_out.count ? set->left_out.line[index] : NULL;
}
