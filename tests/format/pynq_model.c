/* pynq_model.c -- see pynq_model.h. */
#include "format/pynq_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int lfc_MW[] = { 832, 1024, 1024, 1024 }, lfc_MH[] = { 1024, 1024, 1024, 64 };
static const int lfc_SIMD[] = { 64, 32, 64, 8 }, lfc_PE[] = { 32, 64, 32, 16 };
static const int cnv_MW[] = { 27, 576, 576, 1152, 1152, 2304, 256, 512, 512 };
static const int cnv_MH[] = { 64, 64, 128, 128, 256, 256, 512, 512, 64 };
static const int w1_SIMD[] = { 3, 32, 32, 32, 32, 32, 4, 8, 1 }, w1_PE[] = { 16, 32, 16, 16, 4, 1, 1, 1, 4 };
static const int w2_SIMD[] = { 3, 16, 16, 16, 8, 8, 2, 2, 1 }, w2_PE[] = { 8, 16, 8, 8, 4, 1, 1, 2, 4 };

void model_describe(model *m, const char *name, bool workshop)
{
    *m = (model){ .name = name, .workshop = workshop, .lfc = name[0] == 'l', .wbits = name[4] - '0', .abits = name[6] - '0' };
    m->layers = m->lfc ? 4 : 9;
    m->MW     = m->lfc ? lfc_MW : cnv_MW;
    m->MH     = m->lfc ? lfc_MH : cnv_MH;
    m->SIMD   = m->lfc ? lfc_SIMD : m->wbits == 1 ? w1_SIMD : w2_SIMD;
    m->PE     = m->lfc ? lfc_PE : m->wbits == 1 ? w1_PE : w2_PE;
}

int model_nth(const model *m, int layer)
{
    if (m->lfc)
        return layer == 3 ? 1 : m->abits;
    return layer == 8 ? 0 : m->abits;
}

static bool counts(const model *m, int layer)
{
    return m->wbits == 1 && m->abits == 1 && (m->lfc || layer > 0);
}

static bool fixed_point(const model *m, int layer)
{
    return !m->lfc && layer == 0;
}

/* --------------------------------------------------------------- random -- */

static uint64_t random_weights(const model *m, int layer, int w, scratch_rng *r, unsigned flags)
{
    const int SIMD = m->SIMD[layer], SF = m->MW[layer] / SIMD, bits = m->wbits * SIMD;
    uint64_t word = scratch_next(r);
    for (int i = 0; m->wbits == 2 && i < SIMD; i++)
        if ((word >> 2 * i & 3) == 2)
            word ^= (uint64_t)(scratch_next(r) & 1 ? 2 : 3) << 2 * i; /* 0 or +1 */
    if (bits < 64 && !(flags & MODEL_GARBAGE))
        word &= ((uint64_t)1 << bits) - 1;
    const int first = w % SF * SIMD;
    if (m->lfc && layer == 0 && !(flags & MODEL_PADDING))
        for (int i = 0; i < SIMD; i++)
            if (first + i >= 784)
                word |= (uint64_t)1 << i;
    return word;
}

/* Near enough to the middle of the sums that neurons differ from image to image. */
static uint64_t random_threshold(const model *m, int layer, scratch_rng *r, unsigned flags)
{
    static const int64_t extreme[] = { 65535, -1, 32767, -32768, 0, 65536 + 5, 32768 };
    const int spread = (int)sqrt(m->MW[layer]);
    int64_t t = scratch_between(r, -spread, spread);
    if (counts(m, layer))
        t = m->MW[layer] / 2 + t / 2;
    else if (fixed_point(m, layer))
        t = scratch_between(r, -900, 900);
    if ((flags & MODEL_EXTREME) && scratch_between(r, 0, 19) == 0)
        t = extreme[scratch_between(r, 0, 6)];
    if (m->workshop && !fixed_point(m, layer) && !(flags & MODEL_GARBAGE))
        t &= 0xffff;
    uint64_t word = (uint64_t)t;
    if (flags & MODEL_GARBAGE)
        word = fixed_point(m, layer) ? (word & 0xffffff) | scratch_next(r) << 24 : (word & 0xffff) | scratch_next(r) << 16;
    return word;
}

static void write_words(const char *folder, int layer, int pe, const char *what, uint64_t *word, int words, scratch_rng *r, unsigned flags)
{
    char name[64];
    size_t size = (size_t)words * 8;
    snprintf(name, sizeof name, "%d-%d-%s.bin", layer, pe, what);
    if ((flags & MODEL_SHORT) && scratch_between(r, 0, 3) == 0)
        size = 8 * (scratch_next(r) % (size_t)(words + 1));
    if ((flags & MODEL_LONG) && scratch_between(r, 0, 3) == 0) {
        word[words]     = scratch_next(r);
        word[words + 1] = scratch_next(r);
        size            = (size_t)words * 8 + (size_t)scratch_between(r, 0, 16);
    }
    scratch_write(folder, name, word, size);
}

void model_random(const model *m, const char *folder, scratch_rng *r, unsigned flags)
{
    static uint64_t word[80000];
    for (int L = 0; L < m->layers; L++) {
        const int TMEM = m->MH[L] / m->PE[L], SF = m->MW[L] / m->SIMD[L], nTH = model_nth(m, L);
        const int stored = (flags & MODEL_STORED_ROWS) && L == m->layers - 1 ? (TMEM + 3) / 4 : TMEM; /* as the 2017 converter */
        for (int p = 0; p < m->PE[L]; p++) {
            for (int w = 0; w < stored * SF; w++)
                word[w] = random_weights(m, L, w, r, flags);
            write_words(folder, L, p, "weights", word, stored * SF, r, flags);
            for (int t = 0; t < stored * nTH; t++)
                word[t] = random_threshold(m, L, r, flags);
            if (nTH > 0)
                write_words(folder, L, p, "thres", word, stored * nTH, r, flags);
            else if (m->workshop) /* the 2017 folders have unused ones */
                write_words(folder, L, p, "thres", word, stored, r, flags);
        }
    }
}

/* ----------------------------------------------------------------- load -- */

/* Words of a file, zeros after its end. */
static uint64_t *read_words(const char *folder, int layer, int pe, const char *what, int words)
{
    char name[64];
    size_t size;
    snprintf(name, sizeof name, "%d-%d-%s.bin", layer, pe, what);
    uint8_t *bytes = scratch_read(scratch_path(folder, name), &size);
    uint64_t *word = calloc((size_t)words + 1, 8);
    for (size_t i = 0; i < size && i < 8 * (size_t)words; i++)
        word[i / 8] |= (uint64_t)bytes[i] << 8 * (i % 8);
    free(bytes);
    return word;
}

static void load_weights(model *m, const char *folder, int L, int p)
{
    const int SIMD = m->SIMD[L], SF = m->MW[L] / SIMD, NF = m->MH[L] / m->PE[L];
    uint64_t *word = read_words(folder, L, p, "weights", NF * SF);
    for (int w = 0; w < NF * SF; w++)
        for (int i = 0; i < SIMD; i++) {
            const int n = w / SF * m->PE[L] + p, s = w % SF * SIMD + i, two = (int)(word[w] >> 2 * i % 64 & 3);
            m->weight[L][n * m->MW[L] + s] = (int8_t)(m->wbits == 1 ? (word[w] >> i & 1 ? 1 : -1) : two == 3 ? -1 : two);
        }
    free(word);
}

static int64_t as_compared(const model *m, int layer, uint64_t word)
{
    if (fixed_point(m, layer))
        return (int32_t)(uint32_t)(word << 8) >> 8;
    return m->workshop ? (int64_t)(uint16_t)word : (int64_t)(int16_t)(uint16_t)word;
}

static void load_thresholds(model *m, const char *folder, int L, int p)
{
    const int nTH = model_nth(m, L), NF = m->MH[L] / m->PE[L];
    uint64_t *word = read_words(folder, L, p, "thres", NF * nTH);
    for (int nf = 0; nf < NF; nf++)
        for (int k = 0; k < nTH; k++)
            m->threshold[L][(nf * m->PE[L] + p) * nTH + k] = as_compared(m, L, word[nf * nTH + k]);
    free(word);
}

void model_load(model *m, const char *folder)
{
    for (int L = 0; L < m->layers; L++) {
        m->weight[L]    = calloc((size_t)m->MH[L] * (size_t)m->MW[L], 1);
        m->threshold[L] = calloc((size_t)m->MH[L] * 2, 8);
        for (int p = 0; p < m->PE[L]; p++) {
            load_weights(m, folder, L, p);
            if (model_nth(m, L) > 0)
                load_thresholds(m, folder, L, p);
        }
    }
}

void model_free(model *m)
{
    for (int L = 0; L < m->layers; L++) {
        free(m->weight[L]);
        free(m->threshold[L]);
    }
}

/* -------------------------------------------------------------- forward -- */

/* The accumulator that a threshold is compared with; x are values, w too. */
static int64_t accumulate(const model *m, int layer, int neuron, const int8_t *x)
{
    const int8_t *w = m->weight[layer] + (size_t)neuron * (size_t)m->MW[layer];
    int64_t equal = 0, sum = 0;
    for (int s = 0; s < m->MW[layer]; s++) {
        equal += x[s] == w[s];
        sum += x[s] * w[s];
    }
    return counts(m, layer) ? equal : fixed_point(m, layer) ? 2 * sum : sum;
}

/* All neurons of a layer on one vector; activations as values. */
static void apply(const model *m, int layer, const int8_t *x, int8_t *out)
{
    const int nTH = model_nth(m, layer);
    for (int n = 0; n < m->MH[layer]; n++) {
        const int64_t acc = accumulate(m, layer, n, x), *t = m->threshold[layer] + n * nTH;
        out[n] = (int8_t)(nTH == 1 ? (acc > t[0] ? 1 : -1) : -1 + (acc > t[0]) + (acc > t[1]));
    }
}

uint64_t model_lfc(const model *m, const uint8_t *pixels)
{
    int8_t x[1024], y[1024];
    uint64_t word = 0;
    for (int i = 0; i < 832; i++)
        x[i] = i < 784 && pixels[i] >= 128 ? 1 : -1;
    for (int L = 0; L < 4; L++) {
        apply(m, L, x, y);
        memcpy(x, y, sizeof x);
    }
    for (int n = 0; n < 64; n++)
        word |= (uint64_t)(y[n] > 0) << n;
    return word;
}

/* 3x3 windows of a side x side x channels map. */
static void convolve(const model *m, int layer, const int8_t *in, int side, int8_t *out)
{
    const int channels = m->MW[layer] / 9;
    int8_t window[2304];
    for (int y = 0; y < side - 2; y++)
        for (int x = 0; x < side - 2; x++) {
            for (int ky = 0; ky < 3; ky++)
                for (int kx = 0; kx < 3; kx++)
                    memcpy(window + (ky * 3 + kx) * channels, in + ((y + ky) * side + x + kx) * channels, (size_t)channels);
            apply(m, layer, window, out + (y * (side - 2) + x) * m->MH[layer]);
        }
}

static void pool(int8_t *map, int side, int channels)
{
    for (int y = 0; y < side / 2; y++)
        for (int x = 0; x < side / 2; x++)
            for (int c = 0; c < channels; c++) {
                int8_t best = -128;
                for (int k = 0; k < 4; k++) {
                    const int8_t v = map[((2 * y + k / 2) * side + 2 * x + k % 2) * channels + c];
                    best = v > best ? v : best;
                }
                map[(y * (side / 2) + x) * channels + c] = best; /* behind what is still to be read */
            }
}

static int8_t fixed_of(const model *m, int c)
{
    if (m->workshop)
        return (int8_t)(c - 128);
    const double q = floor((-1.0 + 2.0 * c / 255.0) * 128 + 0.5);
    return (int8_t)(q > 127 ? 127 : q);
}

void model_cnv(const model *m, const uint8_t *pixels, int32_t scores[64])
{
    static int8_t a[30 * 30 * 64 + 4096], b[30 * 30 * 64 + 4096];
    int side = 32;
    for (int i = 0; i < 3072; i++)
        a[i] = fixed_of(m, pixels[i]);
    for (int L = 0; L < 6; L++) {
        convolve(m, L, a, side, b);
        side -= 2;
        if (L == 1 || L == 3) {
            pool(b, side, m->MH[L]);
            side /= 2;
        }
        memcpy(a, b, sizeof a);
    }
    apply(m, 6, a, b);
    apply(m, 7, b, a);
    for (int n = 0; n < 64; n++)
        scores[n] = (int16_t)accumulate(m, 8, n, a);
}
