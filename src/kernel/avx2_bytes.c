/* avx2_bytes.c -- the units of 8-bit inputs, for AVX2.
 *
 * Eight neurons a vector (lanes.h): four products of a neuron are summed in
 * two 16-bit halves of its lane, over as many steps as those hold. Blocks of
 * four vectors by two columns go along the rows of the output.
 */
#include "kernel/lanes.h"
#include "kernel/avx2_bytes.h"

#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

enum { L = 8 };

static size_t weight_size(const bnn_mvtu *m) { return bnn_lanes_size(m, L); }
static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural) { bnn_lanes_pack(out, m, natural, L); }

INLINE __m256i load(const void *p) { return _mm256_load_si256(p); }

INLINE __m256i dword(const uint8_t *p) /* may lie anywhere */
{
    int32_t v;
    memcpy(&v, p, 4);
    return _mm256_set1_epi32(v);
}

enum { BYTES_CHUNK = 64, /* steps whose pairs of products, |255 x 2| each, 16 bits hold */
       COLOUR_STEPS = (3 * 3 * 3 + 3) / 4 };

/* A step of eight neurons, by hand, since gcc 12 copies the sums around. */
INLINE void multiply(__m256i *pairs, __m256i x, __m256i w)
{
    __m256i products;
    __asm__("vpmaddubsw %[w], %[x], %[products]\n\t"
            "vpaddw %[products], %[pairs], %[pairs]"
            : [pairs] "+x"(*pairs), [products] "=&x"(products) : [x] "x"(x), [w] "x"(w));
}

/* Steps k.. to end, of NB vectors and CB columns: acc[n * CB + i]. */
INLINE void multiply_steps(const uint32_t *w, size_t group, const uint8_t *const *x, uint32_t k, uint32_t end, const int NB, const int CB, __m256i acc[])
{
    __m256i pairs[8];
    UNROLL for (int i = 0; i < NB * CB; i++)
        pairs[i] = _mm256_setzero_si256();
    for (; k < end; k++) {
        __m256i v[2];
        UNROLL for (int i = 0; i < CB; i++)
            v[i] = dword(x[i] + k * (size_t)4);
        UNROLL for (int n = 0; n < NB; n++) {
            const __m256i ws = load(w + n * group + k * (size_t)L);
            UNROLL for (int i = 0; i < CB; i++)
                multiply(&pairs[n * CB + i], v[i], ws);
        }
    }
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = _mm256_madd_epi16(pairs[i], _mm256_set1_epi16(1));
}

INLINE uint8_t at_most(__m256i v, const int32_t *bound)
{
    return (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(v, load(bound))));
}

/* Outputs of 8 neurons, group g, of one column. */
INLINE void put(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, __m256i v, uint8_t *y)
{
    if (m->thresholds == 0) {
        int32_t sum[L];
        const uint32_t left = m->MH - g * L;
        _mm256_storeu_si256((__m256i *)(void *)sum, _mm256_sub_epi32(load(l->base + g * L), v));
        memcpy(y + g * (size_t)(L * 4), sum, 4 * (size_t)(left < L ? left : L));
        return;
    }
    y[g] = at_most(v, l->bound + g * L);
    if (m->thresholds == 2)
        y[bnn_plane_words(m->MH) * 8 + g] = (uint8_t)(y[g] | ~at_most(v, l->bound + (l->groups + g) * (size_t)L));
}

/* Four vectors at once: packing interleaves the halves of vectors, the permutation puts them right. */
INLINE uint32_t at_most_four(const __m256i v[], size_t stride, const int32_t *bound)
{
    const __m256i low = _mm256_packs_epi32(_mm256_cmpgt_epi32(v[0], load(bound)), _mm256_cmpgt_epi32(v[stride], load(bound + L)));
    const __m256i high = _mm256_packs_epi32(_mm256_cmpgt_epi32(v[2 * stride], load(bound + 2 * L)), _mm256_cmpgt_epi32(v[3 * stride], load(bound + 3 * L)));
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order));
}

/* Bits of four groups of one column; of two thresholds the second plane too, `plane` bytes on. */
INLINE void put_four(const __m256i v[], size_t stride, const int32_t *high, const int32_t *low, size_t plane, uint8_t *y)
{
    const uint32_t fires = at_most_four(v, stride, high);
    memcpy(y, &fires, 4);
    if (low) {
        const uint32_t more = fires | ~at_most_four(v, stride, low);
        memcpy(y + plane, &more, 4);
    }
}

/* Zeroes what the last group leaves of each plane's last word. */
static void put_padding(const bnn_mvtu *m, uint32_t groups, uint8_t *y)
{
    for (uint32_t plane = 0; plane < m->thresholds; plane++, y += bnn_plane_words(m->MH) * 8)
        for (uint32_t g = groups; g % 8; g++)
            y[g] = 0;
}

/* One vector, one column, of any window. */
static void bytes_1x1(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const uint8_t *x, uint8_t *y)
{
    const size_t group = l->steps * (size_t)L;
    __m256i acc = _mm256_setzero_si256(), more;
    for (uint32_t k = 0, end; k < l->steps; k = end) {
        end = l->steps - k < BYTES_CHUNK ? l->steps : k + BYTES_CHUNK;
        multiply_steps(l->weights + g * group, group, &x, k, end, 1, 1, &more);
        acc = _mm256_add_epi32(acc, more);
    }
    put(m, l, g, acc, y);
}

/* Four vectors from group g, pairs of columns along a row of the output, of windows that are one chunk; for outputs of bits. */
INLINE void pairs_of_row(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, bnn_columns c, const uint32_t steps)
{
    const size_t group = steps * (size_t)L, plane = bnn_plane_words(m->MH) * 8;
    const uint32_t *w = l->weights + g * group;
    const int32_t *high = l->bound + g * L, *low = m->thresholds == 2 ? high + l->groups * (size_t)L : NULL;
    c.y += g;
    for (uint32_t i = 0; i + 2 <= c.width; i += 2, c.x += 2 * c.in_pixel, c.y += 2 * c.out_pixel) {
        const uint8_t *const x[2] = { c.x, c.x + c.in_pixel };
        __m256i acc[8];
        __asm__("" : "+r"(w)); /* else gcc 12 computes the address of every step ahead, and spills them */
        multiply_steps(w, group, x, 0, steps, 4, 2, acc);
        put_four(acc, 2, high, low, plane, c.y);
        put_four(acc + 1, 2, high, low, plane, c.y + c.out_pixel);
    }
}

static void bytes_4x2(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const bnn_columns *c) { pairs_of_row(m, l, g, *c, l->steps); }

/* 3 x 3 pixels of three colours. */
static void colours_4x2(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const bnn_columns *c) { pairs_of_row(m, l, g, *c, COLOUR_STEPS); }

/* Groups g.. to end of the columns first.. of a row. */
static void bytes_rest(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, uint32_t end, bnn_columns c, uint32_t first)
{
    for (uint32_t i = first; g < end && i < c.width; i++)
        for (uint32_t n = g; n < end; n++)
            bytes_1x1(m, l, n, c.x + i * c.in_pixel, c.y + i * c.out_pixel);
}

static void bytes_row(const bnn_mvtu *m, const bnn_lanes *l, const bnn_columns *c)
{
    void (*const four)(const bnn_mvtu *, const bnn_lanes *, uint32_t, const bnn_columns *) = l->steps == COLOUR_STEPS ? colours_4x2 : bytes_4x2;
    uint32_t g = 0;
    for (uint32_t i = 0; l->groups % 8 && i < c->width; i++)
        put_padding(m, l->groups, c->y + i * c->out_pixel);
    for (; m->thresholds && l->steps <= BYTES_CHUNK && g + 4 <= l->groups; g += 4)
        four(m, l, g, c);
    if (c->width % 2 && g > 0)
        bytes_rest(m, l, 0, g, *c, c->width - 1);
    bytes_rest(m, l, g, l->groups, *c, 0);
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const bnn_lanes l = bnn_lanes_of(m, L);
    for (size_t i = 0; i < images; i++) {
        bnn_columns c = bnn_lanes_unroll(m, (const uint8_t *)x + i * bnn_mvtu_in_size(m), (uint8_t *)y + i * bnn_mvtu_out_size(m), 1, scratch);
        for (uint32_t row = 0; row < m->out_height; row++, c.x += c.in_row, c.y += c.width * c.out_pixel)
            bytes_row(m, &l, &c);
    }
}

const bnn_unit bnn_avx2_bytes = { weight_size, weight_pack, bnn_lanes_scratch, mvtu };
