/* safetensors.c -- reading and writing the container. */
#include "format/safetensors.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Sorted keys put the metadata before the tensors, and the checksum first in it. */
static const char start[] = "{\"__metadata__\":{\"checksum\":\"";
enum { DIGITS = 64, DIGITS_AT = 8 + sizeof start - 1, ALIGN = 64 };

static const struct { const char *name; size_t width; } dtypes[] = {
    [BNN_U8] = { "U8", 1 }, [BNN_I32] = { "I32", 4 }, [BNN_U64] = { "U64", 8 },
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

/* ------------------------------------------------------------- checksum -- */

bool bnn_safetensors_is(const void *data, size_t size)
{
    return size >= DIGITS_AT + DIGITS && memcmp((const uint8_t *)data + 8, start, sizeof start - 1) == 0;
}

static void checksum(char out[DIGITS + 1], const uint8_t *file, size_t size)
{
    char zeros[DIGITS];
    uint8_t digest[32];
    bnn_sha256 s;
    memset(zeros, '0', sizeof zeros);
    bnn_sha256_init(&s);
    bnn_sha256_add(&s, file, DIGITS_AT);
    bnn_sha256_add(&s, zeros, sizeof zeros);
    bnn_sha256_add(&s, file + DIGITS_AT + DIGITS, size - DIGITS_AT - DIGITS);
    bnn_sha256_end(&s, digest);
    bnn_hex(out, digest, sizeof digest);
}

int bnn_safetensors_check(const void *data, size_t size, bnn_error *err)
{
    char digits[DIGITS + 1];
    checksum(digits, data, size);
    const char *found = (const char *)data + DIGITS_AT;
    if (memcmp(found, digits, DIGITS) == 0)
        return BNN_OK;
    return bnn_fail_at(err, BNN_ECORRUPT, DIGITS_AT, "checksum %.16s..., but the file's bytes give %.16s...: damaged or changed",
                       found, digits);
}

void bnn_safetensors_seal(void *data, size_t size)
{
    char digits[DIGITS + 1];
    checksum(digits, data, size);
    memcpy((uint8_t *)data + DIGITS_AT, digits, DIGITS);
}

/* -------------------------------------------------------------- reading -- */

static int parse_dtype(bnn_tensor *t, const json_t *entry, bnn_error *err)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    for (size_t i = 0; name && i < DTYPES; i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            t->dtype = (enum bnn_dtype)i;
            return BNN_OK;
        }
    return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s': dtype '%.10s'; expected U8, I32 or U64", t->name, name ? name : "");
}

/* A whole number from 0 to SIZE_MAX / 2; false for anything else. */
static bool get_size(const json_t *value, size_t *out)
{
    const json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;
    *out = (size_t)n;
    return n >= 0 && (uint64_t)n <= SIZE_MAX / 2;
}

static int parse_shape(bnn_tensor *t, const json_t *entry, bnn_error *err)
{
    const json_t *shape = json_object_get(entry, "shape");
    t->rank = (unsigned)json_array_size(shape);
    t->size = dtypes[t->dtype].width;
    if (!json_is_array(shape) || json_array_size(shape) > BNN_ST_MAX_RANK)
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s': no shape of at most %d sides", t->name, BNN_ST_MAX_RANK);
    for (unsigned i = 0; i < t->rank; i++)
        if (!get_size(json_array_get(shape, i), &t->shape[i]) || !bnn_mul(t->size, t->shape[i], &t->size))
            return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s': shape out of range", t->name);
    return BNN_OK;
}

static int parse_offsets(bnn_tensor *t, const json_t *entry, const uint8_t *data, size_t size, bnn_error *err)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    size_t begin, end;
    if (json_array_size(offsets) != 2 || !get_size(json_array_get(offsets, 0), &begin)
        || !get_size(json_array_get(offsets, 1), &end) || begin > end)
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s': data_offsets are not [begin, end]", t->name);
    if (end - begin != t->size)
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s': %zu bytes between its offsets; its shape has %zu", t->name,
                        end - begin, t->size);
    if (end > size)
        return bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s' ends at byte %zu of the data, which has %zu: cut short", t->name,
                        end, size);
    t->data = data + begin;
    return BNN_OK;
}

static int by_place(const void *a, const void *b)
{
    const bnn_tensor *x = *(const bnn_tensor *const *)a, *y = *(const bnn_tensor *const *)b;
    if (x->data != y->data)
        return (const uint8_t *)x->data < (const uint8_t *)y->data ? -1 : 1;
    return x->size < y->size ? -1 : x->size > y->size; /* empty tensors lie before others at the same place */
}

/* In order of place, each tensor must begin where the one before it ends. */
static int check_contiguous(const bnn_safetensors *st, const uint8_t *data, size_t size, bnn_error *err)
{
    const bnn_tensor **sorted = bnn_alloc(st->tensors, sizeof *sorted);
    if (!sorted)
        return bnn_fail_memory(err, st->tensors * sizeof *sorted);
    for (size_t i = 0; i < st->tensors; i++)
        sorted[i] = &st->tensor[i];
    qsort(sorted, st->tensors, sizeof *sorted, by_place);
    const uint8_t *at = data;
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < st->tensors; at += sorted[i++]->size)
        if (sorted[i]->data != at)
            rc = bnn_fail(err, BNN_ECORRUPT, "tensor '%.40s' begins at byte %td of the data, the one before it ends at %td",
                          sorted[i]->name, (const uint8_t *)sorted[i]->data - data, at - data);
    bnn_free(sorted);
    if (rc == BNN_OK && at != data + size)
        rc = bnn_fail(err, BNN_ECORRUPT, "%td bytes after the last tensor; expected none", data + size - at);
    return rc;
}

static int parse_tensor(bnn_tensor *t, const char *name, const json_t *entry, const uint8_t *data, size_t size, bnn_error *err)
{
    t->name = name;
    int rc = parse_dtype(t, entry, err);
    if (rc == BNN_OK)
        rc = parse_shape(t, entry, err);
    return rc == BNN_OK ? parse_offsets(t, entry, data, size, err) : rc;
}

static int parse_tensors(bnn_safetensors *st, const uint8_t *data, size_t size, bnn_error *err)
{
    const size_t room = json_object_size(st->header);
    st->tensor = bnn_alloc(room, sizeof *st->tensor);
    if (!st->tensor)
        return bnn_fail_memory(err, room * sizeof *st->tensor);
    const char *name;
    json_t *entry;
    json_object_foreach(st->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        const int rc = parse_tensor(&st->tensor[st->tensors++], name, entry, data, size, err);
        if (rc != BNN_OK)
            return rc;
    }
    return check_contiguous(st, data, size, err);
}

static int check_metadata(const json_t *metadata, bnn_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
        if (!json_is_string(value))
            return bnn_fail(err, BNN_ECORRUPT, "metadata '%.40s' is not a string", key);
    return BNN_OK;
}

int bnn_safetensors_read(bnn_safetensors *out, const void *data, size_t size, bnn_error *err)
{
    bnn_bytes b = bnn_bytes_of(data, size);
    const uint64_t length = bnn_bytes_u64le(&b);
    if (!bnn_safetensors_is(data, size))
        return bnn_fail(err, BNN_EMAGIC, "not a network file: expected safetensors that start with '%s' at byte 8", start);
    if (length > BNN_ST_MAX_HEADER || length % ALIGN != ALIGN - 8)
        return bnn_fail(err, BNN_ECORRUPT, "header of %" PRIu64 " bytes; expected at most %d, and 8 less than a multiple of %d",
                        length, BNN_ST_MAX_HEADER, ALIGN);
    const char *text = (const char *)bnn_bytes_take(&b, length);
    if (!text)
        return bnn_fail(err, BNN_ECORRUPT, "%zu bytes, the header alone has %" PRIu64 ": cut short", size, length + 8);

    json_error_t json;
    bnn_safetensors st = { .header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &json) };
    if (!st.header)
        return bnn_fail_at(err, BNN_ECORRUPT, 8 + (uint64_t)json.position, "header: %.100s (byte %d)", json.text, 8 + json.position);
    int rc = check_metadata(json_object_get(st.header, "__metadata__"), err);
    if (rc == BNN_OK)
        rc = parse_tensors(&st, b.data + b.at, bnn_bytes_left(&b), err);
    if (rc == BNN_OK)
        *out = st;
    else
        bnn_safetensors_free(&st);
    return rc;
}

void bnn_safetensors_free(bnn_safetensors *st)
{
    json_decref(st->header);
    bnn_free(st->tensor);
    *st = (bnn_safetensors){ 0 };
}

const char *bnn_safetensors_text(const bnn_safetensors *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->header, "__metadata__"), key));
}

const bnn_tensor *bnn_safetensors_find(const bnn_safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->tensors; i++)
        if (strcmp(st->tensor[i].name, name) == 0)
            return &st->tensor[i];
    return NULL;
}

void bnn_tensor_copy(void *to, const bnn_tensor *from)
{
    const uint8_t *p = from->data;
    const size_t n = from->size / dtypes[from->dtype].width;
    if (from->dtype == BNN_U8 && n > 0)
        memcpy(to, p, n);
    for (size_t i = 0; from->dtype == BNN_I32 && i < n; i++)
        ((int32_t *)to)[i] = (int32_t)bnn_get_u32le(p + 4 * i);
    for (size_t i = 0; from->dtype == BNN_U64 && i < n; i++)
        ((uint64_t *)to)[i] = bnn_get_u64le(p + 8 * i);
}

/* -------------------------------------------------------------- writing -- */

static void put_tensor(uint8_t *to, const bnn_tensor *t)
{
    const size_t n = t->size / dtypes[t->dtype].width;
    if (t->dtype == BNN_U8 && n > 0)
        memcpy(to, t->data, n);
    for (size_t i = 0; t->dtype == BNN_I32 && i < n; i++)
        bnn_put_u32le(to + 4 * i, (uint32_t)((const int32_t *)t->data)[i]);
    for (size_t i = 0; t->dtype == BNN_U64 && i < n; i++)
        bnn_put_u64le(to + 8 * i, ((const uint64_t *)t->data)[i]);
}

static json_t *describe(const bnn_tensor *t, size_t offset)
{
    json_t *shape = json_array();
    for (unsigned i = 0; i < t->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[t->dtype].name, "shape", shape, "data_offsets",
                     (json_int_t)offset, (json_int_t)(offset + t->size));
}

/* The header's text with room for the checksum; NULL when memory runs out. */
static char *print_header(json_t *metadata, const bnn_tensor *tensor, size_t n, size_t *data_size)
{
    char zeros[DIGITS + 1] = { 0 };
    memset(zeros, '0', DIGITS);
    json_t *header = json_object();
    bool good = json_object_set_new(metadata, "checksum", json_string(zeros)) == 0
             && json_object_set(header, "__metadata__", metadata) == 0;
    *data_size = 0;
    for (size_t i = 0; good && i < n; *data_size += tensor[i++].size)
        good = json_object_set_new(header, tensor[i].name, describe(&tensor[i], *data_size)) == 0;
    char *text = good ? json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    json_decref(header);
    return text;
}

static uint8_t *lay_out(const char *header, const bnn_tensor *tensor, size_t n, size_t data_size, size_t *size)
{
    const size_t text = strlen(header), data_at = (8 + text + ALIGN - 1) / ALIGN * ALIGN;
    uint8_t *file = bnn_alloc(data_at + data_size, 1);
    if (!file)
        return NULL;
    bnn_put_u64le(file, data_at - 8);
    memcpy(file + 8, header, text);
    memset(file + 8 + text, ' ', data_at - 8 - text);
    uint8_t *at = file + data_at;
    for (size_t i = 0; i < n; at += tensor[i++].size)
        put_tensor(at, &tensor[i]);
    *size = data_at + data_size;
    return file;
}

int bnn_safetensors_write(uint8_t **out, size_t *size, json_t *metadata, const bnn_tensor *tensor, size_t n, bnn_error *err)
{
    size_t data_size = 0;
    char *header = metadata ? print_header(metadata, tensor, n, &data_size) : NULL;
    json_decref(metadata);
    if (!header)
        return bnn_fail_memory(err, 1 << 16);
    int rc = BNN_OK;
    uint8_t *file = NULL;
    if (strlen(header) > BNN_ST_MAX_HEADER - ALIGN)
        rc = bnn_fail(err, BNN_EINVAL, "names and texts of %zu bytes; a network file holds %d", strlen(header), BNN_ST_MAX_HEADER - ALIGN);
    else if (!(file = lay_out(header, tensor, n, data_size, size)))
        rc = bnn_fail_memory(err, data_size);
    free(header);
    if (rc == BNN_OK) {
        bnn_safetensors_seal(file, *size);
        *out = file;
    }
    return rc;
}
