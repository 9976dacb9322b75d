/* scalar.c -- the reference kernels: portable C, written to be read.
 *
 * These define the meaning of every kernel; all other levels, the simulated
 * overlays and the boards must agree with them bit for bit. They use 64-bit
 * words and population counts, and are not tuned beyond that.
 *
 * With M the positions where both operands are nonzero,
 *
 *     x . w = |M| - 2 |M and (x differs from w)|
 *
 * since each position of M gives +1 where the signs agree and -1 where they
 * differ. Binary operands are nonzero everywhere but in the padding, where
 * they never differ: there |M| is MW.
 */
#include "kernel/kernel.h"

#include <stdbool.h>
#include <string.h>

/* Counts in 2, 4, then 8 bits at once, and sums the bytes by a product
 * (Warren, Hacker's Delight, 5-1). */
static int popcount64(uint64_t v)
{
    v = v - (v >> 1 & 0x5555555555555555u);
    v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
    v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)((v * 0x0101010101010101u) >> 56);
}

/* -------------------------------------------------------------- weights -- */

/* Packed like the window they meet: [row][ky][kx][plane][word] for bits,
 * [row][synapse] bytes for 8-bit input. */
static size_t weight_size(const bnn_mvtu *m)
{
    if (m->in_planes == 0)
        return (size_t)m->MH * m->MW;
    return (size_t)m->MH * m->kh * m->kw * m->weight_planes * bnn_plane_words(m->in_channels) * 8;
}

static bool bit_at(const uint64_t *words, size_t i)
{
    return words[i / 64] >> (i % 64) & 1;
}

static void pack_bytes(int8_t *out, const bnn_mvtu *m, const uint64_t *natural)
{
    const size_t words = (m->MW + 63u) / 64u;
    for (uint32_t r = 0; r < m->MH; r++, natural += m->weight_planes * words)
        for (uint32_t s = 0; s < m->MW; s++) {
            const bool zero = m->weight_planes == 2 && !bit_at(natural + words, s);
            *out++ = zero ? 0 : bit_at(natural, s) ? 1 : -1;
        }
}

static void pack_bits(uint64_t *out, const bnn_mvtu *m, const uint64_t *natural)
{
    const size_t words = (m->MW + 63u) / 64u, group = bnn_plane_words(m->in_channels);
    const uint32_t pixels = m->kh * m->kw, C = m->in_channels;
    memset(out, 0, weight_size(m));
    for (uint32_t r = 0; r < m->MH; r++, natural += m->weight_planes * words)
        for (uint32_t p = 0; p < pixels; p++)
            for (uint32_t plane = 0; plane < m->weight_planes; plane++, out += group)
                for (uint32_t c = 0; c < C; c++)
                    out[c / 64] |= (uint64_t)bit_at(natural + plane * words, (size_t)p * C + c) << (c % 64);
}

static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    if (m->in_planes == 0)
        pack_bytes(out, m, natural);
    else
        pack_bits(out, m, natural);
}

/* ----------------------------------------------------------------- sums -- */

/* Differing positions, and for ternary operands the nonzero ones, of one run
 * of `pixels` pixels. */
struct counts { int32_t both, differ; };

static void count_run(struct counts *n, const bnn_mvtu *m, const uint64_t *x, const uint64_t *w)
{
    const size_t words = bnn_plane_words(m->in_channels);
    for (uint32_t p = 0; p < m->kw; p++, x += m->in_planes * words, w += m->weight_planes * words)
        for (size_t i = 0; i < words; i++) {
            uint64_t both = ~(uint64_t)0;
            if (m->in_planes == 2)
                both &= x[words + i];
            if (m->weight_planes == 2)
                both &= w[words + i];
            n->differ += popcount64((x[i] ^ w[i]) & both);
            n->both += popcount64(both);
        }
}

static int32_t dot_bits(const bnn_mvtu *m, const uint64_t *x, const uint64_t *w)
{
    const size_t words = bnn_plane_words(m->in_channels);
    struct counts n = { 0, 0 };
    for (uint32_t ky = 0; ky < m->kh; ky++) {
        count_run(&n, m, x, w);
        x += (size_t)m->in_width * m->in_planes * words;
        w += (size_t)m->kw * m->weight_planes * words;
    }
    const bool binary = m->in_planes == 1 && m->weight_planes == 1;
    return (binary ? (int32_t)m->MW : n.both) - 2 * n.differ;
}

static int32_t dot_bytes(const bnn_mvtu *m, const int8_t *x, const int8_t *w)
{
    const size_t run = (size_t)m->kw * m->in_channels;
    int32_t acc = 0;
    for (uint32_t ky = 0; ky < m->kh; ky++, x += (size_t)m->in_width * m->in_channels, w += run)
        for (size_t i = 0; i < run; i++)
            acc += x[i] * w[i];
    return acc;
}

/* ----------------------------------------------------------- thresholds -- */

/* Sets neuron r of a pixel: -1 / +1 by one threshold, -1 + count by two. */
static void put_activation(uint64_t *pixel, const bnn_mvtu *m, uint32_t r, int32_t acc)
{
    const int32_t *t = m->threshold + (size_t)r * m->thresholds;
    const uint64_t bit = (uint64_t)1 << (r % 64);
    const int fired = (acc >= t[0]) + (m->thresholds == 2 && acc >= t[1]);
    if (fired == (int)m->thresholds)
        pixel[r / 64] |= bit;
    if (m->thresholds == 2 && fired != 1)
        pixel[bnn_plane_words(m->MH) + r / 64] |= bit;
}

static void mvtu_pixel(const bnn_mvtu *m, const uint8_t *x, uint8_t *y)
{
    const size_t row_size = weight_size(m) / m->MH;
    const uint8_t *w = m->weights;
    for (uint32_t r = 0; r < m->MH; r++, w += row_size) {
        const int32_t acc = m->in_planes ? dot_bits(m, (const uint64_t *)(const void *)x, (const uint64_t *)(const void *)w)
                                         : dot_bytes(m, (const int8_t *)x, (const int8_t *)w);
        if (m->thresholds)
            put_activation((uint64_t *)(void *)y, m, r, acc);
        else
            ((int32_t *)(void *)y)[r] = acc;
    }
}

static size_t scratch_size(const bnn_mvtu *m)
{
    (void)m;
    return 0;
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t in_size = bnn_mvtu_in_size(m), in_pixel = bnn_mvtu_in_pixel(m), out_pixel = bnn_mvtu_out_pixel(m);
    const uint8_t *map = x;
    uint8_t *out = y;
    (void)scratch;
    memset(y, 0, images * bnn_mvtu_out_size(m));
    for (size_t n = 0; n < images; n++, map += in_size)
        for (uint32_t oy = 0; oy < m->out_height; oy++)
            for (uint32_t ox = 0; ox < m->out_width; ox++, out += out_pixel)
                mvtu_pixel(m, map + ((size_t)oy * m->in_width + ox) * in_pixel, out);
}

/* ---------------------------------------------------------------- pool -- */

/* One bit: OR of the signs. Ternary: positive if any is; zero if none is
 * positive and any is zero. */
static void pool_words(uint64_t *out, const uint64_t *const in[4], uint32_t planes, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t positive = 0, negative = ~(uint64_t)0;
        for (int k = 0; k < 4; k++) {
            positive |= in[k][i];
            if (planes == 2)
                negative &= in[k][words + i] & ~in[k][i];
        }
        out[i] = positive;
        if (planes == 2)
            out[words + i] = positive | negative;
    }
}

static void maxpool(uint64_t *out, const uint64_t *map, uint32_t height, uint32_t width, uint32_t planes, size_t words)
{
    const size_t pixel = planes * words, row = width * pixel;
    for (uint32_t y = 0; y + 1 < height; y += 2)
        for (uint32_t x = 0; x + 1 < width; x += 2, out += pixel) {
            const uint64_t *at = map + y * row + x * pixel;
            const uint64_t *const in[4] = { at, at + pixel, at + row, at + row + pixel };
            pool_words(out, in, planes, words);
        }
}

/* ---------------------------------------------------------------- input -- */

static void pack(uint64_t *out, const uint8_t *v, unsigned level, const uint8_t *table, size_t n)
{
    memset(out, 0, (n + 63) / 64 * 8);
    for (size_t i = 0; i < n; i++)
        out[i / 64] |= (uint64_t)(v[i] >= (table ? table[i] : level)) << (i % 64);
}

/* ------------------------------------------------------------ measuring -- */

static void read_words(const void *data, size_t bytes)
{
    const uint64_t *w = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes / 8; i++)
        sum ^= w[i];
    __asm__ volatile("" : : "r"(sum));
}

static uint64_t peak_scalar(uint64_t rounds)
{
    uint64_t a[4] = { 0, 1, 2, 3 }, w = 0x0123456789abcdefu, sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+r"(a[0]), "+r"(a[1]), "+r"(a[2]), "+r"(a[3])); /* not known to be the same each round */
        for (int i = 0; i < 4; i++)
            sum += (uint64_t)popcount64(a[i] ^ w);
    }
    __asm__ volatile("" : : "r"(sum));
    return rounds * 4 * 64;
}

static const bnn_peak peaks[] = { { "scalar", peak_scalar }, { NULL, NULL } };

void bnn_kernels_init_scalar(bnn_kernels *k)
{
    *k = (bnn_kernels){
        .name    = "scalar",
        .unit    = { weight_size, weight_pack, scratch_size, mvtu },
        .maxpool = maxpool,
        .pack    = pack,
        .read    = read_words,
        .peaks   = peaks,
    };
}
