/* records.c -- CIFAR-10's binary records, and their kin of other sizes.
 *
 * A record is a label byte and then height x width bytes a channel, plane after
 * plane, row by row. There is no header: a file is one of records when its name
 * ends in .bin, or when it is nothing else and holds a whole number of records
 * (or the shape of records was given). As in the original, a partial record at
 * the end does not count. Class names: batches.meta.txt or classes.txt beside it.
 */
#include "base/mem.h"
#include "data/labels.h"
#include "data/source.h"

static size_t record_size(bnn_shape shape)
{
    return 1 + bnn_shape_size(shape);
}

static bool by_name(const bnn_candidate *c)
{
    return !c->folder && bnn_path_ends(c->path, ".bin");
}

static bool by_size(const bnn_candidate *c)
{
    return !c->folder && c->size > 0 && (c->options->record_given || c->size % record_size(c->options->record) == 0);
}

static int read_labels(bnn_source *s, const bnn_file *file, bnn_error *err)
{
    const size_t size = record_size(s->shape);
    s->labels = bnn_alloc(s->count, sizeof *s->labels);
    if (!s->labels)
        return bnn_fail_memory(err, s->count * sizeof *s->labels);
    for (size_t i = 0; i < s->count; i++)
        s->labels[i] = file->data[i * size];
    return BNN_OK;
}

static int open_records(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    static const char *const names[] = { "batches.meta.txt", "classes.txt", NULL };
    bnn_file *file = s->state = bnn_alloc(1, sizeof *file);
    int rc = file ? bnn_file_open(file, s->path, err) : bnn_fail_memory(err, sizeof *file);
    if (rc != BNN_OK)
        return rc;
    s->shape = options->record;
    s->count = file->size / record_size(s->shape);
    if (s->count == 0)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes; expected records of %zu bytes (1 label and %ux%ux%u)", s->path, file->size,
                        record_size(s->shape), s->shape.height, s->shape.width, s->shape.channels);
    rc = read_labels(s, file, err);
    if (rc != BNN_OK)
        return rc;
    char *folder = bnn_path_folder(s->path);
    rc = folder ? bnn_classes_find(&s->classes, folder, names, err) : bnn_fail_memory(err, 1);
    bnn_free(folder);
    return rc;
}

/* Planes to pixels, channels innermost. */
static int read_records(const bnn_source *s, size_t first, size_t count, uint8_t *out, bnn_error *err)
{
    const bnn_file *file = s->state;
    const size_t plane = (size_t)s->shape.height * s->shape.width, channels = s->shape.channels;
    (void)err;
    for (size_t i = first; i < first + count; i++, out += plane * channels) {
        const uint8_t *in = file->data + i * record_size(s->shape) + 1;
        for (size_t c = 0; c < channels; c++)
            for (size_t k = 0; k < plane; k++)
                out[k * channels + c] = in[c * plane + k];
    }
    return BNN_OK;
}

static void close_records(bnn_source *s)
{
    if (s->state)
        bnn_file_close(s->state);
    bnn_free(s->state);
}

const bnn_source_kind bnn_source_records = {
    .name = "records", .matches = by_name, .open = open_records, .read = read_records, .close = close_records,
};
const bnn_source_kind bnn_source_records_by_size = {
    .name = "records", .matches = by_size, .open = open_records, .read = read_records, .close = close_records,
};
