/* npz.c -- .npy headers and values, and archives of them. */
#include "format/npz.h"
#include "format/zip.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char magic[6] = "\x93NUMPY";

/* --------------------------------------------------------------- header -- */

struct header {
    size_t width;   /* bytes of a value: 4 or 8 */
    bool   fortran; /* the first index runs fastest */
    uint32_t dims;
    size_t shape[BNN_ARRAY_MAX_DIMS];
    bool   has_type, has_order, has_shape;
};

static void skip_blanks(bnn_span *s)
{
    while (s->size && strchr(" \t\r\n", s->at[0]) && s->at[0])
        *s = bnn_span_skip(*s, 1);
}

/* Takes `word` off the text, after blanks. */
static bool take(bnn_span *s, const char *word)
{
    skip_blanks(s);
    if (!bnn_span_starts(*s, word))
        return false;
    *s = bnn_span_skip(*s, strlen(word));
    return true;
}

/* A Python string without escapes: 'descr'. */
static bool take_string(bnn_span *s, bnn_span *out)
{
    skip_blanks(s);
    if (!s->size || (s->at[0] != '\'' && s->at[0] != '"'))
        return false;
    const char *end = memchr(s->at + 1, s->at[0], s->size - 1);
    if (!end)
        return false;
    *out = (bnn_span){ s->at + 1, (size_t)(end - s->at) - 1 };
    *s   = bnn_span_skip(*s, out->size + 2);
    return true;
}

static bool take_size(bnn_span *s, size_t *out)
{
    uint32_t n;
    bnn_span digits = { s->at, 0 };
    while (digits.size < s->size && s->at[digits.size] >= '0' && s->at[digits.size] <= '9')
        digits.size++;
    if (!bnn_span_number(digits, &n))
        return false;
    *s   = bnn_span_skip(*s, digits.size);
    *out = n;
    take(s, "L"); /* written by Python 2 */
    return true;
}

/* (), (3,), (3, 4) */
static bool take_shape(bnn_span *s, struct header *h)
{
    if (!take(s, "("))
        return false;
    while (!take(s, ")")) {
        if (h->dims == BNN_ARRAY_MAX_DIMS || !take_size(s, &h->shape[h->dims]))
            return false;
        h->dims++;
        if (!take(s, ",") && (skip_blanks(s), !s->size || s->at[0] != ')'))
            return false;
    }
    return true;
}

static int read_entry(struct header *h, bnn_span *s, bnn_error *err)
{
    bnn_span key, type;
    if (!take_string(s, &key) || !take(s, ":"))
        return bnn_fail(err, BNN_ECORRUPT, "npy header: '%.*s'; expected 'descr', 'fortran_order' or 'shape'", BNN_SPAN(*s));
    if (bnn_span_is(key, "descr") && !h->has_type && take_string(s, &type)) {
        h->has_type = true;
        h->width = bnn_span_is(type, "<f4") ? 4 : bnn_span_is(type, "<f8") ? 8 : 0;
        return h->width ? BNN_OK : bnn_fail(err, BNN_ECORRUPT, "values of type '%.*s'; expected '<f4' or '<f8'", BNN_SPAN(type));
    }
    if (bnn_span_is(key, "fortran_order") && !h->has_order) {
        h->fortran   = take(s, "True");
        h->has_order = h->fortran || take(s, "False");
        if (h->has_order)
            return BNN_OK;
    }
    if (bnn_span_is(key, "shape") && !h->has_shape) {
        h->has_shape = take_shape(s, h);
        if (h->has_shape)
            return BNN_OK;
    }
    return bnn_fail(err, BNN_ECORRUPT, "npy header: '%.*s' as the value of '%.*s'", BNN_SPAN(*s), BNN_SPAN(key));
}

static int parse_header(struct header *h, bnn_span s, bnn_error *err)
{
    *h = (struct header){ 0 };
    bool open = take(&s, "{");
    int rc = open ? BNN_OK : bnn_fail(err, BNN_ECORRUPT, "npy header: '%.*s'; expected a dictionary", BNN_SPAN(s));
    while (rc == BNN_OK && !take(&s, "}")) {
        rc = read_entry(h, &s, err);
        if (rc == BNN_OK && !take(&s, ",") && (skip_blanks(&s), !s.size || s.at[0] != '}'))
            rc = bnn_fail(err, BNN_ECORRUPT, "npy header: '%.*s'; expected ',' or '}'", BNN_SPAN(s));
    }
    skip_blanks(&s);
    if (rc == BNN_OK && (s.size || !h->has_type || !h->has_order || !h->has_shape))
        rc = bnn_fail(err, BNN_ECORRUPT, "npy header: expected just descr, fortran_order and shape");
    return rc;
}

/* --------------------------------------------------------------- values -- */

static double value_at(const uint8_t *p, size_t width)
{
    union { uint32_t u; float f; } narrow;
    union { uint64_t u; double d; } wide;
    if (width == 4) {
        narrow.u = bnn_get_u32le(p);
        return (double)narrow.f;
    }
    wide.u = bnn_get_u64le(p);
    return wide.d;
}

/* Place in C order of the i-th value in Fortran order. */
static size_t place(const bnn_array *a, size_t i)
{
    size_t at = 0, stride = a->size;
    for (uint32_t d = 0; d < a->dims; d++) {
        stride /= a->shape[d];
        at += i % a->shape[d] * stride;
        i /= a->shape[d];
    }
    return at;
}

static int read_values(bnn_array *a, const struct header *h, bnn_bytes *b, bnn_error *err)
{
    size_t bytes = h->width;
    for (uint32_t d = 0; d < h->dims; d++)
        if (!bnn_mul(bytes, h->shape[d], &bytes))
            return bnn_fail(err, BNN_ECORRUPT, "a shape of more values than memory has bytes");
    if (bytes != bnn_bytes_left(b))
        return bnn_fail(err, BNN_ECORRUPT, "%zu bytes of values; the shape needs %zu", bnn_bytes_left(b), bytes);
    a->dims = h->dims;
    memcpy(a->shape, h->shape, sizeof a->shape);
    a->size = bytes / h->width;
    a->data = bnn_alloc(a->size, sizeof *a->data);
    if (!a->data)
        return bnn_fail_memory(err, a->size * sizeof *a->data);
    const uint8_t *p = bnn_bytes_take(b, bytes);
    for (size_t i = 0; i < a->size; i++)
        a->data[h->fortran ? place(a, i) : i] = value_at(p + i * h->width, h->width);
    return BNN_OK;
}

int bnn_npy_read(bnn_array *out, const void *data, size_t size, bnn_error *err)
{
    struct header h;
    bnn_array a = { 0 };
    bnn_bytes b = bnn_bytes_of(data, size);
    const uint8_t *start = bnn_bytes_take(&b, sizeof magic);
    if (!start || memcmp(start, magic, sizeof magic) != 0)
        return bnn_fail(err, BNN_EMAGIC, "not a NumPy array; expected it to begin with \\x93NUMPY");
    const unsigned version = bnn_bytes_u8(&b), minor = bnn_bytes_u8(&b);
    if (version < 1 || version > 3 || minor != 0)
        return bnn_fail(err, BNN_EVERSION, "npy version %u.%u; expected 1.0, 2.0 or 3.0", version, minor);
    const size_t n = version == 1 ? bnn_bytes_u16le(&b) : bnn_bytes_u32le(&b);
    const uint8_t *text = bnn_bytes_take(&b, n);
    if (!text)
        return bnn_fail(err, BNN_ECORRUPT, "npy header of %zu bytes; the array ends before", n);
    int rc = parse_header(&h, (bnn_span){ (const char *)text, n }, err);
    if (rc == BNN_OK)
        rc = read_values(&a, &h, &b, err);
    if (rc == BNN_OK)
        *out = a;
    return rc;
}

/* -------------------------------------------------------------- reading -- */

static int read_member(bnn_array *out, const bnn_zip_member *m, bnn_error *err)
{
    uint8_t *bytes = bnn_alloc(m->size, 1);
    if (!bytes)
        return bnn_fail_memory(err, m->size);
    bnn_array a = { 0 };
    int rc = bnn_zip_unpack(m, bytes, err);
    if (rc == BNN_OK && (rc = bnn_npy_read(&a, bytes, m->size, err)) != BNN_OK)
        bnn_fail_prefix(err, m->name);
    if (rc == BNN_OK && !(a.name = bnn_strndup(m->name, strlen(m->name) - strlen(".npy")))) {
        bnn_free(a.data);
        rc = bnn_fail_memory(err, strlen(m->name));
    }
    bnn_free(bytes);
    if (rc == BNN_OK)
        *out = a;
    return rc;
}

static bool is_array(const char *name)
{
    const size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".npy") == 0;
}

int bnn_npz_read(bnn_npz *out, const void *data, size_t size, bnn_error *err)
{
    bnn_zip zip;
    bnn_npz npz = { 0 };
    int rc = bnn_zip_open(&zip, data, size, err);
    if (rc != BNN_OK)
        return rc;
    npz.array = bnn_alloc(zip.count, sizeof *npz.array);
    if (!npz.array)
        rc = bnn_fail_memory(err, zip.count * sizeof *npz.array);
    for (size_t i = 0; rc == BNN_OK && i < zip.count; i++)
        if (is_array(zip.member[i].name) && (rc = read_member(&npz.array[npz.count], &zip.member[i], err)) == BNN_OK)
            npz.count++;
    bnn_zip_close(&zip);
    if (rc == BNN_OK)
        *out = npz;
    else
        bnn_npz_free(&npz);
    return rc;
}

int bnn_npz_open(bnn_npz *out, const char *path, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_npz_read(out, file.data, file.size, err);
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    return rc;
}

void bnn_npz_free(bnn_npz *npz)
{
    for (size_t i = 0; i < npz->count; i++) {
        bnn_free(npz->array[i].name);
        bnn_free(npz->array[i].data);
    }
    bnn_free(npz->array);
    *npz = (bnn_npz){ 0 };
}

const bnn_array *bnn_npz_find(const bnn_npz *npz, const char *name)
{
    for (size_t i = 0; i < npz->count; i++)
        if (strcmp(npz->array[i].name, name) == 0)
            return &npz->array[i];
    return NULL;
}

/* -------------------------------------------------------------- writing -- */

enum { HEADER_ROOM = 512, HEADER_ALIGN = 64, HEADER_FRONT = 10 }; /* front: magic, version, length */

/* The header as numpy.save writes it: blanks and a newline bring the values to a multiple of 64. */
static size_t print_header(char out[HEADER_ROOM], const bnn_array *a, bool wide)
{
    bnn_printer p = { out, HEADER_ROOM, 0 };
    bnn_print(&p, "{'descr': '<f%d', 'fortran_order': False, 'shape': (", wide ? 8 : 4);
    for (uint32_t d = 0; d < a->dims; d++)
        bnn_print(&p, d + 1 < a->dims ? "%zu, " : a->dims == 1 ? "%zu," : "%zu", a->shape[d]);
    bnn_print(&p, "), }");
    while ((HEADER_FRONT + p.used + 1) % HEADER_ALIGN)
        bnn_print(&p, " ");
    bnn_print(&p, "\n");
    return p.used;
}

static void put_value(uint8_t *p, double v, bool wide)
{
    if (wide) {
        const union { double d; uint64_t u; } w = { v };
        bnn_put_u64le(p, w.u);
    } else {
        const union { float f; uint32_t u; } n = { (float)v };
        bnn_put_u32le(p, n.u);
    }
}

static int write_array(bnn_zip_writer *w, const bnn_array *a, const bnn_npz_options *o, bnn_error *err)
{
    char header[HEADER_ROOM], name[256];
    const size_t n = print_header(header, a, o->wide), width = o->wide ? 8 : 4, front = HEADER_FRONT + n;
    if ((size_t)snprintf(name, sizeof name, "%s.npy", a->name) >= sizeof name)
        return bnn_fail(err, BNN_EINVAL, "array name of %zu bytes; expected fewer", strlen(a->name));
    uint8_t *bytes = bnn_alloc(front + a->size * width, 1);
    if (!bytes)
        return bnn_fail_memory(err, a->size * width);
    memcpy(bytes, magic, sizeof magic);
    bytes[6] = 1; /* version 1.0 */
    bnn_put_u16le(bytes + 8, (uint16_t)n);
    memcpy(bytes + HEADER_FRONT, header, n);
    for (size_t i = 0; i < a->size; i++)
        put_value(bytes + front + i * width, a->data[i], o->wide);
    const int rc = bnn_zip_add(w, name, bytes, front + a->size * width, o->deflated, err);
    bnn_free(bytes);
    return rc;
}

int bnn_npz_save(const bnn_npz *npz, const bnn_npz_options *options, const char *path, bnn_error *err)
{
    bnn_zip_writer w = { 0 };
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < npz->count; i++)
        rc = write_array(&w, &npz->array[i], options, err);
    if (rc == BNN_OK)
        rc = bnn_zip_finish(&w, err);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    else
        rc = bnn_file_write(path, w.data, w.size, err);
    bnn_zip_free(&w);
    return rc;
}
