/* avx512.c -- kernels for AVX-512 with VPOPCNTDQ, BITALG and VNNI (Ice Lake, Zen 4 and later).
 *
 * Sixteen neurons a vector (lanes.h). A block is NB vectors by CB columns,
 * whose sums live in NB x CB registers while the steps go by; per step a block
 * loads NB vectors of weights and broadcasts CB dwords, for NB x CB units of
 * work. Many columns: blocks of 2 x 8, so that weights stream from L2 at a
 * twelfth of what it gives. One column: 8 x 1, bound by that stream, and so a
 * whole layer in one function, whose blocks follow each other without a gap.
 *
 * Two schedules for 1-bit operands. base: xor, vpopcntd, vpaddd, 3 operations
 * for 512 positions. csa: a full adder takes two steps and the carry s,
 *
 *     p = s ^ a0 ^ w0    s' = p ^ a1 ^ w1    carry = p ? ~s' : s
 *
 * so that only every second step is counted, with weight 2: 5 operations for
 * 1,024 positions, of which 3 are vpternlogd. Intel's cores run it faster than
 * base, AMD's Zen 4 slower (it starts fewer than two vpternlogd a cycle). The
 * level measures both when it is chosen.
 */
#include "kernel/avx512_sums.h"
#include "kernel/lanes.h"

#include <immintrin.h>
#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

enum { L = 16 };

/* What meets what; the unit of work of each is `step` below. */
enum mode { X1W1, X1W2, X2W1, X2W2, BYTES };

static enum mode mode_of(const bnn_mvtu *m)
{
    return m->in_planes == 0 ? BYTES : (enum mode)((m->in_planes - 1) * 2 + m->weight_planes - 1);
}

static size_t weight_size(const bnn_mvtu *m)
{
    return bnn_avx512_sums_takes(m) ? bnn_avx512_sums.weight_size(m) : bnn_lanes_size(m, L);
}

static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    if (bnn_avx512_sums_takes(m))
        bnn_avx512_sums.weight_pack(out, m, natural);
    else
        bnn_lanes_pack(out, m, natural, L);
}

static size_t scratch_size(const bnn_mvtu *m)
{
    return bnn_avx512_sums_takes(m) ? bnn_avx512_sums.scratch_size(m) : bnn_lanes_scratch(m);
}

/* ---------------------------------------------------------------- steps -- */

/* acc + the four products of each lane, unsigned by signed bytes. By hand: gcc
 * 12 copies the accumulators of its own intrinsic around, through the stack. */
INLINE __m512i dot4(__m512i acc, __m512i u, __m512i s)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
    return acc;
}

INLINE __m512i count(__m512i acc, __m512i bits) { return _mm512_add_epi32(acc, _mm512_popcnt_epi32(bits)); }

/* The same by hand: of one column gcc copies the accumulators around too (of many it orders the operations better than this). */
INLINE __m512i count_alone(__m512i acc, __m512i bits)
{
    __asm__("vpopcntd %1, %1\n\t"
            "vpaddd %1, %0, %0" : "+v"(acc), "+v"(bits));
    return acc;
}

/* acc + the count of (x ^ w) & n, by hand for the same reason as dot4. */
INLINE __m512i count_within(__m512i acc, __m512i x, __m512i w, __m512i n)
{
    __asm__("vpternlogd $0x28, %3, %2, %1\n\t"
            "vpopcntd %1, %1\n\t"
            "vpaddd %1, %0, %0"
            : "+v"(acc), "+v"(x) : "v"(w), "v"(n));
    return acc;
}

/* One step of one cell. x, w: signs (or bytes); xn, wn: nonzero planes. */
INLINE __m512i step(enum mode mode, __m512i acc, __m512i x, __m512i xn, __m512i w, __m512i wn)
{
    switch (mode) {
    case X1W1: return count(acc, _mm512_xor_si512(x, w));
    case X1W2: return count(acc, _mm512_ternarylogic_epi32(x, w, wn, 0x28)); /* (x ^ w) & wn */
    case X2W1: return count_within(acc, x, w, xn);
    case X2W2: { /* 2 d - count(both): d counts twice, and every position of both once against it */
        const __m512i both = _mm512_and_si512(xn, wn), differ = _mm512_ternarylogic_epi32(x, w, both, 0x28);
        acc = dot4(acc, _mm512_popcnt_epi8(differ), _mm512_set1_epi8(2));
        return dot4(acc, _mm512_popcnt_epi8(both), _mm512_set1_epi8(-1));
    }
    case BYTES: return dot4(acc, x, w);
    }
    return acc;
}

INLINE __m512i dword(const uint32_t *p) /* of bytes it may lie anywhere */
{
    int32_t v;
    memcpy(&v, p, 4);
    return _mm512_set1_epi32(v);
}

/* A column: where its window starts, where its outputs go, and for ternary
 * inputs how many values of the window are not zero. */
struct column { const uint32_t *x; uint8_t *y; int32_t nonzero; };

/* acc[n * CB + i] = v of vector n, column i, before the column's own correction. */
INLINE void block(const bnn_lanes *l, const uint32_t *w, const struct column *c, const enum mode mode, const int NB,
                  const int CB, __m512i acc[])
{
    const bool w2 = mode == X1W2 || mode == X2W2, x2 = mode == X2W1 || mode == X2W2;
    const size_t row = w2 ? 2 * L : L, group = l->steps * row; /* dwords a step, a vector of neurons */
    const uint32_t *at = l->step, plane = l->plane;
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = _mm512_setzero_si512();
    for (uint32_t k = 0; k < l->steps; k++, w += row) {
        const size_t here = mode == BYTES ? k : at[k];
        __m512i ws[8], wn[8];
        UNROLL for (int n = 0; n < NB; n++) {
            ws[n] = _mm512_load_si512(w + n * group);
            wn[n] = w2 ? _mm512_load_si512(w + n * group + L) : ws[n];
        }
        UNROLL for (int i = 0; i < CB; i++) {
            const __m512i xs = dword(c[i].x + here), xn = x2 ? dword(c[i].x + here + plane) : xs;
            UNROLL for (int n = 0; n < NB; n++)
                acc[n * CB + i] = mode == X1W1 && CB == 1 ? count_alone(acc[n], _mm512_xor_si512(xs, ws[n]))
                                                          : step(mode, acc[n * CB + i], xs, xn, ws[n], wn[n]);
        }
    }
}

/* As block, for X1W1 by carry-save; acc counts pairs until the end. */
INLINE void block_csa(const bnn_lanes *l, const uint32_t *w, const struct column *c, const int NB, const int CB, __m512i acc[])
{
    const size_t group = l->steps * (size_t)L;
    const __m512i two = _mm512_set1_epi8(2);
    __m512i s[8];
    uint32_t k = 0;
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = s[i] = _mm512_setzero_si512();
    for (; k + 2 <= l->steps; k += 2, w += 2 * L) {
        const size_t at0 = l->step[k], at1 = l->step[k + 1];
        UNROLL for (int i = 0; i < CB; i++) {
            const __m512i a0 = dword(c[i].x + at0), a1 = dword(c[i].x + at1);
            UNROLL for (int n = 0; n < NB; n++) {
                const int at = n * CB + i;
                const __m512i p = _mm512_ternarylogic_epi32(s[at], a0, _mm512_load_si512(w + n * group), 0x96);
                const __m512i t = _mm512_ternarylogic_epi32(p, a1, _mm512_load_si512(w + n * group + L), 0x96);
                const __m512i carry = _mm512_ternarylogic_epi32(s[at], t, p, 0x72); /* p ? ~t : s: majority of the three */
                s[at] = t;
                acc[at] = dot4(acc[at], _mm512_popcnt_epi8(carry), two);
            }
        }
    }
    UNROLL for (int i = 0; i < CB; i++)
        UNROLL for (int n = 0; n < NB; n++) {
            acc[n * CB + i] = count(acc[n * CB + i], s[n * CB + i]);
            if (k < l->steps)
                acc[n * CB + i] = count(acc[n * CB + i], _mm512_xor_si512(dword(c[i].x + l->step[k]), _mm512_load_si512(w + n * group)));
        }
}

/* -------------------------------------------------------------- results -- */

/* 16 bounds, from `first` of [2][groups x L] on: of 16 bits where they are kept as such, which is less to read. */
INLINE __m512i bound_at(const bnn_lanes *l, size_t first)
{
    return l->narrow ? _mm512_cvtepi16_epi32(_mm256_load_si256((const __m256i *)(const void *)(l->narrow + first)))
                     : _mm512_load_si512(l->bound + first);
}

/* Outputs of 16 neurons, group g, of one column. */
INLINE void put(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, __m512i v, uint8_t *y)
{
    if (m->thresholds == 0) {
        const __m512i base = _mm512_load_si512(l->base + g * L);
        const __m512i sum = _mm512_sub_epi32(base, l->factor == 2 ? _mm512_add_epi32(v, v) : v);
        const uint32_t left = m->MH - g * L;
        _mm512_mask_storeu_epi32(y + g * (size_t)(L * 4), left < L ? (__mmask16)((1u << left) - 1) : 0xffff, sum);
        return;
    }
    const __mmask16 fires = _mm512_cmple_epi32_mask(v, bound_at(l, g * (size_t)L));
    ((uint16_t *)(void *)y)[g] = fires;
    if (m->thresholds == 2) {
        const __mmask16 some = _mm512_cmple_epi32_mask(v, bound_at(l, (l->groups + g) * (size_t)L));
        ((uint16_t *)(void *)(y + bnn_plane_words(m->MH) * 8))[g] = (uint16_t)(fires | ~some);
    }
}

/* Zeroes what the last group leaves of each plane's last word. */
static void put_padding(const bnn_mvtu *m, uint32_t groups, uint8_t *y)
{
    for (uint32_t plane = 0; plane < m->thresholds; plane++, y += bnn_plane_words(m->MH) * 8)
        for (uint32_t g = groups; g % 4; g++)
            ((uint16_t *)(void *)y)[g] = 0;
}

/* -------------------------------------------------------------- columns -- */

/* The bits of NB = 2 or 4 groups, one threshold a neuron, of one column of a block; acc from its first group on. */
INLINE uint64_t fire(const __m512i bound[], const __m512i acc[], const int NB, const int CB)
{
    const __mmask32 low = _mm512_kunpackw(_mm512_cmple_epi32_mask(acc[CB], bound[1]), _mm512_cmple_epi32_mask(acc[0], bound[0]));
    if (NB == 2)
        return low;
    return _mm512_kunpackd(_mm512_kunpackw(_mm512_cmple_epi32_mask(acc[3 * CB], bound[3]), _mm512_cmple_epi32_mask(acc[2 * CB], bound[2])), low);
}

/* Outputs of a block. Usual cases, one threshold and groups in pairs or fours, write 32 or 64 bits at once. */
INLINE void put_block(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c, const __m512i acc[], const int NB, const int CB)
{
    const int some = NB % 4 == 0 ? 4 : 2;
    if (NB > 1 && m->thresholds == 1) {
        for (int n = 0; n < NB; n += some) {
            __m512i bound[4];
            UNROLL for (int k = 0; k < some; k++)
                bound[k] = bound_at(l, (g + (size_t)(n + k)) * L);
            UNROLL for (int i = 0; i < CB; i++) {
                const uint64_t bits = fire(bound, acc + n * CB + i, some, CB);
                memcpy(c[i].y + (g + (size_t)n) * 2, &bits, (size_t)some * 2);
            }
        }
        return;
    }
    UNROLL for (int n = 0; n < NB; n++)
        UNROLL for (int i = 0; i < CB; i++)
            put(m, l, g + (uint32_t)n, acc[n * CB + i], c[i].y);
}

/* Ternary inputs: 2 d - count(nonzero), of each column. */
INLINE void correct(const struct column *c, __m512i acc[], const int NB, const int CB)
{
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = _mm512_sub_epi32(_mm512_add_epi32(acc[i], acc[i]), _mm512_set1_epi32(c[i % CB].nonzero));
}

/* NB vectors from group g, CB columns: work, correction, outputs. */
INLINE void run_block(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c, const enum mode mode, const int NB, const int CB)
{
    const size_t group = l->steps * (size_t)L * (mode == X1W2 || mode == X2W2 ? 2 : 1);
    __m512i acc[16];
    block(l, l->weights + g * group, c, mode, NB, CB, acc);
    if (mode == X2W1)
        correct(c, acc, NB, CB);
    put_block(m, l, g, c, acc, NB, CB);
}

/* Blocks of eight columns, and all neurons of one. */
#define LAYER(name, MODE)                                                                         \
    static void name##_2x8(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c) \
    {                                                                                             \
        run_block(m, l, g, c, MODE, 2, 8);                                                        \
    }                                                                                             \
    static void name##_1x8(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c) \
    {                                                                                             \
        run_block(m, l, g, c, MODE, 1, 8);                                                        \
    }                                                                                             \
    static void name##_one(const bnn_mvtu *m, const struct column *from)                          \
    {                                                                                             \
        const bnn_lanes own = bnn_lanes_of(m, L), *l = &own;                                      \
        const struct column column = *from, *c = &column;                                         \
        uint32_t g = 0;                                                                           \
        for (; g + 8 <= l->groups; g += 8)                                                        \
            run_block(m, l, g, c, MODE, 8, 1);                                                    \
        for (; g + 4 <= l->groups; g += 4)                                                        \
            run_block(m, l, g, c, MODE, 4, 1);                                                    \
        for (; g < l->groups; g++)                                                                \
            run_block(m, l, g, c, MODE, 1, 1);                                                    \
    }

LAYER(x1w1, X1W1)
LAYER(x1w2, X1W2)
LAYER(x2w1, X2W1)
LAYER(x2w2, X2W2)
LAYER(bytes, BYTES)

/* X1W1 by carry-save; twice 2 x 4, since a cell takes two registers. */
static void csa_2x4(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c)
{
    __m512i acc[8];
    block_csa(l, l->weights + g * l->steps * (size_t)L, c, 2, 4, acc);
    put_block(m, l, g, c, acc, 2, 4);
}

static void csa_2x8(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c)
{
    csa_2x4(m, l, g, c);
    csa_2x4(m, l, g, c + 4);
}

typedef void (*block_fn)(const bnn_mvtu *, const bnn_lanes *, uint32_t, const struct column *);
struct layers { block_fn many2, many1; void (*one)(const bnn_mvtu *, const struct column *); };

static const struct layers layers[] = {
    [X1W1]  = { x1w1_2x8, x1w1_1x8, x1w1_one },
    [X1W2]  = { x1w2_2x8, x1w2_1x8, x1w2_one },
    [X2W1]  = { x2w1_2x8, x2w1_1x8, x2w1_one },
    [X2W2]  = { x2w2_2x8, x2w2_1x8, x2w2_one },
    [BYTES] = { bytes_2x8, bytes_1x8, bytes_one },
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
    if (m->thresholds && l->groups % 4)
        put_padding(m, l->groups, all->y);
    bnn_columns_next(all);
}

static void run_columns(const struct layers *f, const bnn_mvtu *m, bnn_columns all, size_t left)
{
    const bnn_lanes l = bnn_lanes_of(m, L);
    struct column c[8];
    for (; left >= 8; left -= 8) {
        uint32_t g = 0;
        for (int i = 0; i < 8; i++)
            take_column(&c[i], m, &l, &all);
        for (; g + 2 <= l.groups; g += 2)
            f->many2(m, &l, g, c);
        if (g < l.groups)
            f->many1(m, &l, g, c);
    }
    for (; left > 0; left--) {
        take_column(&c[0], m, &l, &all);
        f->one(m, c);
    }
}

/* 8-bit maps, unrolled a few at a time. */
static void run_bytes(const bnn_mvtu *m, const uint8_t *x, uint8_t *y, size_t images, void *scratch)
{
    const size_t pixels = (size_t)m->out_height * m->out_width, most = bnn_lanes_images(m);
    for (size_t n; images > 0; images -= n, x += n * bnn_mvtu_in_size(m), y += n * bnn_mvtu_out_size(m)) {
        n = images < most ? images : most;
        run_columns(&layers[BYTES], m, bnn_lanes_unroll(m, x, y, n, scratch), n * pixels);
    }
}

/* One column of one image. Little is done between its layers: what the core works off there keeps it from asking for weights. */
static void run_one(const struct layers *f, const bnn_mvtu *m, const void *x, void *y)
{
    const struct column c = { .x = x, .y = y };
    if (m->thresholds && m->MH % 64)
        put_padding(m, (m->MH + L - 1) / L, y);
    f->one(m, &c);
}

static void run(const struct layers *f, const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t columns = images * m->out_height * m->out_width;
    if (m->in_planes == 1 && columns == 1)
        run_one(f, m, x, y);
    else if (m->in_planes)
        run_columns(f, m, bnn_columns_of(m, x, y), columns);
    else if (bnn_avx512_sums_takes(m))
        bnn_avx512_sums.mvtu(m, x, y, images, scratch);
    else
        run_bytes(m, x, y, images, scratch);
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    run(&layers[mode_of(m)], m, x, y, images, scratch);
}

static void mvtu_csa(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    static const struct layers csa = { csa_2x8, x1w1_1x8, x1w1_one };
    run(mode_of(m) == X1W1 ? &csa : &layers[mode_of(m)], m, x, y, images, scratch);
}

/* ---------------------------------------------------------------- input -- */

static void pack(uint64_t *out, const uint8_t *v, unsigned level, const uint8_t *table, size_t n)
{
    const __m512i at_least = _mm512_set1_epi8((char)level);
    for (size_t i = 0; i < n; i += 64) {
        const __mmask64 some = n - i < 64 ? ((__mmask64)1 << (n - i)) - 1 : ~(__mmask64)0;
        const __m512i t = table ? _mm512_maskz_loadu_epi8(some, table + i) : at_least;
        out[i / 64] = !table && level > 255 ? 0 : _mm512_mask_cmpge_epu8_mask(some, _mm512_maskz_loadu_epi8(some, v + i), t);
    }
}

/* ------------------------------------------------------------ measuring -- */

static void read_lines(const void *data, size_t bytes)
{
    for (const uint8_t *p = data, *end = p + bytes; p < end; p += 64)
        __asm__ volatile("vmovdqa64 %0, %%zmm31" : : "m"(*(const __m512i *)(const void *)p) : "zmm31");
}

/* Explicit registers: what the processor can do, not what a compiler makes of it. */
#define EIGHT(X) X(0, 8) X(1, 9) X(2, 10) X(3, 11) X(4, 12) X(5, 13) X(6, 14) X(7, 15)
#define BASE(a, t)                                             \
    "vpxord %%zmm31, %%zmm30, %%zmm" #t "\n\t"                 \
    "vpopcntd %%zmm" #t ", %%zmm" #t "\n\t"                    \
    "vpaddd %%zmm" #t ", %%zmm" #a ", %%zmm" #a "\n\t"
/* s and t change places, so that the next step finds s' in s. */
#define CSA(s, t, p, a)                                        \
    "vmovdqa64 %%zmm" #s ", %%zmm" #p "\n\t"                   \
    "vpternlogd $0x96, %%zmm31, %%zmm30, %%zmm" #p "\n\t"      \
    "vmovdqa64 %%zmm" #p ", %%zmm" #t "\n\t"                   \
    "vpternlogd $0x96, %%zmm29, %%zmm28, %%zmm" #t "\n\t"      \
    "vpternlogd $0x72, %%zmm" #p ", %%zmm" #t ", %%zmm" #s "\n\t" \
    "vpopcntb %%zmm" #s ", %%zmm" #s "\n\t"                    \
    "vpdpbusd %%zmm27, %%zmm" #s ", %%zmm" #a "\n\t"
#define EIGHT_CSA CSA(0, 4, 8, 16) CSA(1, 5, 9, 17) CSA(2, 6, 10, 18) CSA(3, 7, 11, 19) \
                  CSA(4, 0, 12, 20) CSA(5, 1, 13, 21) CSA(6, 2, 14, 22) CSA(7, 3, 15, 23)
#define BYTE(a, t) "vpdpbusd %%zmm31, %%zmm30, %%zmm" #a "\n\t" "vpdpbusd %%zmm31, %%zmm30, %%zmm" #t "\n\t"
#define CLOBBERS "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9", "zmm10", "zmm11", "zmm12",   \
                 "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18", "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm27", \
                 "zmm28", "zmm29", "zmm30", "zmm31"

static uint64_t peak_base(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" EIGHT(BASE) EIGHT(BASE) "dec %0\n\tjnz 1b" : "+r"(n) : : "cc", CLOBBERS);
    return rounds * 16 * 512;
}

static uint64_t peak_csa(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" EIGHT_CSA "dec %0\n\tjnz 1b" : "+r"(n) : : "cc", CLOBBERS);
    return rounds * 8 * 1024;
}

static uint64_t peak_int8(uint64_t rounds)
{
    uint64_t n = rounds;
    __asm__ volatile("1:\n\t" EIGHT(BYTE) "dec %0\n\tjnz 1b" : "+r"(n) : : "cc", CLOBBERS);
    return rounds * 16 * 64;
}

static const bnn_peak peaks[] = { { "base", peak_base }, { "csa", peak_csa }, { "int8", peak_int8 }, { NULL, NULL } };

/* True when csa beats base by more than the measurement wavers: best of a few runs of about 20 us. */
static bool csa_is_faster(void)
{
    enum { ROUNDS = 2048, TRIES = 5 };
    uint64_t base = UINT64_MAX, csa = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        const uint64_t start = __rdtsc();
        peak_base(ROUNDS);
        const uint64_t middle = __rdtsc();
        peak_csa(ROUNDS);
        const uint64_t end = __rdtsc();
        base = middle - start < base ? middle - start : base;
        csa = end - middle < csa ? end - middle : csa;
    }
    return csa < base - base / 20;
}

void bnn_kernels_init_avx512(bnn_kernels *k)
{
    k->name  = "avx512";
    k->unit  = (bnn_unit){ weight_size, weight_pack, scratch_size, csa_is_faster() ? mvtu_csa : mvtu };
    k->pack  = pack;
    k->read  = read_lines;
    k->peaks = peaks;
}
