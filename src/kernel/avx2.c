/* avx2.c -- kernels for x86-64 with AVX2 (Haswell, Zen and later).
 *
 * AVX2 has no population count, but looks 32 bytes up at once: bits go through
 * tables (lookup.h), two operations for 128 synapses. A block is two vectors
 * by four columns, whose counts gather in bytes and are summed before they
 * overflow; one column takes four vectors. Inputs of eight bits have a file of
 * their own.
 */
#include "kernel/avx2_bytes.h"
#include "kernel/lanes.h"
#include "kernel/lookup.h"

#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 8")

INLINE __m256i load(const void *p) { return _mm256_load_si256(p); }

/* --------------------------------------------------------------- places -- */

/* Where the tables of each eight inputs start: one place for bits, the tables lying together, two for ternary. */
static void place_pixel(uint16_t *to, const uint8_t *sign, const uint8_t *nonzero, uint32_t bytes)
{
    for (uint32_t i = 0; !nonzero && i < bytes; i++)
        to[i] = (uint16_t)(sign[i] * 2 * BNN_LOOKUP_TABLE);
    for (uint32_t i = 0; nonzero && i < bytes; i++) {
        to[2 * i]     = (uint16_t)(((sign[i] & 15) | (nonzero[i] & 15) << 4) * BNN_LOOKUP_TABLE);
        to[2 * i + 1] = (uint16_t)((sign[i] >> 4 | (nonzero[i] & 0xf0)) * BNN_LOOKUP_TABLE);
    }
}

/* Maps of bits to maps of places, without padding between pixels. */
static void place(uint16_t *to, const bnn_mvtu *m, const uint8_t *map, size_t images)
{
    const size_t plane = bnn_plane_words(m->in_channels) * 8, pixels = images * m->in_height * m->in_width;
    const uint32_t bytes = (m->in_channels + 7) / 8;
    if (m->in_planes == 1 && bytes == plane) {
        place_pixel(to, map, NULL, (uint32_t)(pixels * bytes));
        return;
    }
    for (size_t i = 0; i < pixels; i++, map += m->in_planes * plane, to += m->in_planes * bytes)
        place_pixel(to, map, m->in_planes == 2 ? map + plane : NULL, bytes);
}

/* -------------------------------------------------------------- look-ups -- */

enum {
    MOST_CHUNKS = 16, /* whose sums 16 bits hold */
    PANEL = 64,       /* columns that take turns with a block's weights, where maps are small */
};

struct column { const uint16_t *x; uint8_t *y; };

INLINE __m256i table_at(const uint8_t *p) { return _mm256_broadcastsi128_si256(_mm_load_si128((const void *)p)); }

/* A look-up of 32 neurons. By hand, since gcc 12 adds look-ups to each other first, and runs out of registers. */
INLINE void count(__m256i *counts, __m256i table, __m256i w)
{
    __m256i found;
    __asm__("vpshufb %[w], %[table], %[found]\n\t"
            "vpaddb %[found], %[counts], %[counts]"
            : [counts] "+x"(*counts), [found] "=&x"(found) : [table] "x"(table), [w] "x"(w));
}

/* Pairs of look-ups: counts[n * CB + i] of vector n, column i. */
INLINE void look_up(const uint8_t *w, size_t group, const struct column *c, size_t at, uint32_t pairs, const bool ternary,
                    const int NB, const int CB, __m256i counts[])
{
    const uint8_t *tables = ternary ? bnn_lookup_ternary : bnn_lookup_bits;
    __m256i sum[8];
    UNROLL for (int i = 0; i < NB * CB; i++)
        sum[i] = _mm256_setzero_si256();
    for (const uint8_t *end = w + pairs * (size_t)(2 * BNN_LOOKUP_LANES); w < end; w += 2 * BNN_LOOKUP_LANES, at += ternary ? 2 : 1) {
        __m256i w0[4], w1[4];
        UNROLL for (int n = 0; n < NB; n++) {
            w0[n] = load(w + n * group);
            w1[n] = load(w + n * group + BNN_LOOKUP_LANES);
        }
        UNROLL for (int i = 0; i < CB; i++) {
            const uint8_t *first = tables + c[i].x[at], *second = ternary ? tables + c[i].x[at + 1] : first + BNN_LOOKUP_TABLE;
            const __m256i t0 = table_at(first);
            UNROLL for (int n = 0; n < NB; n++)
                count(&sum[n * CB + i], t0, w0[n]);
            const __m256i t1 = table_at(second);
            UNROLL for (int n = 0; n < NB; n++)
                count(&sum[n * CB + i], t1, w1[n]);
        }
    }
    UNROLL for (int i = 0; i < NB * CB; i++)
        counts[i] = sum[i];
}

/* Sums of a cell: of 16 bits, even neurons and odd. */
typedef struct near { __m256i even, odd; } near;

/* Sums of CB cells over all chunks, `stride` apart. A word holds even + 256 odd; words and their upper bytes are summed apart. */
INLINE void near_sums(near v[], const __m256i *counts, uint32_t chunks, size_t stride, const int CB)
{
    UNROLL for (int i = 0; i < CB; i++)
        v[i] = (near){ counts[i], _mm256_srli_epi16(counts[i], 8) };
    for (const __m256i *end = counts + chunks * stride; (counts += stride) < end;)
        UNROLL for (int i = 0; i < CB; i++)
            v[i] = (near){ _mm256_add_epi16(v[i].even, counts[i]), _mm256_add_epi16(v[i].odd, _mm256_srli_epi16(counts[i], 8)) };
    UNROLL for (int i = 0; i < CB; i++)
        v[i].even = _mm256_sub_epi16(v[i].even, _mm256_slli_epi16(v[i].odd, 8));
}

INLINE uint32_t near_at_most(near v, near bound)
{
    const __m256i even = _mm256_cmpgt_epi16(v.even, bound.even), odd = _mm256_cmpgt_epi16(v.odd, bound.odd);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_blendv_epi8(even, odd, _mm256_set1_epi16((short)0xff00)));
}

INLINE near near_bound(const bnn_lookup *l, uint32_t g)
{
    const int16_t *at = l->near + g * (size_t)BNN_LOOKUP_LANES;
    return (near){ load(at), load(at + 16) };
}

/* Bits of 32 neurons, group g. */
INLINE void put_bits(uint32_t g, uint32_t bits, uint8_t *y) { memcpy(y + g * (size_t)4, &bits, 4); }

/* Zeroes what the last group leaves of each plane's last word. */
INLINE void put_padding(const bnn_mvtu *m, const bnn_lookup *l, uint32_t end, uint8_t *y)
{
    for (uint32_t plane = 0; end == l->groups && end % 2 && plane < m->thresholds; plane++)
        put_bits(end, 0, y + plane * bnn_plane_words(m->MH) * 8);
}

static void put_sums(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const int32_t *v, uint8_t *y)
{
    int32_t sum[BNN_LOOKUP_LANES];
    const uint32_t left = m->MH - g * BNN_LOOKUP_LANES;
    for (int i = 0; i < BNN_LOOKUP_LANES; i++)
        sum[i] = (l->base - l->factor * v[i]) / 2;
    memcpy(y + g * (size_t)(BNN_LOOKUP_LANES * 4), sum, 4 * (size_t)(left < BNN_LOOKUP_LANES ? left : BNN_LOOKUP_LANES));
}

/* Adds a cell to sums of 32 bits, in the order of the neurons. */
static void widen(int32_t *sum, near v)
{
    _Alignas(32) uint16_t even[16], odd[16];
    _mm256_store_si256((__m256i *)(void *)even, v.even);
    _mm256_store_si256((__m256i *)(void *)odd, v.odd);
    for (int i = 0; i < 16; i++) {
        sum[2 * i]     += even[i];
        sum[2 * i + 1] += odd[i];
    }
}

/* Outputs of group g, one column, of any sums. */
static void put_far(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const int32_t *v, uint8_t *y)
{
    const int32_t *high = l->bound + g * (size_t)BNN_LOOKUP_LANES, *low = high + l->groups * (size_t)BNN_LOOKUP_LANES;
    uint32_t fires = 0, some = 0;
    if (m->thresholds == 0) {
        put_sums(m, l, g, v, y);
        return;
    }
    for (int i = 0; i < BNN_LOOKUP_LANES; i++) {
        fires |= (uint32_t)(v[i] <= high[i]) << i;
        some  |= (uint32_t)(v[i] <= low[i]) << i;
    }
    put_bits(g, fires, y);
    if (m->thresholds == 2)
        put_bits(g, fires | ~some, y + bnn_plane_words(m->MH) * 8);
    put_padding(m, l, g + 1, y);
}

/* Outputs of a cell: group g, one column. */
static void put_near(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, near v, uint8_t *y)
{
    if (m->thresholds == 0) {
        int32_t sum[BNN_LOOKUP_LANES] = { 0 };
        widen(sum, v);
        put_sums(m, l, g, sum, y);
        return;
    }
    const uint32_t fires = near_at_most(v, near_bound(l, g));
    put_bits(g, fires, y);
    if (m->thresholds == 2)
        put_bits(g, fires | ~near_at_most(v, near_bound(l, l->groups + g)), y + bnn_plane_words(m->MH) * 8);
}

/* Of a block; the usual case, one threshold, has its own loop. */
INLINE void put_block(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const struct column *c, const __m256i *counts, uint32_t chunks, const int NB, const int CB)
{
    UNROLL for (int n = 0; n < NB; n++) {
        const uint32_t to = g + (uint32_t)n;
        near v[4];
        near_sums(v, counts + n * CB, chunks, (size_t)(NB * CB), CB);
        if (m->thresholds == 1) {
            const near bound = near_bound(l, to);
            UNROLL for (int i = 0; i < CB; i++)
                put_bits(to, near_at_most(v[i], bound), c[i].y);
        } else {
            for (int i = 0; i < CB; i++)
                put_near(m, l, to, v[i], c[i].y);
        }
    }
    for (int i = 0; i < CB; i++)
        put_padding(m, l, g + (uint32_t)NB, c[i].y);
}

/* NB vectors from group g, CB columns: plane by plane, row by row of the window, in chunks. */
INLINE void block(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const struct column *c, const bool ternary, const int NB, const int CB)
{
    __m256i counts[MOST_CHUNKS * 8], *to = counts;
    const uint32_t most = bnn_lookup_chunk(ternary ? 2 : 1), places = ternary ? 2 : 1;
    const size_t row = (size_t)m->in_width * l->pixel * places;
    const uint8_t *w = l->weights + g * l->group;
    for (uint32_t plane = 0; plane < m->weight_planes; plane++)
        for (size_t y = 0; y < m->kh; y++)
            for (uint32_t k = 0, n; k < l->run; k += n, w += n * (size_t)(2 * BNN_LOOKUP_LANES), to += NB * CB) {
                n = l->run - k < most ? l->run - k : most;
                look_up(w, l->group, c, y * row + k * places, n, ternary, NB, CB, to);
            }
    put_block(m, l, g, c, counts, l->chunks, NB, CB);
}

/* One vector, one column, of a window longer than 16 bits hold. */
static void block_far(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const struct column *c)
{
    const bool ternary = m->in_planes == 2;
    const uint32_t most = bnn_lookup_chunk(ternary ? 2 : 1);
    const size_t row = (size_t)m->in_width * l->pixel * m->in_planes;
    const uint8_t *w = l->weights + g * l->group;
    int32_t sum[BNN_LOOKUP_LANES] = { 0 };
    for (uint32_t plane = 0; plane < m->weight_planes; plane++)
        for (size_t y = 0; y < m->kh; y++)
            for (uint32_t k = 0, n; k < l->run; k += n, w += n * (size_t)(2 * BNN_LOOKUP_LANES)) {
                __m256i counts;
                near v;
                n = l->run - k < most ? l->run - k : most;
                look_up(w, l->group, c, y * row + k * m->in_planes, n, ternary, 1, 1, &counts);
                near_sums(&v, &counts, 1, 1, 1);
                widen(sum, v);
            }
    put_far(m, l, g, sum, c->y);
}

#define BLOCK(name, ternary, NB, CB)                                                                   \
    static void name(const bnn_mvtu *m, const bnn_lookup *l, uint32_t g, const struct column *c)       \
    {                                                                                                  \
        block(m, l, g, c, ternary, NB, CB);                                                            \
    }

BLOCK(bits_2x4, false, 2, 4)
BLOCK(bits_1x4, false, 1, 4)
BLOCK(bits_4x1, false, 4, 1)
BLOCK(bits_1x1, false, 1, 1)
BLOCK(ternary_2x4, true, 2, 4)
BLOCK(ternary_1x4, true, 1, 4)
BLOCK(ternary_4x1, true, 4, 1)
BLOCK(ternary_1x1, true, 1, 1)

typedef void (*block_fn)(const bnn_mvtu *, const bnn_lookup *, uint32_t, const struct column *);

/* By vectors and columns; NULL: only one by one. */
struct blocks { block_fn b2x4, b1x4, b4x1, b1x1; };

static const struct blocks *blocks_of(const bnn_mvtu *m, const bnn_lookup *l)
{
    static const struct blocks bits = { bits_2x4, bits_1x4, bits_4x1, bits_1x1 }, far = { .b1x1 = block_far },
                               ternary = { ternary_2x4, ternary_1x4, ternary_4x1, ternary_1x1 };
    return l->chunks > MOST_CHUNKS ? &far : m->in_planes == 2 ? &ternary : &bits;
}

INLINE struct column take_column(bnn_columns *all)
{
    const struct column c = { (const uint16_t *)(const void *)all->x, all->y };
    bnn_columns_next(all);
    return c;
}

/* Four in a row of the output need one step. */
INLINE void take_four(struct column c[4], bnn_columns *all)
{
    const bool row = all->ox + 4 <= all->width;
    for (int j = 0; !row && j < 4; j++)
        c[j] = take_column(all);
    if (!row)
        return;
    for (size_t j = 0; j < 4; j++)
        c[j] = (struct column){ (const uint16_t *)(const void *)(all->x + j * all->in_pixel), all->y + j * all->out_pixel };
    all->x += 3 * all->in_pixel;
    all->y += 3 * all->out_pixel;
    all->ox += 3;
    bnn_columns_next(all);
}

/* A block's weights stay in L1 while the columns go by in fours. Returns the columns done. */
static size_t run_fours(const struct blocks *b, const bnn_mvtu *m, const bnn_lookup *l, bnn_columns all, size_t columns)
{
    for (uint32_t g = 0; b->b2x4 && g < l->groups; g += 2) {
        bnn_columns at = all;
        for (size_t i = 0; i + 4 <= columns; i += 4) {
            struct column c[4];
            take_four(c, &at);
            (g + 2 <= l->groups ? b->b2x4 : b->b1x4)(m, l, g, c);
        }
    }
    return b->b2x4 ? columns / 4 * 4 : 0;
}

static void run_columns(const bnn_mvtu *m, bnn_columns all, size_t columns)
{
    const bnn_lookup l = bnn_lookup_of(m);
    const struct blocks *b = blocks_of(m, &l);
    const size_t done = run_fours(b, m, &l, all, columns);
    for (size_t i = 0; i < done; i++)
        bnn_columns_next(&all);
    for (size_t i = done; i < columns; i++) {
        const struct column c = take_column(&all);
        uint32_t g = 0;
        for (; b->b4x1 && g + 4 <= l.groups; g += 4)
            b->b4x1(m, &l, g, &c);
        for (; g < l.groups; g++)
            b->b1x1(m, &l, g, &c);
    }
}

/* Images whose places are made at once. */
static size_t panel_images(const bnn_mvtu *m)
{
    const size_t pixels = (size_t)m->out_height * m->out_width;
    return pixels >= PANEL ? 1 : PANEL / pixels;
}

static size_t places_size(const bnn_mvtu *m)
{
    return (size_t)m->in_height * m->in_width * m->in_planes * ((m->in_channels + 7) / 8) * sizeof(uint16_t);
}

static void mvtu_bits(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t pixels = (size_t)m->out_height * m->out_width, most = panel_images(m);
    for (size_t i = 0; i < images; i += most) {
        const size_t n = images - i < most ? images - i : most;
        place(scratch, m, (const uint8_t *)x + i * bnn_mvtu_in_size(m), n);
        bnn_columns c = bnn_columns_of(m, scratch, (uint8_t *)y + i * bnn_mvtu_out_size(m));
        c.in_size  = places_size(m);
        c.in_row   = c.in_size / m->in_height;
        c.in_pixel = c.in_row / m->in_width;
        run_columns(m, c, n * pixels);
    }
}

/* ----------------------------------------------------------------- unit -- */

static size_t weight_size(const bnn_mvtu *m) { return m->in_planes ? bnn_lookup_size(m) : bnn_avx2_bytes.weight_size(m); }

static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    (m->in_planes ? bnn_lookup_pack : bnn_avx2_bytes.weight_pack)(out, m, natural);
}

static size_t scratch_size(const bnn_mvtu *m)
{
    return m->in_planes ? panel_images(m) * places_size(m) : bnn_avx2_bytes.scratch_size(m);
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    (m->in_planes ? mvtu_bits : bnn_avx2_bytes.mvtu)(m, x, y, images, scratch);
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
 * A table's look-up and the sum of its counts: two operations for 32 x 4 synapses. */
#define LOOK_UP(c, t)                                  \
    "vpshufb %%ymm15, %%ymm14, %%ymm" #t "\n\t"        \
    "vpaddb %%ymm" #t ", %%ymm" #c ", %%ymm" #c "\n\t"

#define SIX_LOOK_UPS LOOK_UP(0, 6) LOOK_UP(1, 7) LOOK_UP(2, 8) LOOK_UP(3, 9) LOOK_UP(4, 10) LOOK_UP(5, 11)

static uint64_t peak_avx2(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" SIX_LOOK_UPS SIX_LOOK_UPS "dec %0\n\tjnz 1b"
                     : "+r"(n) : : "cc", "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10",
                     "ymm11", "ymm14", "ymm15");
    return rounds * 12 * 128;
}

/* The population counts that AVX2 is otherwise used for: two steps through a full adder, s the sum, then two
 * look-ups of the carry's nibbles, c the counts. */
#define ADD_COUNT(s, c)                                     \
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

static uint64_t peak_count(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" ADD_COUNT(0, 1) ADD_COUNT(2, 3) ADD_COUNT(4, 5) ADD_COUNT(6, 7) "dec %0\n\tjnz 1b"
                     : "+r"(n) : : "cc", "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10",
                     "ymm12", "ymm13", "ymm14", "ymm15");
    return rounds * 4 * 512;
}

static const bnn_peak peaks[] = { { "avx2", peak_avx2 }, { "avx2-count", peak_count }, { NULL, NULL } };

void bnn_kernels_init_avx2(bnn_kernels *k)
{
    k->name  = "avx2";
    k->unit  = (bnn_unit){ weight_size, weight_pack, scratch_size, mvtu };
    k->pack  = pack;
    k->read  = read_lines;
    k->peaks = peaks;
}
