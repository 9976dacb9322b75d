/* picture.c -- sources of picture files; and the kind for a single one. */
#include "data/picture.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry { char *path; uint16_t label; };

struct pictures { struct entry *entry; size_t count, room; };

int bnn_pictures_add(bnn_source *s, const char *path, uint16_t label, bnn_error *err)
{
    struct pictures *p = s->state;
    if (!p)
        s->state = p = bnn_alloc(1, sizeof *p);
    if (!p)
        return bnn_fail_memory(err, sizeof *p);
    if (p->count == p->room) {
        const size_t room = p->room ? 2 * p->room : 16;
        struct entry *grown = realloc(p->entry, room * sizeof *grown);
        if (!grown)
            return bnn_fail_memory(err, room * sizeof *grown);
        p->entry = grown;
        p->room  = room;
    }
    char *copy = bnn_strdup(path);
    if (!copy)
        return bnn_fail_memory(err, strlen(path));
    p->entry[p->count++] = (struct entry){ copy, label };
    return BNN_OK;
}

size_t bnn_pictures_count(const bnn_source *s)
{
    const struct pictures *p = s->state;
    return p ? p->count : 0;
}

/* ------------------------------------------------------------- decoding -- */

static int decode_file(bnn_picture *out, const char *path, const bnn_rule *rule, bool header_only, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    const bnn_decode_job job = { .data = file.data, .size = file.size, .path = path, .rule = rule, .header_only = header_only };
    rc = bnn_picture_decode(out, &job, err);
    bnn_file_close(&file);
    return rc;
}

int bnn_pictures_decode(const bnn_source *s, size_t image, const bnn_rule *rule, bnn_picture *out, bnn_error *err)
{
    const struct pictures *p = s->state;
    return decode_file(out, p->entry[image].path, rule, false, err);
}

const char *bnn_pictures_file(const bnn_source *s, size_t image, size_t *index)
{
    const struct pictures *p = s->state;
    if (index)
        *index = 0;
    return p->entry[image].path;
}

void bnn_pictures_close(bnn_source *s)
{
    struct pictures *p = s->state;
    for (size_t i = 0; p && i < p->count; i++)
        bnn_free(p->entry[i].path);
    free(p ? p->entry : NULL);
    bnn_free(p);
    s->state = NULL;
}

/* ------------------------------------------------------------- checking -- */

int bnn_fail_shapes(const char *a, bnn_shape in_a, const char *b, bnn_shape in_b, bnn_error *err)
{
    return bnn_fail(err, BNN_ESHAPE, "%s: %ux%ux%u, but %s: %ux%ux%u; expected images of one shape, or a network to bring them to its own",
                    b, in_b.height, in_b.width, in_b.channels, a, in_a.height, in_a.width, in_a.channels);
}

/* Grey pictures give one channel, all others three. */
static bnn_shape shape_of(const bnn_picture *p)
{
    return (bnn_shape){ p->full_height, p->full_width, bnn_mode_is_grey(p->mode) ? 1 : 3 };
}

/* The first picture's shape is the source's. */
static int check_shape(bnn_source *s, const char *first, const char *path, const bnn_picture *p, bnn_error *err)
{
    const bnn_shape shape = shape_of(p);
    if (s->shape.height == 0)
        s->shape = shape;
    if (memcmp(&shape, &s->shape, sizeof shape) != 0)
        return bnn_fail_shapes(first, s->shape, path, shape, err);
    return BNN_OK;
}

static int check_entry(bnn_source *s, const struct entry *e, const bnn_source_options *o, bool *bad, bnn_error *err)
{
    const struct pictures *p = s->state;
    bnn_picture picture;
    bnn_error why;
    int rc = decode_file(&picture, e->path, o->rule, !o->skip_bad, &why);
    *bad = rc != BNN_OK && rc != BNN_ENOMEM && o->skip_bad;
    if (*bad)
        return bnn_notes_add(o->left_out, why.message, err);
    if (rc != BNN_OK) {
        if (err)
            *err = why;
        return rc;
    }
    if (!o->rule)
        rc = check_shape(s, p->entry[0].path, e->path, &picture, err);
    bnn_picture_free(&picture);
    return rc;
}

static int take_labels(bnn_source *s, bnn_error *err)
{
    const struct pictures *p = s->state;
    s->labels = bnn_alloc(p->count, sizeof *s->labels);
    if (!s->labels)
        return bnn_fail_memory(err, p->count * sizeof *s->labels);
    for (size_t i = 0; i < p->count; i++)
        s->labels[i] = p->entry[i].label;
    return BNN_OK;
}

int bnn_pictures_finish(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    struct pictures *p = s->state;
    size_t kept = 0, i = 0;
    int rc = BNN_OK;
    for (; p && rc == BNN_OK && i < p->count; i++) {
        bool bad;
        rc = check_entry(s, &p->entry[i], options, &bad, err);
        if (bad)
            bnn_free(p->entry[i].path);
        else
            p->entry[kept++] = p->entry[i];
    }
    for (; p && i < p->count; i++) /* after a failure */
        p->entry[kept++] = p->entry[i];
    if (p)
        p->count = kept;
    s->count = kept;
    return rc == BNN_OK && p ? take_labels(s, err) : rc;
}

bool bnn_is_picture(const char *path)
{
    uint8_t head[16];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n > 0 && bnn_decoder_of(head, (size_t)n) != NULL;
}

/* ------------------------------------------------------ a single picture -- */

static bool matches(const bnn_candidate *c)
{
    return !c->folder && bnn_decoder_of(c->head, c->head_size) != NULL;
}

static int open_picture(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    const int rc = bnn_pictures_add(s, s->path, BNN_NO_LABEL, err);
    return rc == BNN_OK ? bnn_pictures_finish(s, options, err) : rc;
}

const bnn_source_kind bnn_source_picture = {
    .name = "picture", .matches = matches, .open = open_picture, .decode = bnn_pictures_decode, .file = bnn_pictures_file,
    .close = bnn_pictures_close,
};
