/* pnm.c -- PBM, PGM and PPM, plain and binary (P1 to P6).
 *
 * PBM gives mode 1 (its 1 is black), PGM L, PPM RGB. A maximum other than 255
 * is scaled to 255, rounding halves to even, as Pillow does; also for 16 bits.
 */
#include "data/data.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

struct pnm {
    const bnn_decode_job *job;
    bnn_error            *err;
    bnn_bytes             in;
    char                  kind;   /* '1' to '6' */
    uint32_t              maximum;
    uint8_t               scaled[256]; /* of each value, for maxima up to 255 */
};

static bool is_pnm(const uint8_t *head, size_t size)
{
    return size >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' && (isspace(head[2]) || head[2] == '#');
}

static bool is_plain(const struct pnm *p) { return p->kind <= '3'; }

/* The next byte that is neither blank nor in a comment (to the end of its line); -1 at the end. */
static int next_sign(bnn_bytes *in)
{
    bool comment = false;
    while (bnn_bytes_left(in)) {
        const int c = bnn_bytes_u8(in);
        if (c == '#')
            comment = true;
        else if (c == '\n' || c == '\r')
            comment = false;
        else if (!comment && !isspace(c))
            return c;
    }
    return -1;
}

/* A decimal number and the one blank after it; false where there is none. */
static bool next_number(bnn_bytes *in, uint32_t *out)
{
    int c = next_sign(in);
    uint32_t v = 0, digits = 0;
    for (; c >= '0' && c <= '9'; c = bnn_bytes_left(in) ? bnn_bytes_u8(in) : -1) {
        if (++digits > 9)
            return false;
        v = 10 * v + (uint32_t)(c - '0');
    }
    if (c == '#')
        in->at--; /* a comment may follow at once */
    *out = v;
    return digits > 0 && (c == -1 || c == '#' || isspace(c));
}

static uint8_t scale(uint32_t v, uint32_t maximum)
{
    return v >= maximum ? 255 : (uint8_t)nearbyint((double)v / maximum * 255);
}

static int read_header(struct pnm *p, bnn_picture *out)
{
    uint32_t n[3] = { 0, 0, 1 };
    p->kind = (char)p->in.data[1];
    p->in.at = 2;
    const bool bits = p->kind == '1' || p->kind == '4';
    for (int i = 0; i < (bits ? 2 : 3); i++)
        if (!next_number(&p->in, &n[i]))
            return bnn_fail_at(p->err, BNN_ECORRUPT, p->in.at, "%s: damaged PNM: no number %d in its header; expected width, height%s",
                               p->job->path, i + 1, bits ? "" : " and maximum");
    if (n[2] < 1 || n[2] > 65535)
        return bnn_fail(p->err, BNN_ECORRUPT, "%s: damaged PNM: maximum %u; expected 1 to 65535", p->job->path, n[2]);
    p->maximum  = n[2];
    out->width  = n[0];
    out->height = n[1];
    out->mode   = bits ? BNN_MODE_1 : p->kind == '2' || p->kind == '5' ? BNN_MODE_L : BNN_MODE_RGB;
    for (uint32_t v = 0; v < 256; v++)
        p->scaled[v] = scale(v, p->maximum);
    return bnn_picture_check_size(p->job, "PNM", out->height, out->width, p->err);
}

/* Bytes that the pixels take in the file, at least. */
static uint64_t bytes_needed(const struct pnm *p, const bnn_picture *out, uint64_t samples)
{
    switch (p->kind) {
    case '1': return samples;
    case '2': case '3': return 2 * samples - 1;
    case '4': return (uint64_t)out->height * ((out->width + 7u) / 8u);
    default:  return samples * (p->maximum > 255 ? 2 : 1);
    }
}

static int fail_value(const struct pnm *p, size_t i)
{
    return bnn_fail_at(p->err, BNN_ECORRUPT, p->in.at, "%s: damaged PNM: value %zu at byte %zu; expected %s%u", p->job->path, i,
                       p->in.at, p->kind == '1' ? "0 or " : "a number from 0 to ", p->maximum);
}

static int read_plain(struct pnm *p, uint8_t *out, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        uint32_t v;
        if (p->kind == '1') {
            const int c = next_sign(&p->in);
            if (c != '0' && c != '1')
                return fail_value(p, i);
            out[i] = c == '0' ? 255 : 0;
        } else {
            if (!next_number(&p->in, &v) || v > p->maximum)
                return fail_value(p, i);
            out[i] = scale(v, p->maximum);
        }
    }
    return BNN_OK;
}

static void read_bits(const uint8_t *in, const bnn_picture *out)
{
    const size_t row = (out->width + 7u) / 8u;
    for (size_t y = 0; y < out->height; y++)
        for (size_t x = 0; x < out->width; x++)
            out->pixels[y * out->width + x] = in[y * row + x / 8] >> (7 - x % 8) & 1 ? 0 : 255;
}

static void read_binary(const struct pnm *p, const uint8_t *in, uint8_t *out, size_t samples)
{
    if (p->maximum == 255)
        memcpy(out, in, samples);
    else if (p->maximum < 256)
        for (size_t i = 0; i < samples; i++)
            out[i] = p->scaled[in[i]];
    else
        for (size_t i = 0; i < samples; i++)
            out[i] = scale((uint32_t)in[2 * i] << 8 | in[2 * i + 1], p->maximum);
}

static int decode(bnn_picture *out, const bnn_decode_job *job, bnn_error *err)
{
    struct pnm p = { .job = job, .err = err, .in = bnn_bytes_of(job->data, job->size) };
    const int rc = read_header(&p, out);
    if (rc != BNN_OK)
        return rc;
    const size_t samples = (size_t)out->height * out->width * bnn_mode_channels(out->mode);
    const uint64_t needed = bytes_needed(&p, out, samples);
    if (needed > bnn_bytes_left(&p.in))
        return bnn_fail_at(err, BNN_ECORRUPT, job->size, "%s: damaged PNM: %zu bytes of pixels; expected %llu for %ux%u", job->path,
                           bnn_bytes_left(&p.in), (unsigned long long)needed, out->width, out->height);
    if (job->header_only)
        return BNN_OK;
    out->pixels = bnn_alloc(samples, 1);
    if (!out->pixels)
        return bnn_fail_memory(err, samples);
    if (is_plain(&p))
        return read_plain(&p, out->pixels, samples);
    const uint8_t *in = bnn_bytes_take(&p.in, (size_t)needed);
    if (p.kind == '4')
        read_bits(in, out);
    else
        read_binary(&p, in, out->pixels, samples);
    return BNN_OK;
}

const bnn_decoder bnn_decoder_pnm = { "PNM", is_pnm, decode };
