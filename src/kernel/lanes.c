/* lanes.c -- packs weights and thresholds a neuron a lane. */
#include "kernel/lanes.h"

#include <stdbool.h>

size_t bnn_lanes_size(const bnn_mvtu *m, uint32_t lanes)
{
    const size_t rows = (size_t)(m->MH + lanes - 1) / lanes * lanes, steps = bnn_lanes_steps(m);
    const uint32_t planes = m->in_planes == 0 ? 1 : m->weight_planes;
    return (m->in_planes ? bnn_lanes_align(steps * 4) : 0) + bnn_lanes_align(rows * 8)
           + (bnn_lanes_are_narrow(m) ? bnn_lanes_align(rows * 4) : 0) + bnn_lanes_align(rows * 4) + rows * steps * planes * 4;
}

static bool bit_at(const uint64_t *words, size_t i)
{
    return words[i / 64] >> (i % 64) & 1;
}

/* One row of natural weights: plane 0, and plane 1 or NULL. */
struct row { const uint64_t *sign, *nonzero; };

static struct row row_at(const bnn_mvtu *m, const uint64_t *natural, uint32_t r)
{
    const size_t words = (m->MW + 63u) / 64u;
    const uint64_t *sign = natural + (size_t)r * m->weight_planes * words;
    return (struct row){ sign, m->weight_planes == 2 ? sign + words : NULL };
}

static int value_at(struct row w, size_t s)
{
    return w.nonzero && !bit_at(w.nonzero, s) ? 0 : bit_at(w.sign, s) ? 1 : -1;
}

/* ---------------------------------------------------------------- parts -- */

static void put_steps(uint32_t *step, const bnn_mvtu *m)
{
    const uint32_t used = (m->in_channels + 31) / 32, pixel = (uint32_t)(bnn_mvtu_in_pixel(m) / 4);
    for (uint32_t y = 0; y < m->kh; y++)
        for (uint32_t x = 0; x < m->kw; x++)
            for (uint32_t i = 0; i < used; i++)
                *step++ = (y * m->in_width + x) * pixel + i;
}

/* 32 synapses of one plane of a row: those of channels 32 i.. of one pixel of the window. */
static uint32_t dword_at(const bnn_mvtu *m, const uint64_t *plane, uint32_t k)
{
    const uint32_t used = (m->in_channels + 31) / 32, first = k % used * 32;
    const uint32_t n = m->in_channels - first < 32 ? m->in_channels - first : 32;
    const size_t s = (size_t)(k / used) * m->in_channels + first;
    uint64_t v = plane[s / 64] >> (s % 64);
    if (s % 64 + n > 64)
        v |= plane[s / 64 + 1] << (64 - s % 64);
    return (uint32_t)(v & (((uint64_t)1 << n) - 1));
}

static void put_bits(uint32_t *w, const bnn_lanes *l, const bnn_mvtu *m, const uint64_t *natural)
{
    const uint32_t planes = m->weight_planes;
    for (uint32_t r = 0; r < m->MH; r++) {
        const struct row row = row_at(m, natural, r);
        uint32_t *at = w + (size_t)(r / l->lanes) * l->steps * planes * l->lanes + r % l->lanes;
        for (uint32_t k = 0; k < l->steps; k++, at += planes * l->lanes) {
            at[0] = dword_at(m, row.sign, k);
            if (planes == 2)
                at[l->lanes] = dword_at(m, row.nonzero, k);
        }
    }
}

/* Negated, so that a larger sum is a smaller v; in the order of bnn_lanes_unroll. */
static void put_bytes(int8_t *w, const bnn_lanes *l, const bnn_mvtu *m, const uint64_t *natural)
{
    for (uint32_t r = 0; r < m->MH; r++) {
        const struct row row = row_at(m, natural, r);
        int8_t *at = w + ((size_t)(r / l->lanes) * l->steps * l->lanes + r % l->lanes) * 4;
        for (uint32_t s = 0; s < m->MW; s++) {
            const uint32_t pixel = s / m->in_channels, ky = pixel / m->kw, kx = pixel % m->kw;
            const uint32_t to = (kx * m->kh + ky) * m->in_channels + s % m->in_channels;
            at[(size_t)(to / 4) * l->lanes * 4 + to % 4] = (int8_t)-value_at(row, s);
        }
    }
}

static int32_t base_of(const bnn_mvtu *m, struct row w)
{
    int32_t sum = 0, count = 0;
    for (uint32_t s = 0; s < m->MW; s++) {
        const int v = value_at(w, s);
        sum += v;
        count += v != 0;
    }
    return m->in_planes == 0 ? -128 * sum : m->in_planes == 1 ? count : 0;
}

/* sum = base - factor v >= t, solved for v; >> rounds down, also below zero. */
static int32_t bound_of(const bnn_lanes *l, int32_t base, int32_t t)
{
    return (base - t) >> (l->factor == 2);
}

/* Lanes past the last neuron give bits 0: they never reach the first bound, and always the second. */
static void put_bounds(int32_t *bound, int32_t *base, const bnn_lanes *l, const bnn_mvtu *m, const uint64_t *natural)
{
    const size_t rows = (size_t)l->groups * l->lanes;
    for (size_t r = 0; r < rows; r++) {
        bound[r] = INT32_MIN;
        bound[rows + r] = INT32_MAX;
    }
    for (uint32_t r = 0; r < m->MH; r++) {
        const int32_t *t = m->threshold + (size_t)r * m->thresholds;
        base[r] = base_of(m, row_at(m, natural, r));
        if (m->thresholds)
            bound[r] = bound_of(l, base[r], m->thresholds == 2 && t[1] > t[0] ? t[1] : t[0]);
        if (m->thresholds == 2)
            bound[rows + r] = bound_of(l, base[r], t[1] > t[0] ? t[0] : t[1]);
    }
}

/* A bound beyond 16 bits is beyond every v too, on the same side. */
static void put_narrow(int16_t *narrow, const bnn_lanes *l)
{
    for (size_t i = 0; i < 2 * (size_t)l->groups * l->lanes; i++)
        narrow[i] = (int16_t)(l->bound[i] < INT16_MIN ? INT16_MIN : l->bound[i] > INT16_MAX ? INT16_MAX : l->bound[i]);
}

void bnn_lanes_pack(void *out, const bnn_mvtu *m, const uint64_t *natural, uint32_t lanes)
{
    bnn_mvtu at = *m;
    at.weights = out;
    const bnn_lanes l = bnn_lanes_of(&at, lanes);
    memset(out, 0, bnn_lanes_size(m, lanes));
    if (m->in_planes)
        put_steps(out, m);
    put_bounds((int32_t *)l.bound, (int32_t *)l.base, &l, m, natural);
    if (l.narrow)
        put_narrow((int16_t *)l.narrow, &l);
    if (m->in_planes)
        put_bits((uint32_t *)l.weights, &l, m, natural);
    else
        put_bytes((int8_t *)(uint32_t *)l.weights, &l, m, natural);
}

/* ---------------------------------------------------------------- bytes -- */

static size_t unrolled_size(const bnn_mvtu *m)
{
    return (size_t)m->out_height * m->in_width * m->kh * m->in_channels;
}

size_t bnn_lanes_scratch(const bnn_mvtu *m)
{
    if (m->in_planes)
        return 0;
    return bnn_lanes_align(bnn_mvtu_in_size(m) + 4) + bnn_lanes_images(m) * unrolled_size(m) + BNN_LANES_ALIGN;
}

static void make_unsigned(uint8_t *out, const uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] ^ 0x80;
}

/* Copies `size` bytes a pixel, of which the first `channels` count: the next pixel overwrites the rest. */
static inline void unroll_by(uint8_t *out, const bnn_mvtu *m, const uint8_t *map, uint32_t kh, uint32_t channels, size_t size)
{
    const uint32_t width = m->in_width, height = m->out_height;
    const size_t row = (size_t)width * channels;
    for (uint32_t y = 0; y < height; y++, map += row)
        for (uint32_t x = 0; x < width; x++) {
            const uint8_t *pixel = map + (size_t)x * channels;
            for (uint32_t ky = 0; ky < kh; ky++, pixel += row, out += channels)
                memcpy(out, pixel, size);
        }
}

static void unroll(uint8_t *out, const bnn_mvtu *m, const uint8_t *map)
{
    if (m->in_channels == 3 && m->kh == 3) /* colours, the usual window: all that compilers want to know */
        unroll_by(out, m, map, 3, 3, 4);
    else if (m->in_channels <= 4)
        unroll_by(out, m, map, m->kh, m->in_channels, 4);
    else
        unroll_by(out, m, map, m->kh, m->in_channels, m->in_channels);
}

bnn_columns bnn_lanes_unroll(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t size = bnn_mvtu_in_size(m);
    uint8_t *map = scratch, *out = map + bnn_lanes_align(size + 4);
    for (size_t i = 0; i < images; i++) {
        make_unsigned(map, (const uint8_t *)x + i * size, size);
        unroll(out + i * unrolled_size(m), m, map);
    }
    bnn_columns c = bnn_columns_of(m, out, y);
    c.in_pixel = (size_t)m->kh * m->in_channels;
    c.in_row   = m->in_width * c.in_pixel;
    c.in_size  = unrolled_size(m);
    return c;
}
