/* idx.c -- IDX3 files of bytes, such as train-images-idx3-ubyte, also as .gz.
 *
 * Big endian: 0x00000803, count, height, width; then count x height x width
 * bytes. Labels are beside it, with "labels" and "idx1" for "images" and "idx3"
 * in its name, with or without .gz; class names in classes.txt beside it (or
 * NAME-classes.txt, if it is called NAME-train-images...).
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/labels.h"
#include "data/source.h"
#include "data/stream.h"

#include <string.h>
#include <unistd.h>

enum { HEAD = 16 };

/* The fourth byte is the number of dimensions; a CIFAR-10 record may begin with the first three. */
static bool matches(const bnn_candidate *c)
{
    static const uint8_t idx[3] = { 0, 0, 8 }, gzip[2] = { 0x1f, 0x8b };
    if (c->folder || c->head_size < 4)
        return false;
    return (memcmp(c->head, idx, 3) == 0 && c->head[3] >= 1 && c->head[3] <= 4) || memcmp(c->head, gzip, 2) == 0;
}

static int read_head(bnn_source *s, bnn_error *err)
{
    uint8_t head[HEAD];
    const int rc = bnn_stream_read(s->state, 0, sizeof head, head, err);
    if (rc != BNN_OK)
        return rc;
    bnn_bytes b = bnn_bytes_of(head, sizeof head);
    const uint32_t magic = bnn_bytes_u32be(&b), count = bnn_bytes_u32be(&b), height = bnn_bytes_u32be(&b), width = bnn_bytes_u32be(&b);
    if (magic != 0x00000803)
        return bnn_fail(err, BNN_EMAGIC, "%s: magic number 0x%08x; expected 0x00000803, an IDX file of images", s->path, magic);
    if (count < 1 || height < 1 || width < 1 || height > BNN_MAX_SIDE || width > BNN_MAX_SIDE)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %u images of %ux%u; expected at least one, sides from 1 to %d", s->path, count,
                        height, width, BNN_MAX_SIDE);
    s->count = count;
    s->shape = (bnn_shape){ height, width, 1 };
    char what[80];
    bnn_printer p = { what, sizeof what, 0 };
    bnn_print(&p, "%u images of %ux%u", count, height, width);
    return bnn_stream_expect(s->state, HEAD + (uint64_t)count * height * width, what, err);
}

/* Replaces the last `from` of a text with `to`, of the same length. */
static bool swap_word(char *text, const char *from, const char *to)
{
    char *at = NULL;
    for (char *p = text; (p = strstr(p, from)); p++)
        at = p;
    if (at)
        memcpy(at, to, strlen(to));
    return at != NULL;
}

/* The path of the label file beside, or NULL when there is none (or memory: then *rc). */
static char *find_labels(const char *path, int *rc, bnn_error *err)
{
    const size_t n = strlen(path);
    char *name = bnn_alloc(n + 4, 1);
    *rc = name ? BNN_OK : bnn_fail_memory(err, n);
    if (!name)
        return NULL;
    memcpy(name, path, n);
    char *base = name + (bnn_path_base(path) - path);
    if (swap_word(base, "images", "labels")) {
        swap_word(base, "idx3", "idx1");
        if (access(name, F_OK) == 0)
            return name;
        if (bnn_path_ends(name, ".gz"))
            name[n - 3] = '\0';
        else
            memcpy(name + n, ".gz", 4);
        if (access(name, F_OK) == 0)
            return name;
    }
    bnn_free(name);
    return NULL;
}

static int read_labels(bnn_source *s, bnn_error *err)
{
    int rc;
    size_t count;
    char *path = find_labels(s->path, &rc, err);
    if (!path)
        return rc;
    rc = bnn_labels_read(&s->labels, &count, path, err);
    if (rc == BNN_OK && count != s->count)
        rc = bnn_fail(err, BNN_ESHAPE, "%s: %zu labels; expected %zu, as many as %s has images", path, count, s->count, s->path);
    bnn_free(path);
    return rc;
}

/* What comes before "train-images" and the like in a file's name: "mtuci-" of mtuci-train-images-idx3-ubyte. */
static bnn_span set_name(const char *path)
{
    static const char *const parts[] = { "train-images", "test-images", "t10k-images" };
    const char *base = bnn_path_base(path);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *at = strstr(base, parts[i]);
        if (at)
            return (bnn_span){ base, (size_t)(at - base) };
    }
    return (bnn_span){ base, 0 };
}

static int read_classes(bnn_source *s, bnn_error *err)
{
    const bnn_span set = set_name(s->path);
    char own[300];
    bnn_printer p = { own, sizeof own, 0 };
    bnn_print(&p, "%.*sclasses.txt", (int)(set.size < 256 ? set.size : 256), set.at);
    const char *const names[] = { own, "classes.txt", NULL };
    char *folder = bnn_path_folder(s->path);
    const int rc = folder ? bnn_classes_find(&s->classes, folder, names, err) : bnn_fail_memory(err, strlen(s->path));
    bnn_free(folder);
    return rc;
}

static int open_idx(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    bnn_stream *stream;
    (void)options;
    int rc = bnn_stream_open(&stream, s->path, err);
    if (rc != BNN_OK)
        return rc;
    s->state = stream;
    rc = read_head(s, err);
    if (rc == BNN_OK)
        rc = read_labels(s, err);
    return rc == BNN_OK ? read_classes(s, err) : rc;
}

static int read_images(const bnn_source *s, size_t first, size_t count, uint8_t *out, bnn_error *err)
{
    const size_t size = bnn_shape_size(s->shape);
    return bnn_stream_read(s->state, HEAD + (uint64_t)first * size, count * size, out, err);
}

static void close_idx(bnn_source *s)
{
    bnn_stream_close(s->state);
}

const bnn_source_kind bnn_source_idx = { .name = "IDX", .matches = matches, .open = open_idx, .read = read_images, .close = close_idx };
