/* zip.c -- reading and writing zip archives in memory. */
#include "format/zip.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 1, LONG = 0xffff };
#define LOCAL   0x04034b50u /* "PK\3\4" before each member */
#define CENTRAL 0x02014b50u /* "PK\1\2" before its entry in the directory */
#define END     0x06054b50u /* "PK\5\6" after the directory */
enum { LOCAL_SIZE = 30, CENTRAL_SIZE = 46, END_SIZE = 22 };

/* A byte of deflate gives at most 1032 (zlib's technical details). */
enum { DEFLATE_RATIO = 1032 };

/* -------------------------------------------------------------- reading -- */

/* The end record is last but for a comment of up to 65535 bytes, whose length it tells. */
static bool find_end(bnn_bytes *out, const uint8_t *data, size_t size)
{
    for (size_t comment = 0; comment <= 0xffff && comment + END_SIZE <= size; comment++) {
        bnn_bytes b = bnn_bytes_of(data, size);
        bnn_bytes_take(&b, size - comment - END_SIZE);
        if (bnn_bytes_u32le(&b) != END)
            continue;
        bnn_bytes length = b;
        bnn_bytes_take(&length, END_SIZE - 6);
        if (bnn_bytes_u16le(&length) == comment) {
            *out = b;
            return true;
        }
    }
    return false;
}

static int read_end(bnn_bytes *directory, unsigned *count, const uint8_t *data, size_t size, bnn_error *err)
{
    bnn_bytes b;
    if (!find_end(&b, data, size))
        return bnn_fail(err, BNN_EMAGIC, "no end of a zip archive; expected one (is the file whole?)");
    const unsigned disk = bnn_bytes_u16le(&b), first = bnn_bytes_u16le(&b);
    const unsigned here = bnn_bytes_u16le(&b), all = bnn_bytes_u16le(&b);
    const size_t length = bnn_bytes_u32le(&b), at = bnn_bytes_u32le(&b);
    if (disk || first || here != all)
        return bnn_fail(err, BNN_ECORRUPT, "part %u of a zip archive in several; expected one file", disk);
    if (all == LONG || at == UINT32_MAX)
        return bnn_fail(err, BNN_ECORRUPT, "a zip64 archive; expected less than 4 GiB and 65535 members");
    if (all > BNN_ZIP_MAX_MEMBERS)
        return bnn_fail(err, BNN_ECORRUPT, "%u members; expected at most %d", all, BNN_ZIP_MAX_MEMBERS);
    *directory = bnn_bytes_of(data, size);
    bnn_bytes_take(directory, at);
    if (directory->short_read || bnn_bytes_left(directory) < length)
        return bnn_fail(err, BNN_ECORRUPT, "zip directory at byte %zu of %zu; expected it inside", at, size);
    *count = all;
    return BNN_OK;
}

/* The data of a member follow its local header, whose name and extra field have lengths of their own. */
static int find_data(bnn_zip_member *m, size_t at, const uint8_t *data, size_t size, bnn_error *err)
{
    bnn_bytes b = bnn_bytes_of(data, size);
    bnn_bytes_take(&b, at);
    if (bnn_bytes_u32le(&b) != LOCAL)
        return bnn_fail_at(err, BNN_ECORRUPT, at, "%s: no member at byte %zu; expected one there", m->name, at);
    bnn_bytes_take(&b, LOCAL_SIZE - 8);
    const size_t name = bnn_bytes_u16le(&b), extra = bnn_bytes_u16le(&b);
    bnn_bytes_take(&b, name + extra);
    m->data = bnn_bytes_take(&b, m->packed);
    if (b.short_read)
        return bnn_fail_at(err, BNN_ECORRUPT, at, "%s: %zu packed bytes; the file ends before", m->name, m->packed);
    return BNN_OK;
}

static int check_member(const bnn_zip_member *m, unsigned flags, bnn_error *err)
{
    if (flags & ENCRYPTED)
        return bnn_fail(err, BNN_ECORRUPT, "%s: encrypted; expected stored or deflated", m->name);
    if (m->method != STORED && m->method != DEFLATED)
        return bnn_fail(err, BNN_ECORRUPT, "%s: packed by method %u; expected stored (0) or deflated (8)", m->name, m->method);
    if (m->size > BNN_ZIP_MAX_SIZE)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes unpacked; expected at most %d", m->name, m->size, BNN_ZIP_MAX_SIZE);
    if (m->method == STORED ? m->size != m->packed : m->size > DEFLATE_RATIO * m->packed)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes from %zu packed ones; that cannot be", m->name, m->size, m->packed);
    return BNN_OK;
}

static int read_member(bnn_zip_member *m, bnn_bytes *directory, bnn_error *err)
{
    const size_t start = directory->at;
    if (bnn_bytes_u32le(directory) != CENTRAL)
        return bnn_fail_at(err, BNN_ECORRUPT, start, "no entry of the zip directory at byte %zu; expected one", start);
    bnn_bytes_take(directory, 4); /* versions */
    const unsigned flags = bnn_bytes_u16le(directory);
    m->method = bnn_bytes_u16le(directory);
    bnn_bytes_take(directory, 4); /* time and date */
    m->crc    = bnn_bytes_u32le(directory);
    m->packed = bnn_bytes_u32le(directory);
    m->size   = bnn_bytes_u32le(directory);
    const size_t name = bnn_bytes_u16le(directory), extra = bnn_bytes_u16le(directory), comment = bnn_bytes_u16le(directory);
    bnn_bytes_take(directory, 8); /* disk, attributes */
    const size_t at = bnn_bytes_u32le(directory);
    const uint8_t *text = bnn_bytes_take(directory, name);
    bnn_bytes_take(directory, extra + comment);
    if (directory->short_read)
        return bnn_fail_at(err, BNN_ECORRUPT, start, "entry of the zip directory at byte %zu; the file ends before it does", start);
    m->name = bnn_strndup((const char *)text, name);
    if (!m->name)
        return bnn_fail_memory(err, name);
    const int rc = check_member(m, flags, err);
    return rc == BNN_OK ? find_data(m, at, directory->data, directory->size, err) : rc;
}

int bnn_zip_open(bnn_zip *out, const void *data, size_t size, bnn_error *err)
{
    bnn_bytes directory;
    unsigned count = 0;
    bnn_zip zip = { 0 };
    uint64_t total = 0;
    int rc = read_end(&directory, &count, data, size, err);
    if (rc == BNN_OK && !(zip.member = bnn_alloc(count, sizeof *zip.member)))
        rc = bnn_fail_memory(err, count * sizeof *zip.member);
    while (rc == BNN_OK && zip.count < count) {
        rc = read_member(&zip.member[zip.count], &directory, err);
        total += zip.member[zip.count++].size;
        if (rc == BNN_OK && total > BNN_ZIP_MAX_SIZE)
            rc = bnn_fail(err, BNN_ECORRUPT, "more than %d bytes unpacked in all; expected at most that", BNN_ZIP_MAX_SIZE);
    }
    if (rc == BNN_OK)
        *out = zip;
    else
        bnn_zip_close(&zip);
    return rc;
}

void bnn_zip_close(bnn_zip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        bnn_free(zip->member[i].name);
    bnn_free(zip->member);
    *zip = (bnn_zip){ 0 };
}

/* Exactly m->size bytes, or failure. */
static int inflate_member(const bnn_zip_member *m, void *out, bnn_error *err)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)m->data, .avail_in = (uInt)m->packed,
                   .next_out = out, .avail_out = (uInt)m->size };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) /* negative: without a zlib header */
        return bnn_fail_memory(err, 1 << MAX_WBITS);
    const int end = inflate(&z, Z_FINISH);
    const size_t done = z.total_out;
    inflateEnd(&z);
    if (end != Z_STREAM_END || done != m->size)
        return bnn_fail(err, BNN_ECORRUPT, "%s: damaged after %zu unpacked bytes; expected %zu", m->name, done, m->size);
    return BNN_OK;
}

int bnn_zip_unpack(const bnn_zip_member *m, void *out, bnn_error *err)
{
    int rc = BNN_OK;
    if (m->method == DEFLATED)
        rc = inflate_member(m, out, err);
    else
        memcpy(out, m->data, m->size);
    const uint32_t crc = (uint32_t)crc32(0, out, (uInt)m->size);
    if (rc == BNN_OK && crc != m->crc)
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: CRC %08x; the directory says %08x", m->name, crc, m->crc);
    return rc;
}

/* -------------------------------------------------------------- writing -- */

/* Room for n more bytes at the end of *data. */
static uint8_t *grow(uint8_t **data, size_t *size, size_t *room, size_t n)
{
    if (*room - *size < n) {
        const size_t more = 2 * (*size + n);
        uint8_t *grown = realloc(*data, more);
        if (!grown)
            return NULL;
        *data = grown;
        *room = more;
    }
    *size += n;
    return *data + *size - n;
}

/* Both headers share these fields: version, flags, method, time, date, CRC, sizes, name, extra. */
static void put_common(uint8_t *p, const bnn_zip_member *m)
{
    enum { VERSION = 20, FIRST_OF_JANUARY_1980 = 1 << 5 | 1 };
    memset(p, 0, 26);
    bnn_put_u16le(p, VERSION);
    bnn_put_u16le(p + 4, m->method);
    bnn_put_u16le(p + 8, FIRST_OF_JANUARY_1980);
    bnn_put_u32le(p + 10, m->crc);
    bnn_put_u32le(p + 14, (uint32_t)m->packed);
    bnn_put_u32le(p + 18, (uint32_t)m->size);
    bnn_put_u16le(p + 22, (uint16_t)strlen(m->name));
}

static int put_headers(bnn_zip_writer *w, const bnn_zip_member *m, bnn_error *err)
{
    const size_t name = strlen(m->name), at = w->size;
    uint8_t *local   = grow(&w->data, &w->size, &w->room, LOCAL_SIZE + name);
    uint8_t *central = grow(&w->directory, &w->directory_size, &w->directory_room, CENTRAL_SIZE + name);
    if (!local || !central)
        return bnn_fail_memory(err, LOCAL_SIZE + name);
    bnn_put_u32le(local, LOCAL);
    put_common(local + 4, m);
    memcpy(local + LOCAL_SIZE, m->name, name);
    memset(central, 0, CENTRAL_SIZE);
    bnn_put_u32le(central, CENTRAL);
    bnn_put_u16le(central + 4, 20);
    put_common(central + 6, m);
    bnn_put_u32le(central + 42, (uint32_t)at);
    memcpy(central + CENTRAL_SIZE, m->name, name);
    return BNN_OK;
}

static int deflate_to(uint8_t *out, size_t room, size_t *used, const void *data, size_t size, bnn_error *err)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size, .next_out = out, .avail_out = (uInt)room };
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return bnn_fail_memory(err, room);
    const int end = deflate(&z, Z_FINISH);
    *used = z.total_out;
    deflateEnd(&z);
    return end == Z_STREAM_END ? BNN_OK : bnn_fail_memory(err, room);
}

int bnn_zip_add(bnn_zip_writer *w, const char *name, const void *data, size_t size, bool deflated, bnn_error *err)
{
    if (size > BNN_ZIP_MAX_SIZE || w->size > UINT32_MAX / 2 || w->count == BNN_ZIP_MAX_MEMBERS || strlen(name) > 0xffff)
        return bnn_fail(err, BNN_EINVAL, "%s: %zu bytes; more than an archive of ours holds", name, size);
    const size_t room = deflated ? compressBound((uLong)size) + 64 : size;
    uint8_t *packed = bnn_alloc(room, 1);
    bnn_zip_member m = { .name = (char *)(uintptr_t)name, .packed = size, .size = size,
                         .crc = (uint32_t)crc32(0, data, (uInt)size), .method = deflated ? DEFLATED : STORED };
    int rc = packed ? BNN_OK : bnn_fail_memory(err, room);
    if (rc == BNN_OK && deflated)
        rc = deflate_to(packed, room, &m.packed, data, size, err);
    else if (rc == BNN_OK && size)
        memcpy(packed, data, size);
    if (rc == BNN_OK)
        rc = put_headers(w, &m, err);
    uint8_t *to = rc == BNN_OK ? grow(&w->data, &w->size, &w->room, m.packed) : NULL;
    if (rc == BNN_OK && !to)
        rc = bnn_fail_memory(err, m.packed);
    if (rc == BNN_OK && m.packed)
        memcpy(to, packed, m.packed);
    w->count += rc == BNN_OK;
    bnn_free(packed);
    return rc;
}

int bnn_zip_finish(bnn_zip_writer *w, bnn_error *err)
{
    const size_t at = w->size, length = w->directory_size;
    uint8_t *p = grow(&w->data, &w->size, &w->room, length + END_SIZE);
    if (!p)
        return bnn_fail_memory(err, length);
    if (length)
        memcpy(p, w->directory, length);
    p += length;
    memset(p, 0, END_SIZE);
    bnn_put_u32le(p, END);
    bnn_put_u16le(p + 8, (uint16_t)w->count);
    bnn_put_u16le(p + 10, (uint16_t)w->count);
    bnn_put_u32le(p + 12, (uint32_t)length);
    bnn_put_u32le(p + 16, (uint32_t)at);
    return BNN_OK;
}

void bnn_zip_free(bnn_zip_writer *w)
{
    free(w->data);
    free(w->directory);
    *w = (bnn_zip_writer){ 0 };
}
