/* avx2.c -- kernels for x86-64 with AVX2 (Haswell, Zen and later).
 *
 * Eight neurons a vector (lanes.h). AVX2 counts bits by two 16-entry look-ups
 * a byte (W. Mula, "Faster population counts"); two steps and a carry go
 * through a full adder first, so that one look-up pair serves two steps:
 *
 *     x0 = a0 ^ w0    u = s ^ x0    carry = s & x0 | u & x1    s' = u ^ x1
 *
 * Counts gather in bytes, of weight 2, and are widened before they overflow.
 */
#include "kernel/lanes.h"

#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

enum { L = 8 };
enum mode { X1W1, X1W2, X2W1, X2W2, BYTES };

static enum mode mode_of(const bnn_mvtu *m)
{
    return m->in_planes == 0 ? BYTES : (enum mode)((m->in_planes - 1) * 2 + m->weight_planes - 1);
}

static size_t weight_size(const bnn_mvtu *m) { return bnn_lanes_size(m, L); }
static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural) { bnn_lanes_pack(out, m, natural, L); }

/* ---------------------------------------------------------------- steps -- */

INLINE __m256i load(const uint32_t *p) { return _mm256_load_si256((const __m256i *)(const void *)p); }
INLINE __m256i dword(const uint32_t *p) /* of bytes it may lie anywhere */
{
    int32_t v;
    memcpy(&v, p, 4);
    return _mm256_set1_epi32(v);
}

/* Set bits of four, by their value. */
INLINE __m256i count_table(void)
{
    return _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
}

/* Set bits of each byte. */
INLINE __m256i count_bytes(__m256i v)
{
    const __m256i low = _mm256_set1_epi8(0x0f), table = count_table();
    return _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(v, low)),
                           _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}

/* Sums of four unsigned bytes, a lane each. */
INLINE __m256i widen(__m256i bytes)
{
    return _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1)), _mm256_set1_epi16(1));
}

/* A column: where its window starts, where its outputs go, and for ternary
 * inputs how many values of the window are not zero. */
struct column { const uint32_t *x; uint8_t *y; int32_t nonzero; };

/* What a block works on. */
struct work { const bnn_lanes *l; const uint32_t *w; size_t row, group; const struct column *c; }; /* dwords a step, a vector */

enum { CHUNK = 31 }; /* counts of up to 8 that a byte holds */

/* Two steps w[0], w[1] of one cell: s takes the sum, the carries go to counts. By
 * hand, since compilers do not fit four cells into sixteen registers. */
INLINE void pair(__m256i *s, __m256i *counts, __m256i b0, __m256i b1, const uint32_t *w, __m256i low, __m256i table)
{
    __m256i t, u, v;
    __asm__("vpxor %[w0], %[b0], %[t]\n\t"
            "vpand %[t], %[s], %[u]\n\t"
            "vpxor %[t], %[s], %[s]\n\t"
            "vpxor %[w1], %[b1], %[t]\n\t"
            "vpand %[t], %[s], %[v]\n\t"
            "vpor %[v], %[u], %[u]\n\t" /* the carry */
            "vpxor %[t], %[s], %[s]\n\t"
            "vpand %[low], %[u], %[t]\n\t"
            "vpsrlw $4, %[u], %[u]\n\t"
            "vpshufb %[t], %[table], %[t]\n\t"
            "vpand %[low], %[u], %[u]\n\t"
            "vpshufb %[u], %[table], %[u]\n\t"
            "vpaddb %[t], %[u], %[u]\n\t"
            "vpaddb %[u], %[counts], %[counts]"
            : [s] "+x"(*s), [counts] "+x"(*counts), [t] "=&x"(t), [u] "=&x"(u), [v] "=&x"(v)
            : [b0] "x"(b0), [b1] "x"(b1), [w0] "m"(*(const __m256i *)(const void *)w),
              [w1] "m"(*(const __m256i *)(const void *)(w + L)), [low] "x"(low), [table] "x"(table));
}

/* Steps k.. in pairs, at most CHUNK of them, by carry-save: counts have weight 2. Returns the next step. */
INLINE uint32_t chunk_pairs(const struct work *b, uint32_t k, const int NB, const int CB, __m256i s[], __m256i acc[])
{
    const uint32_t *step = b->l->step, left = (b->l->steps - k) / 2, pairs = left < CHUNK ? left : CHUNK;
    const uint32_t *w = b->w + (size_t)k * L;
    const size_t group = b->group;
    const __m256i low = _mm256_set1_epi8(0x0f), table = count_table();
    __m256i counts[4];
    UNROLL for (int i = 0; i < NB * CB; i++)
        counts[i] = _mm256_setzero_si256();
    for (const uint32_t *end = step + k + 2 * pairs, *at = step + k; at < end; at += 2, w += 2 * L)
        UNROLL for (int i = 0; i < CB; i++) {
            const __m256i b0 = dword(b->c[i].x + at[0]), b1 = dword(b->c[i].x + at[1]);
            UNROLL for (int n = 0; n < NB; n++)
                pair(&s[n * CB + i], &counts[n * CB + i], b0, b1, w + n * group, low, table);
        }
    UNROLL for (int i = 0; i < NB * CB; i++) {
        const __m256i sum = widen(counts[i]);
        acc[i] = _mm256_add_epi32(acc[i], _mm256_add_epi32(sum, sum));
    }
    return k + 2 * pairs;
}

INLINE void block_pairs(const struct work *b, const int NB, const int CB, __m256i acc[])
{
    __m256i s[4];
    uint32_t k = 0;
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = s[i] = _mm256_setzero_si256();
    while (k + 2 <= b->l->steps)
        k = chunk_pairs(b, k, NB, CB, s, acc);
    UNROLL for (int i = 0; i < NB * CB; i++) {
        __m256i left = count_bytes(s[i]);
        if (k < b->l->steps) {
            const __m256i x = dword(b->c[i % CB].x + b->l->step[k]);
            left = _mm256_add_epi8(left, count_bytes(_mm256_xor_si256(x, load(b->w + i / CB * b->group + (size_t)k * L))));
        }
        acc[i] = _mm256_add_epi32(acc[i], widen(left));
    }
}

/* One vector by one column, for operands with a nonzero plane. */
INLINE void block_ternary(const struct work *b, const enum mode mode, __m256i acc[])
{
    const bool w2 = mode != X2W1, x2 = mode != X1W2;
    acc[0] = _mm256_setzero_si256();
    for (uint32_t k = 0; k < b->l->steps; k++) {
        const uint32_t *x = b->c->x + b->l->step[k], *w = b->w + k * b->row;
        const __m256i differ = _mm256_xor_si256(dword(x), load(w));
        const __m256i xn = x2 ? dword(x + b->l->plane) : _mm256_set1_epi8(-1), both = w2 ? _mm256_and_si256(xn, load(w + L)) : xn;
        const __m256i d = widen(count_bytes(_mm256_and_si256(differ, both)));
        acc[0] = _mm256_add_epi32(acc[0], d);
        if (mode == X2W2)
            acc[0] = _mm256_add_epi32(acc[0], _mm256_sub_epi32(d, widen(count_bytes(both))));
    }
}

INLINE void block_bytes(const struct work *b, const int NB, const int CB, __m256i acc[])
{
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = _mm256_setzero_si256();
    for (uint32_t k = 0; k < b->l->steps; k++)
        UNROLL for (int i = 0; i < CB; i++) {
            const __m256i x = dword(b->c[i].x + k);
            UNROLL for (int n = 0; n < NB; n++) {
                const __m256i products = _mm256_maddubs_epi16(x, load(b->w + n * b->group + (size_t)k * L)); /* |255 x 2|: never saturates */
                acc[n * CB + i] = _mm256_add_epi32(acc[n * CB + i], _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
            }
        }
}

/* -------------------------------------------------------------- results -- */

INLINE uint8_t at_most(__m256i v, const int32_t *bound)
{
    const __m256i above = _mm256_cmpgt_epi32(v, _mm256_load_si256((const __m256i *)(const void *)bound));
    return (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(above));
}

/* Outputs of 8 neurons, group g, of one column. */
INLINE void put(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, __m256i v, uint8_t *y)
{
    if (m->thresholds == 0) {
        int32_t sum[L];
        const __m256i base = _mm256_load_si256((const __m256i *)(const void *)(l->base + g * L));
        _mm256_storeu_si256((__m256i *)(void *)sum, _mm256_sub_epi32(base, l->factor == 2 ? _mm256_add_epi32(v, v) : v));
        const uint32_t left = m->MH - g * L;
        memcpy(y + g * (size_t)(L * 4), sum, 4 * (size_t)(left < L ? left : L));
        return;
    }
    y[g] = at_most(v, l->bound + g * L);
    if (m->thresholds == 2)
        y[bnn_plane_words(m->MH) * 8 + g] = (uint8_t)(y[g] | ~at_most(v, l->bound + (l->groups + g) * (size_t)L));
}

/* Zeroes what the last group leaves of each plane's last word. */
static void put_padding(const bnn_mvtu *m, uint32_t groups, uint8_t *y)
{
    for (uint32_t plane = 0; plane < m->thresholds; plane++, y += bnn_plane_words(m->MH) * 8)
        for (uint32_t g = groups; g % 8; g++)
            y[g] = 0;
}

/* -------------------------------------------------------------- columns -- */

/* NB vectors from group g, CB columns: work, correction, outputs. */
#define BLOCK(name, work_on, NB, CB)                                                                                  \
    static void name(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c)                       \
    {                                                                                                                 \
        const size_t row = L * (size_t)(m->in_planes && m->weight_planes == 2 ? 2 : 1);                               \
        const struct work b = { l, l->weights + g * (l->steps * row), row, l->steps * row, c };                       \
        __m256i acc[(NB) * (CB)];                                                                                     \
        work_on;                                                                                                      \
        UNROLL for (int i = 0; i < (NB) * (CB); i++) {                                                                \
            __m256i v = acc[i];                                                                                       \
            if (m->in_planes == 2 && m->weight_planes == 1)                                                           \
                v = _mm256_sub_epi32(_mm256_add_epi32(v, v), _mm256_set1_epi32(c[i % (CB)].nonzero));                 \
            put(m, l, g + (uint32_t)(i / (CB)), v, c[i % (CB)].y);                                                    \
        }                                                                                                             \
    }

BLOCK(pairs_2x2, block_pairs(&b, 2, 2, acc), 2, 2)
BLOCK(pairs_2x1, block_pairs(&b, 2, 1, acc), 2, 1)
BLOCK(pairs_1x2, block_pairs(&b, 1, 2, acc), 1, 2)
BLOCK(pairs_1x1, block_pairs(&b, 1, 1, acc), 1, 1)
BLOCK(x1w2_1x1, block_ternary(&b, X1W2, acc), 1, 1)
BLOCK(x2w1_1x1, block_ternary(&b, X2W1, acc), 1, 1)
BLOCK(x2w2_1x1, block_ternary(&b, X2W2, acc), 1, 1)
BLOCK(bytes_2x2, block_bytes(&b, 2, 2, acc), 2, 2)
BLOCK(bytes_1x1, block_bytes(&b, 1, 1, acc), 1, 1)

typedef void (*block_fn)(const bnn_mvtu *, const bnn_lanes *, uint32_t, const struct column *);

/* By vectors and columns; NULL: only one by one. */
static const struct blocks { block_fn b2x2, b1x2, b2x1, b1x1; } blocks[] = {
    [X1W1]  = { pairs_2x2, pairs_1x2, pairs_2x1, pairs_1x1 },
    [X1W2]  = { .b1x1 = x1w2_1x1 },
    [X2W1]  = { .b1x1 = x2w1_1x1 },
    [X2W2]  = { .b1x1 = x2w2_1x1 },
    [BYTES] = { .b2x2 = bytes_2x2, .b1x1 = bytes_1x1 },
};

static int32_t count_nonzero(const bnn_lanes *l, const uint32_t *x)
{
    int32_t n = 0;
    for (uint32_t k = 0; k < l->steps; k++)
        n += __builtin_popcount(x[l->step[k] + l->plane]);
    return n;
}

INLINE void take_column(struct column *c, const bnn_mvtu *m, const bnn_lanes *l, bnn_columns *all)
{
    c->x = (const uint32_t *)(const void *)all->x;
    c->y = all->y;
    if (m->in_planes == 2)
        c->nonzero = count_nonzero(l, c->x);
    if (m->thresholds && l->groups % 8)
        put_padding(m, l->groups, all->y);
    bnn_columns_next(all);
}

/* One or two columns through all vectors. */
static void run_block(const struct blocks *b, const bnn_mvtu *m, const bnn_lanes *l, const struct column *c, size_t columns)
{
    const block_fn two = columns == 2 ? b->b2x2 : b->b2x1, one = columns == 2 ? b->b1x2 : b->b1x1;
    uint32_t g = 0;
    for (; two && g + 2 <= l->groups; g += 2)
        two(m, l, g, c);
    for (; one && g < l->groups; g++)
        one(m, l, g, c);
    for (; g < l->groups; g++)
        for (size_t i = 0; i < columns; i++)
            b->b1x1(m, l, g, c + i);
}

static void run_columns(const bnn_mvtu *m, bnn_columns all, size_t left)
{
    const bnn_lanes l = bnn_lanes_of(m, L);
    struct column c[2];
    while (left > 0) {
        const size_t n = left < 2 ? left : 2;
        for (size_t i = 0; i < n; i++)
            take_column(&c[i], m, &l, &all);
        run_block(&blocks[mode_of(m)], m, &l, c, n);
        left -= n;
    }
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t pixels = (size_t)m->out_height * m->out_width, most = m->in_planes ? images : bnn_lanes_images(m);
    for (size_t i = 0; i < images; i += most) {
        const size_t n = images - i < most ? images - i : most;
        const uint8_t *from = (const uint8_t *)x + i * bnn_mvtu_in_size(m);
        uint8_t *to = (uint8_t *)y + i * bnn_mvtu_out_size(m);
        run_columns(m, m->in_planes ? bnn_columns_of(m, from, to) : bnn_lanes_unroll(m, from, to, n, scratch), n * pixels);
    }
}

/* ---------------------------------------------------------------- input -- */

/* 32 bytes to bits: v >= t where the larger of both is v. */
INLINE uint32_t pack32(const uint8_t *v, __m256i t)
{
    const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)v);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(x, t), x));
}

static void pack(uint64_t *out, const uint8_t *v, unsigned level, const uint8_t *table, size_t n)
{
    const __m256i at_least = _mm256_set1_epi8((char)level);
    uint32_t *half = (uint32_t *)(void *)out;
    size_t i = 0;
    memset(out, 0, (n + 63) / 64 * 8);
    if (!table && level > 255)
        return;
    for (; i + 32 <= n; i += 32)
        *half++ = pack32(v + i, table ? _mm256_loadu_si256((const __m256i *)(const void *)(table + i)) : at_least);
    for (; i < n; i++)
        *half |= (uint32_t)(v[i] >= (table ? table[i] : level)) << (i % 32);
}

/* ------------------------------------------------------------ measuring -- */

static void read_lines(const void *data, size_t bytes)
{
    for (const uint8_t *p = data, *end = p + bytes; p < end; p += 32)
        __asm__ volatile("vmovdqa %0, %%ymm15" : : "m"(*(const __m256i *)(const void *)p) : "ymm15");
}

/* Explicit registers: what the processor can do, not what a compiler makes of it.
 * The kernels' schedule: two steps of a cell; s is the carry, c the counts. */
#define PAIR(s, c)                                     \
    "vpxor %%ymm15, %%ymm14, %%ymm8\n\t"               \
    "vpand %%ymm8, %%ymm" #s ", %%ymm9\n\t"            \
    "vpxor %%ymm8, %%ymm" #s ", %%ymm" #s "\n\t"       \
    "vpxor %%ymm13, %%ymm14, %%ymm8\n\t"               \
    "vpand %%ymm8, %%ymm" #s ", %%ymm10\n\t"           \
    "vpor %%ymm10, %%ymm9, %%ymm9\n\t"                 \
    "vpxor %%ymm8, %%ymm" #s ", %%ymm" #s "\n\t"       \
    "vpand %%ymm12, %%ymm9, %%ymm8\n\t"                \
    "vpsrlw $4, %%ymm9, %%ymm9\n\t"                    \
    "vpshufb %%ymm8, %%ymm15, %%ymm8\n\t"              \
    "vpand %%ymm12, %%ymm9, %%ymm9\n\t"                \
    "vpshufb %%ymm9, %%ymm15, %%ymm9\n\t"              \
    "vpaddb %%ymm8, %%ymm9, %%ymm9\n\t"                \
    "vpaddb %%ymm9, %%ymm" #c ", %%ymm" #c "\n\t"

static uint64_t peak_avx2(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" PAIR(0, 1) PAIR(2, 3) PAIR(4, 5) PAIR(6, 7) "dec %0\n\tjnz 1b"
                     : "+r"(n) : : "cc", "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10",
                     "ymm12", "ymm13", "ymm14", "ymm15");
    return rounds * 4 * 512;
}

static const bnn_peak peaks[] = { { "avx2", peak_avx2 }, { NULL, NULL } };

void bnn_kernels_init_avx2(bnn_kernels *k)
{
    k->name  = "avx2";
    k->unit  = (bnn_unit){ weight_size, weight_pack, bnn_lanes_scratch, mvtu };
    k->pack  = pack;
    k->read  = read_lines;
    k->peaks = peaks;
}
