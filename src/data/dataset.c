/* dataset.c -- data sets: many sources as one, each image brought to one shape.
 *
 * Every image goes through an input rule: the network's, the one given as text,
 * or (without either) one that only states the shape that all images have.
 */
#include "base/mem.h"
#include "base/text.h"
#include "data/labels.h"
#include "data/picture.h"
#include "net/network.h"

#include <string.h>

struct bnn_dataset {
    bnn_sources all;
    const bnn_source *named; /* the first that has names of classes, or NULL */
    size_t      count;
    bnn_rule    rule;
    bool        photo;
    bnn_notes   left_out;
};

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
    for (size_t i = 0; rc == BNN_OK && i < set->all.count; i++) {
        bnn_source *s = &set->all.source[i];
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
    for (size_t i = 0; i < set->all.count; i++)
        if (set->all.source[i].count)
            return &set->all.source[i];
    return NULL;
}

/* The sources together: of one shape, if nothing brings them to one, and of the same classes. */
static int check_sources(bnn_dataset *set, bool ruled, bnn_error *err)
{
    const bnn_source *first = first_source(set);
    if (!first)
        return bnn_fail(err, BNN_ECORRUPT, "no images; all %zu were left out, the first: %s", set->left_out.count,
                        set->left_out.count ? set->left_out.line[0] : "none");
    if (!ruled)
        set->rule = plain_rule(first->shape);
    int rc = BNN_OK;
    for (bnn_source *s = set->all.source; rc == BNN_OK && s < set->all.source + set->all.count; s++) {
        if (!ruled && s->count && memcmp(&s->shape, &first->shape, sizeof s->shape) != 0)
            rc = bnn_fail_shapes(first->path, first->shape, s->path, s->shape, err);
        if (rc == BNN_OK && s->count)
            rc = check_source(set, s, err);
        if (!set->named && s->classes.count)
            set->named = s;
        if (rc == BNN_OK && set->named)
            rc = check_classes(set->named, s, err);
        s->first = set->count;
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
    if (given && (r.height < 1 || r.width < 1 || r.channels < 1 || r.height > BNN_MAX_SIDE || r.width > BNN_MAX_SIDE
                  || r.channels > BNN_MAX_SIDE || (uint64_t)r.height * r.width * r.channels > BNN_MAX_MAP))
        return bnn_fail(err, BNN_EINVAL, "records of %ux%ux%u; expected sides and channels from 1 to %d, and at most 2^30 values",
                        r.height, r.width, r.channels, BNN_MAX_SIDE);
    set->photo = o->input != NULL;
    *out = (bnn_source_options){ .record       = given ? r : cifar,
                                 .record_given = given,
                                 .skip_bad     = o->skip_bad != 0,
                                 .left_out     = &set->left_out };
    if (!o->rule && !o->network)
        return set->photo ? bnn_fail(err, BNN_EINVAL, "input photo without a network; expected a grey one") : BNN_OK;
    out->rule = &set->rule;
    const int rc = make_rule(set, o, err);
    if (rc == BNN_OK && o->uncropped) {
        set->rule.shape.height = set->rule.height;
        set->rule.shape.width  = set->rule.width;
    }
    if (rc == BNN_OK && set->photo && set->rule.shape.channels != 1)
        return bnn_fail(err, BNN_ESHAPE, "input photo for an input of %u channels; expected 1", set->rule.shape.channels);
    return rc;
}

static int open_set(bnn_dataset *set, const char *const *paths, size_t n_paths, const bnn_dataset_options *o, bnn_error *err)
{
    bnn_source_options source;
    int rc = n_paths ? read_options(set, &source, o, err) : bnn_fail(err, BNN_EINVAL, "no paths; expected at least one");
    for (size_t i = 0; rc == BNN_OK && i < n_paths; i++)
        rc = bnn_sources_add(&set->all, paths[i], &source, err);
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
    bnn_sources_close(&set->all);
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
    const size_t most = count < 64 ? count : 64;
    const bnn_rule *r = &set->rule;
    const size_t size = bnn_shape_size(s->shape), step = bnn_shape_size(r->shape);
    if (fits(r, s->shape) && !set->photo && size == step && !r->invert)
        return s->kind->read(s, first, count, out, err);
    uint8_t *block = bnn_alloc(most, size);
    int rc = block ? BNN_OK : bnn_fail_memory(err, most * size);
    while (rc == BNN_OK && count > 0) {
        const size_t n = count < most ? count : most;
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

/* The source of an image that there is: the last that begins at it or before. (Those without images begin where the next does.) */
static const bnn_source *source_of(const bnn_dataset *set, size_t image)
{
    size_t low = 0, high = set->all.count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        *(set->all.source[middle].first <= image ? &low : &high) = middle;
    }
    return &set->all.source[low];
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
    while (rc == BNN_OK && count > 0) {
        const bnn_source *s = source_of(set, first);
        const size_t at = first - s->first, n = count < s->count - at ? count : s->count - at;
        if (images) {
            rc = get_images(set, s, at, n, images, err);
            images += n * step;
        }
        if (labels) {
            get_labels(s, at, n, labels);
            labels += n;
        }
        count -= n;
        first += n;
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
    if (image >= set->count)
        return NULL;
    const bnn_source *s = source_of(set, image);
    if (s->kind->file)
        return s->kind->file(s, image - s->first, index);
    if (index)
        *index = image - s->first;
    return s->path;
}

const char *bnn_dataset_class_name(const bnn_dataset *set, uint32_t label)
{
    return set->named && label < set->named->classes.count ? set->named->classes.name[label] : NULL;
}

const char *bnn_dataset_left_out(const bnn_dataset *set, size_t index)
{
    return index < set->left_out.count ? set->left_out.line[index] : NULL;
}
