/* stream.c -- random access to plain and gzip files. */
#include "data/stream.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <zlib.h>

enum { MAX_MARKS = 64, DEFLATE_RATIO = 1032 };

/* A state of inflate to go on from: 40 KB. */
struct mark { z_stream z; uint64_t at; };

struct bnn_stream {
    bnn_file        file;
    char           *path;
    bool            gzip;
    pthread_mutex_t lock;    /* over all below */
    z_stream        z;
    bool            running; /* z is to be ended */
    uint64_t        at;      /* bytes inflated so far */
    uint64_t        spacing; /* of marks */
    struct mark     mark[MAX_MARKS];
    unsigned        marks;
};

static int fail_gzip(const bnn_stream *s, const char *what, bnn_error *err)
{
    return bnn_fail_at(err, BNN_ECORRUPT, (uint64_t)(s->z.next_in - s->file.data), "%s: damaged gzip: %s at byte %zu", s->path,
                       what, (size_t)(s->z.next_in - s->file.data));
}

static void stop(bnn_stream *s)
{
    if (s->running)
        inflateEnd(&s->z);
    s->running = false;
}

/* Puts inflate at the last mark at or before `at`, or at the start of the file. */
static int start(bnn_stream *s, uint64_t at, bnn_error *err)
{
    unsigned i = s->marks;
    while (i > 0 && s->mark[i - 1].at > at)
        i--;
    stop(s);
    s->z = (z_stream){ .next_in = (z_const Bytef *)s->file.data };
    s->at = i > 0 ? s->mark[i - 1].at : 0;
    if ((i > 0 ? inflateCopy(&s->z, &s->mark[i - 1].z) : inflateInit2(&s->z, 15 + 16)) != Z_OK)
        return bnn_fail_memory(err, sizeof *s);
    s->running = true;
    return BNN_OK;
}

/* A mark that memory does not suffice for is only one mark less. */
static void set_mark(bnn_stream *s)
{
    const uint64_t last = s->marks ? s->mark[s->marks - 1].at : 0;
    if (s->marks < MAX_MARKS && s->at >= last + s->spacing && inflateCopy(&s->mark[s->marks].z, &s->z) == Z_OK)
        s->mark[s->marks++].at = s->at;
}

/* Goes on to a further gzip member, as gunzip does; false at the end of the file. */
static bool next_member(bnn_stream *s)
{
    const uint8_t *end = s->file.data + s->file.size;
    return end - s->z.next_in > 2 && s->z.next_in[0] == 0x1f && s->z.next_in[1] == 0x8b && inflateReset(&s->z) == Z_OK;
}

/* Inflates up to n bytes to out; *got is less only at the end. */
static int inflate_some(bnn_stream *s, uint8_t *out, size_t n, size_t *got, bnn_error *err)
{
    const uint8_t *end = s->file.data + s->file.size;
    for (*got = 0; *got < n;) {
        const size_t in = (size_t)(end - s->z.next_in), room = n - *got;
        s->z.avail_in  = in < 1u << 30 ? (uInt)in : 1u << 30;
        s->z.next_out  = out + *got;
        s->z.avail_out = room < 1u << 20 ? (uInt)room : 1u << 20;
        const uInt asked = s->z.avail_out;
        const int rc = inflate(&s->z, Z_NO_FLUSH);
        *got  += asked - s->z.avail_out;
        s->at += asked - s->z.avail_out;
        if (rc == Z_STREAM_END && !next_member(s))
            return BNN_OK;
        if (rc == Z_BUF_ERROR)
            return fail_gzip(s, "the file ends early", err);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return rc == Z_MEM_ERROR ? bnn_fail_memory(err, 1 << 15) : fail_gzip(s, s->z.msg ? s->z.msg : "no gzip data", err);
        set_mark(s);
    }
    return BNN_OK;
}

/* Goes to byte `at`, or to the end if that comes first. */
static int seek(bnn_stream *s, uint64_t at, bnn_error *err)
{
    int rc = !s->running || at < s->at ? start(s, at, err) : BNN_OK;
    uint8_t nowhere[16384];
    while (rc == BNN_OK && s->at < at) {
        const uint64_t left = at - s->at;
        const size_t n = left < sizeof nowhere ? (size_t)left : sizeof nowhere;
        size_t got;
        rc = inflate_some(s, nowhere, n, &got, err);
        if (got < n)
            break;
    }
    return rc;
}

static int fail_end(const bnn_stream *s, uint64_t size, uint64_t expected, bnn_error *err)
{
    return bnn_fail_at(err, BNN_ECORRUPT, size, "%s: ends after %llu bytes; expected %llu", s->path, (unsigned long long)size,
                       (unsigned long long)expected);
}

static int read_gzip(bnn_stream *s, uint64_t at, size_t n, uint8_t *out, bnn_error *err)
{
    size_t got = 0;
    int rc = seek(s, at, err);
    if (rc == BNN_OK && s->at == at)
        rc = inflate_some(s, out, n, &got, err);
    if (rc == BNN_OK && got < n)
        rc = fail_end(s, s->at, at + n, err);
    if (rc != BNN_OK)
        stop(s); /* the next read starts afresh */
    return rc;
}

int bnn_stream_read(bnn_stream *s, uint64_t at, size_t n, uint8_t *out, bnn_error *err)
{
    if (!s->gzip) {
        if (at > s->file.size || n > s->file.size - at)
            return fail_end(s, s->file.size, at + n, err);
        memcpy(out, s->file.data + at, n);
        return BNN_OK;
    }
    pthread_mutex_lock(&s->lock);
    const int rc = read_gzip(s, at, n, out, err);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* The size, or limit + 1 if it is larger than that. */
static int find_size(bnn_stream *s, uint64_t limit, uint64_t *size, bnn_error *err)
{
    *size = s->file.size;
    if (!s->gzip)
        return BNN_OK;
    pthread_mutex_lock(&s->lock);
    const int rc = seek(s, limit + 1, err);
    *size = s->at;
    stop(s);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

/* What a gzip file's last four bytes say of its size, modulo 2^32, for the usual file of one member. */
static bool trailer_says(const bnn_stream *s, uint64_t size)
{
    return s->file.size >= 18 && bnn_get_u32le(s->file.data + s->file.size - 4) == (uint32_t)size
           && size / DEFLATE_RATIO <= s->file.size;
}

int bnn_stream_expect(bnn_stream *s, uint64_t size, const char *what, bnn_error *err)
{
    uint64_t found = size;
    s->spacing = size / MAX_MARKS > 1 << 20 ? size / MAX_MARKS : 1 << 20;
    const int rc = s->gzip && trailer_says(s, size) ? BNN_OK : find_size(s, size, &found, err);
    if (rc != BNN_OK || found == size)
        return rc;
    return bnn_fail_at(err, BNN_ECORRUPT, found < size ? found : size, "%s: %s%llu bytes; expected %llu (%s)", s->path,
                       s->gzip && found > size ? "at least " : "", (unsigned long long)found, (unsigned long long)size, what);
}

int bnn_stream_open(bnn_stream **out, const char *path, bnn_error *err)
{
    bnn_stream *s = bnn_alloc(1, sizeof *s);
    if (!s)
        return bnn_fail_memory(err, sizeof *s);
    s->path = bnn_strdup(path);
    int rc = s->path ? bnn_file_open(&s->file, path, err) : bnn_fail_memory(err, strlen(path));
    if (rc != BNN_OK) {
        bnn_free(s->path);
        bnn_free(s);
        return rc;
    }
    s->gzip    = s->file.size >= 2 && s->file.data[0] == 0x1f && s->file.data[1] == 0x8b;
    s->spacing = 1 << 20;
    pthread_mutex_init(&s->lock, NULL);
    *out = s;
    return BNN_OK;
}

void bnn_stream_close(bnn_stream *s)
{
    if (!s)
        return;
    stop(s);
    for (unsigned i = 0; i < s->marks; i++)
        inflateEnd(&s->mark[i].z);
    pthread_mutex_destroy(&s->lock);
    bnn_file_close(&s->file);
    bnn_free(s->path);
    bnn_free(s);
}
