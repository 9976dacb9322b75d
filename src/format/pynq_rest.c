/* pynq_rest.c -- what the canonical form cannot hold of a folder's bytes.
 *
 * Parities and upper bits of thresholds, padding weights, unused bits, file
 * lengths, names as they were written, files that the network does not use:
 * all of them are differences to the files that bnn_pynq_content makes, so
 * those differences are what is kept. In a shipped folder they are a few
 * hundred bytes, where a copy would be as large as the network itself.
 *
 * The extra is a sequence of files that differ, in the order of their names:
 *
 *     u8 length, name          without an ending 0
 *     u32 size, u32 crc        of the file; CRC-32 as zlib computes it
 *     u32 runs, runs x (u32 at, u32 length, bytes)
 *
 * The file is the canonical content, cut or lengthened with zeros to `size`,
 * and then overwritten by the runs, in ascending order. Numbers are little
 * endian. classes.txt has no canonical content: it is kept whole.
 */
#include "format/pynq.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
    MAX_FILE  = 1 << 24, /* of a file that the network uses; the largest has 589,824 bytes */
    MAX_OTHER = 1 << 16, /* larger ones that it does not use stay behind */
    MAX_TOTAL = 1 << 27,
    GAP       = 8, /* equal bytes that are not worth a new run */
};

static uint32_t crc_of(const uint8_t *data, size_t size)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)size);
}

/* ----------------------------------------------------------------- keep -- */

/* The extra while it grows. */
struct sink { uint8_t *data; size_t size, room; bool full; };

static void put(struct sink *s, const void *data, size_t n)
{
    if (s->room - s->size < n) {
        const size_t room = 2 * s->room + n + 4096;
        uint8_t *grown = realloc(s->data, room);
        s->full |= !grown;
        if (!grown)
            return;
        s->data = grown;
        s->room = room;
    }
    if (n > 0)
        memcpy(s->data + s->size, data, n);
    s->size += n;
}

static void put_u32(struct sink *s, uint32_t v)
{
    uint8_t b[4];
    bnn_put_u32le(b, v);
    put(s, b, sizeof b);
}

static bool differs(const bnn_file *file, const uint8_t *content, size_t size, size_t at)
{
    return file->data[at] != (at < size ? content[at] : 0);
}

/* The next run of differing bytes from *at on, with gaps of less than GAP equal ones in it; false when none is left. */
static bool next_run(const bnn_file *file, const uint8_t *content, size_t size, size_t *at, size_t *length)
{
    while (*at < file->size && !differs(file, content, size, *at))
        ++*at;
    size_t last = *at;
    for (size_t i = *at; i < file->size && i - last <= GAP; i++)
        if (differs(file, content, size, i))
            last = i;
    *length = last + 1 - *at;
    return *at < file->size;
}

static void put_runs(struct sink *s, const bnn_file *file, const uint8_t *content, size_t size)
{
    const size_t count_at = s->size;
    uint32_t runs = 0;
    put_u32(s, 0);
    for (size_t at = 0, length; next_run(file, content, size, &at, &length); at += length, runs++) {
        put_u32(s, (uint32_t)at);
        put_u32(s, (uint32_t)length);
        put(s, file->data + at, length);
    }
    if (!s->full)
        bnn_put_u32le(s->data + count_at, runs);
}

static void put_file(struct sink *s, const char *name, const bnn_file *file, const uint8_t *content, size_t size)
{
    if (size > 0 && size == file->size && memcmp(content, file->data, size) == 0)
        return; /* files without canonical content are kept even when they are empty */
    const uint8_t length = (uint8_t)strlen(name); /* file names have at most 255 bytes */
    put(s, &length, 1);
    put(s, name, length);
    put_u32(s, (uint32_t)file->size);
    put_u32(s, crc_of(file->data, file->size));
    put_runs(s, file, content, size);
}

static int keep_file(struct sink *s, const bnn_network *net, const bnn_pynq_overlay *o, const char *name, const bnn_file *file,
                     bnn_error *err)
{
    uint8_t *content = NULL;
    size_t size = 0;
    bool exact;
    int rc = bnn_pynq_content(&content, &size, o, net, name, &exact, err);
    if (rc == BNN_OK && size > 0 && file->size > MAX_FILE)
        rc = bnn_fail(err, BNN_ECORRUPT, "%zu bytes; expected at most %d, and %zu of them have a meaning", file->size, MAX_FILE, size);
    else if (rc == BNN_OK && (size > 0 || file->size <= MAX_OTHER))
        put_file(s, name, file, content, size);
    bnn_free(content);
    return rc;
}

/* Other things than files stay behind. */
static int keep_path(struct sink *s, const bnn_network *net, const bnn_pynq_overlay *o, const char *path, const char *name, bnn_error *err)
{
    struct stat st;
    bnn_file file;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return BNN_OK;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = keep_file(s, net, o, name, &file, err);
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    return rc;
}

static int keep_folder(struct sink *s, const bnn_network *net, const bnn_pynq_overlay *o, const char *folder, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, folder, err);
    if (rc != BNN_OK)
        return rc;
    for (size_t i = 0; rc == BNN_OK && i < names.count; i++) {
        char *path = bnn_path_join(folder, names.name[i]);
        rc = path ? keep_path(s, net, o, path, names.name[i], err) : bnn_fail_memory(err, strlen(folder));
        bnn_free(path);
    }
    bnn_names_free(&names);
    return rc;
}

static int keep_memory(struct sink *s, const bnn_network *net, const bnn_pynq_overlay *o, const bnn_pynq_source *source, bnn_error *err)
{
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < source->files; i++) {
        const bnn_file file = { .data = source->file[i].data, .size = source->file[i].size };
        rc = keep_file(s, net, o, source->file[i].name, &file, err);
    }
    return rc;
}

int bnn_pynq_rest_keep(bnn_network *net, const bnn_pynq_overlay *o, const bnn_pynq_source *source, bnn_error *err)
{
    struct sink s = { 0 };
    int rc = source->file ? keep_memory(&s, net, o, source, err) : keep_folder(&s, net, o, source->path, err);
    if (rc == BNN_OK && s.full)
        rc = bnn_fail_memory(err, s.room);
    if (rc == BNN_OK) /* also when nothing differs: that, too, is known */
        rc = bnn_network_add_extra(net, BNN_PYNQ_REST, s.data, s.size, err);
    free(s.data);
    return rc;
}

/* ---------------------------------------------------------------- apply -- */

/* A name of one component, so that writing stays inside the folder. */
static bool good_name(const uint8_t *name, size_t n)
{
    return n > 0 && !memchr(name, 0, n) && !memchr(name, '/', n) && !(n == 1 && name[0] == '.')
        && !(n == 2 && name[0] == '.' && name[1] == '.');
}

static void skip_runs(bnn_bytes *b, uint32_t runs)
{
    for (uint32_t i = 0; i < runs && !b->short_read; i++) {
        bnn_bytes_u32le(b);
        bnn_bytes_take(b, bnn_bytes_u32le(b));
    }
}

static bool parse_file(bnn_pynq_rest_file *out, bnn_bytes *b)
{
    *out = (bnn_pynq_rest_file){ 0 };
    const size_t length = bnn_bytes_u8(b);
    const uint8_t *name = bnn_bytes_take(b, length);
    if (!name || !good_name(name, length))
        return false;
    memcpy(out->name, name, length);
    out->size = bnn_bytes_u32le(b);
    out->crc  = bnn_bytes_u32le(b);
    out->runs = bnn_bytes_u32le(b);
    out->run  = b->data + b->at;
    skip_runs(b, out->runs);
    return !b->short_read && out->size <= MAX_FILE;
}

static size_t count_files(const bnn_extra *extra)
{
    bnn_pynq_rest_file file;
    bnn_bytes b = bnn_bytes_of(extra->data, extra->size);
    size_t n = 0;
    while (bnn_bytes_left(&b) > 0 && parse_file(&file, &b))
        n++;
    return n;
}

int bnn_pynq_rest_open(bnn_pynq_rest *out, const bnn_extra *extra, bnn_error *err)
{
    const size_t n = count_files(extra);
    bnn_pynq_rest rest = { .file = bnn_alloc(n, sizeof *rest.file) };
    if (!rest.file)
        return bnn_fail_memory(err, n * sizeof *rest.file);
    bnn_bytes b = bnn_bytes_of(extra->data, extra->size);
    uint64_t total = 0;
    bool good = true;
    for (; good && rest.files < n; rest.files++) {
        bnn_pynq_rest_file *file = &rest.file[rest.files];
        good = parse_file(file, &b) && (total += file->size) <= MAX_TOTAL
            && (rest.files == 0 || strcmp(file[-1].name, file->name) < 0);
    }
    if (!good || bnn_bytes_left(&b) > 0) {
        bnn_pynq_rest_close(&rest);
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%s': file %zu in it is malformed", extra->name, n);
    }
    *out = rest;
    return BNN_OK;
}

void bnn_pynq_rest_close(bnn_pynq_rest *rest)
{
    bnn_free(rest->file);
    *rest = (bnn_pynq_rest){ 0 };
}

const bnn_pynq_rest_file *bnn_pynq_rest_find(const bnn_pynq_rest *rest, const char *name)
{
    size_t low = 0, high = rest->files; /* sorted by name, and there may be many */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, rest->file[middle].name);
        if (order == 0)
            return &rest->file[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Lays the runs over `out`; false when one lies outside. */
static bool lay_runs(uint8_t *out, const bnn_pynq_rest_file *file)
{
    const uint8_t *p = file->run;
    for (uint32_t i = 0; i < file->runs; i++) {
        const uint32_t at = bnn_get_u32le(p), length = bnn_get_u32le(p + 4);
        if (at > file->size || length > file->size - at)
            return false;
        memcpy(out + at, p + 8, length);
        p += 8 + (size_t)length;
    }
    return true;
}

int bnn_pynq_rest_apply(const bnn_pynq_rest_file *file, uint8_t **content, size_t *size, bnn_error *err)
{
    uint8_t *bytes = bnn_alloc(file->size, 1);
    if (!bytes)
        return bnn_fail_memory(err, file->size);
    const size_t same = *size < file->size ? *size : file->size;
    if (same > 0)
        memcpy(bytes, *content, same);
    if (!lay_runs(bytes, file) || crc_of(bytes, file->size) != file->crc) {
        bnn_free(bytes);
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%s': it does not give back the file %s as it was", BNN_PYNQ_REST, file->name);
    }
    bnn_free(*content);
    *content = bytes;
    *size    = file->size;
    return BNN_OK;
}
