/* avx512_sums.c -- first layers on 8-bit pictures: the sums of five inputs, looked up by five weights.
 *
 * A row of a window is a run of kw x C bytes of the picture, as they lie. Cut
 * into parts of five, each part has 32 sums +-x0 +-x1 +-x2 +-x3 +-x4, a vector
 * of 16-bit words, and vpermw finds those of 32 neurons by their weights:
 * two operations for 160 products, where vpdpbusd takes one for 64. A table
 * serves as many rows of the output as the window is high:
 *
 *     tables   [row of the picture, modulo kh][ox][part][32] of 16 bits
 *     weights  [group of 32 neurons][ky][part][neuron], the place in the table
 *
 * As in lanes.h, inputs are x + 128 and v is the sum with -w, so that a neuron
 * fires when v <= bound; |v| <= 255 MW has to stay within 16 bits.
 */
#include "kernel/avx512_sums.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum { L = 32, PART = 5, COLUMNS = 6, ALIGN = 64, SIGNS = 3 * 64 };

typedef struct sums {
    uint32_t        groups, parts;   /* parts of a row of the window */
    size_t          group;           /* words of a group of weights */
    const int8_t   *signs;           /* [3][64] of tables: four inputs, the fifth, and the four or less of a last part */
    const int16_t  *bound;           /* [2][groups x 32] fires when v <= bound; [0] the smaller of two */
    const uint16_t *weights;
} sums;

static sums sums_of(const bnn_mvtu *m)
{
    const uint32_t groups = (m->MH + L - 1) / L, parts = (m->kw * m->in_channels + PART - 1) / PART;
    const uint8_t *at = m->weights;
    return (sums){
        .groups  = groups,
        .parts   = parts,
        .group   = m->kh * parts * (size_t)L,
        .signs   = (const int8_t *)at,
        .bound   = (const int16_t *)(const void *)(at + SIGNS),
        .weights = (const uint16_t *)(const void *)(at + SIGNS + groups * (size_t)(4 * L)),
    };
}

bool bnn_avx512_sums_takes(const bnn_mvtu *m)
{
    return m->in_planes == 0 && m->weight_planes == 1 && m->thresholds && m->MW * 255 <= INT16_MAX && m->out_width >= COLUMNS;
}

/* -------------------------------------------------------------- packing -- */

static size_t weight_size(const bnn_mvtu *m)
{
    const sums s = sums_of(m);
    return SIGNS + s.groups * (2 * L + s.group) * sizeof(uint16_t);
}

static uint32_t bit_at(const uint64_t *row, size_t i) { return row[i / 64] >> (i % 64) & 1; }

/* Where a part's sum for weights w0..w4 lies: tables are made of 32-bit lanes by w0..w3, their halves by w4. */
static uint16_t place_at(const bnn_mvtu *m, const uint64_t *row, uint32_t ky, uint32_t part)
{
    const uint32_t run = m->kw * m->in_channels;
    uint32_t place = 0;
    for (uint32_t i = part * PART, j = 0; j < PART && i < run; i++, j++)
        place |= bit_at(row, ky * run + i) << (j < 4 ? j + 1 : 0);
    return (uint16_t)place;
}

/* What multiplies a part's inputs in each lane of its table. */
static void put_signs(int8_t *signs, uint32_t last)
{
    for (int lane = 0; lane < 16; lane++, signs += 4) {
        for (uint32_t j = 0; j < 4; j++) {
            signs[j] = lane >> j & 1 ? -1 : 1;
            signs[128 + j] = j < last ? signs[j] : 0;
        }
        signs[64] = 1;      /* added in the lower half of a lane */
        signs[64 + 2] = -1; /* taken in the upper */
    }
}

static int16_t bound_of(const bnn_mvtu *m, const uint64_t *row, int32_t threshold)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < m->MW; i++)
        sum += bit_at(row, i) ? 1 : -1;
    const int32_t bound = -128 * sum - threshold; /* sum of x w = -128 sum(w) - v */
    return (int16_t)(bound < INT16_MIN ? INT16_MIN : bound > INT16_MAX ? INT16_MAX : bound);
}

static void put_row(uint16_t *weights, int16_t *bound, const sums *s, const bnn_mvtu *m, const uint64_t *row, uint32_t r)
{
    const int32_t *t = m->threshold + (size_t)r * m->thresholds, last = t[m->thresholds - 1];
    bound[r] = bound_of(m, row, t[0] > last ? t[0] : last);
    bound[s->groups * (size_t)L + r] = bound_of(m, row, t[0] > last ? last : t[0]);
    weights += r / L * s->group + r % L;
    for (uint32_t ky = 0; ky < m->kh; ky++)
        for (uint32_t part = 0; part < s->parts; part++, weights += L)
            *weights = place_at(m, row, ky, part);
}

static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    bnn_mvtu at = *m;
    at.weights = out;
    const sums s = sums_of(&at);
    int16_t *bound = (int16_t *)s.bound;
    memset(out, 0, weight_size(m));
    put_signs(out, m->kw * m->in_channels - (s.parts - 1) * PART);
    for (size_t r = 0; r < s.groups * (size_t)L; r++) { /* neurons past the last: bits 0 */
        bound[r] = INT16_MIN;
        bound[s.groups * (size_t)L + r] = INT16_MAX;
    }
    for (uint32_t r = 0; r < m->MH; r++)
        put_row((uint16_t *)s.weights, bound, &s, m, natural + (size_t)r * ((m->MW + 63u) / 64u), r);
}

/* --------------------------------------------------------------- tables -- */

INLINE __m512i dword(const uint8_t *p) /* may lie anywhere */
{
    int32_t v;
    memcpy(&v, p, 4);
    return _mm512_set1_epi32(v);
}

/* The sums of four inputs at x, in the lower halves of lanes. */
INLINE __m512i four_of(const uint8_t *x, __m512i signs)
{
    return _mm512_dpbusd_epi32(_mm512_setzero_si512(), dword(x), signs);
}

/* In both halves, the fifth added to one and taken from the other. */
INLINE __m512i five_of(const uint8_t *x, __m512i signs, __m512i fifth)
{
    const __m512i lower = _mm512_set4_epi32(0x0d0c0d0c, 0x09080908, 0x05040504, 0x01000100);
    const __m512i both = _mm512_shuffle_epi8(four_of(x, signs), lower);
    return _mm512_add_epi16(both, _mm512_maddubs_epi16(_mm512_set1_epi8((char)x[PART - 1]), fifth));
}

/* Tables of a row of the picture, for each window: [ox][part]. */
static void make_tables(__m512i *to, const bnn_mvtu *m, const sums *s, const uint8_t *row)
{
    const __m512i four = _mm512_load_si512(s->signs), fifth = _mm512_load_si512(s->signs + 64), last = _mm512_load_si512(s->signs + 128);
    const uint32_t run = m->kw * m->in_channels, whole = run / PART;
    for (uint32_t ox = 0; ox < m->out_width; ox++, row += m->in_channels) {
        for (uint32_t part = 0; part < whole; part++)
            *to++ = five_of(row + part * (size_t)PART, four, fifth);
        if (run % PART)
            *to++ = four_of(row + whole * (size_t)PART, last);
    }
}

/* ----------------------------------------------------------------- sums -- */

/* What a row of the output works on: the tables of each of its kh rows of the picture. */
struct work { const __m512i *tables; size_t row; uint32_t first; };

INLINE const __m512i *tables_at(const struct work *k, uint32_t ky, uint32_t kh)
{
    const uint32_t slot = k->first + ky;
    return k->tables + (slot < kh ? slot : slot - kh) * k->row;
}

INLINE uint64_t at_most(const __m512i v[], const int16_t *bound, const int NB)
{
    const __mmask32 low = _mm512_cmple_epi16_mask(v[0], _mm512_load_si512(bound));
    return NB == 1 ? low : _cvtmask64_u64(_mm512_kunpackd(_mm512_cmple_epi16_mask(v[COLUMNS], _mm512_load_si512(bound + L)), low));
}

/* By hand, so that table and weights are loaded once. */
INLINE void add(__m512i *v, __m512i weights, __m512i table)
{
    __m512i found;
    __asm__("vpermw %[table], %[weights], %[found]\n\t"
            "vpaddw %[found], %[v], %[v]"
            : [v] "+v"(*v), [found] "=&v"(found) : [weights] "v"(weights), [table] "v"(table));
}

/* NB vectors of weights w, COLUMNS columns from ox: v[n * COLUMNS + i]. */
INLINE void add_up(const struct work *k, const uint16_t *w, uint32_t ox, const int NB, const uint32_t kh, const uint32_t parts, __m512i v[])
{
    const size_t group = kh * (size_t)parts * L;
    UNROLL for (int i = 0; i < NB * COLUMNS; i++)
        v[i] = _mm512_setzero_si512();
    for (uint32_t ky = 0; ky < kh; ky++) {
        const __m512i *t = tables_at(k, ky, kh) + ox * (size_t)parts;
        for (uint32_t part = 0; part < parts; part++) {
            __m512i ws[2];
            UNROLL for (int n = 0; n < NB; n++)
                ws[n] = _mm512_load_si512(w + n * group + (ky * (size_t)parts + part) * L);
            UNROLL for (int i = 0; i < COLUMNS; i++)
                UNROLL for (int n = 0; n < NB; n++)
                    add(&v[n * COLUMNS + i], ws[n], t[i * (size_t)parts + part]);
        }
    }
}

/* A row of the output, of NB groups from g: a word a column and plane. The last columns may be done twice. */
INLINE void run_row(const bnn_mvtu *m, const struct work *k, uint32_t g, uint8_t *y, const int NB, const uint32_t kh, const uint32_t parts, const bool two)
{
    const sums s = sums_of(m);
    const uint16_t *w = s.weights + g * s.group;
    const int16_t *high = s.bound + g * (size_t)L, *low = high + s.groups * (size_t)L;
    const uint32_t width = m->out_width;
    const size_t plane = bnn_plane_words(m->MH) * 8, pixel = bnn_mvtu_out_pixel(m);
    for (uint32_t x = 0; x < width; x += COLUMNS) {
        const uint32_t ox = width - x < COLUMNS ? width - COLUMNS : x;
        uint8_t *to = y + ox * pixel + g * (size_t)4;
        __m512i v[2 * COLUMNS];
        add_up(k, w, ox, NB, kh, parts, v);
        UNROLL for (int i = 0; i < COLUMNS; i++, to += pixel) {
            uint64_t bits = at_most(v + i, high, NB);
            __asm__("" : "+r"(to)); /* else gcc 12 keeps six pointers, and spills them */
            memcpy(to, &bits, 8);
            if (two) {
                bits |= ~at_most(v + i, low, NB) & (NB == 1 ? UINT32_MAX : UINT64_MAX);
                memcpy(to + plane, &bits, 8);
            }
        }
    }
}

#define ROW(name, NB, kh, parts)                                                                \
    static void name(const bnn_mvtu *m, const struct work *k, uint32_t g, uint8_t *y)           \
    {                                                                                           \
        if (m->thresholds == 2)                                                                 \
            run_row(m, k, g, y, NB, kh, parts, true);                                           \
        else                                                                                    \
            run_row(m, k, g, y, NB, kh, parts, false);                                          \
    }

ROW(row_1, 1, m->kh, sums_of(m).parts)
ROW(row_2, 2, m->kh, sums_of(m).parts)
ROW(colours_2, 2, 3, 2) /* 3 x 3 pixels of three colours, the usual window: its weights stay in registers */

static void run_rows(const bnn_mvtu *m, const struct work *k, uint8_t *y)
{
    const sums s = sums_of(m);
    const bool colours = m->kh == 3 && s.parts == 2;
    for (uint32_t g = 0; g < s.groups; g += 2)
        (g + 1 == s.groups ? row_1 : colours ? colours_2 : row_2)(m, k, g, y);
}

static size_t picture_size(const bnn_mvtu *m) /* and what may be read after it */
{
    return (bnn_mvtu_in_size(m) + PART + ALIGN) / ALIGN * ALIGN;
}

static size_t scratch_size(const bnn_mvtu *m)
{
    return picture_size(m) + m->kh * (size_t)m->out_width * sums_of(m).parts * sizeof(__m512i);
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const sums s = sums_of(m);
    const size_t size = bnn_mvtu_in_size(m), row = (size_t)m->in_width * m->in_channels, out_row = m->out_width * bnn_mvtu_out_pixel(m);
    struct work k = { .row = m->out_width * (size_t)s.parts };
    uint8_t *picture = scratch, *out = y;
    __m512i *tables = (__m512i *)(void *)(picture + picture_size(m));
    k.tables = tables;
    for (const uint8_t *image = x, *end = image + images * size; image < end; image += size) {
        for (size_t i = 0; i < size; i++)
            picture[i] = image[i] ^ 0x80;
        for (uint32_t in = 0; in < m->in_height; in++) {
            make_tables(tables + in % m->kh * k.row, m, &s, picture + in * row);
            if (in + 1 < m->kh)
                continue;
            k.first = (in + 1) % m->kh;
            run_rows(m, &k, out);
            out += out_row;
        }
    }
}

const bnn_unit bnn_avx512_sums = { weight_size, weight_pack, scratch_size, mvtu };
