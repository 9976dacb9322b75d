/* neon.c -- kernels for ARM with Advanced SIMD: AArch64, and ARMv7-A such as the Cortex-A9 of a Zynq-7020.
 *
 * Eight neurons a group (lanes.h), in two vectors of four. vcnt counts the bits
 * of each byte; counts gather in bytes and are widened before they overflow:
 * three operations for 128 positions. A block is two groups by two columns,
 * eight vectors of counts, so that it fits the sixteen registers of ARMv7 too.
 */
#include "kernel/lanes.h"

#include <arm_neon.h>
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

/* Eight lanes of 32 bits. */
typedef struct sums { int32x4_t low, high; } sums;

/* A column: where its window starts, where its outputs go, and for ternary
 * inputs how many values of the window are not zero. */
struct column { const uint32_t *x; uint8_t *y; int32_t nonzero; };

/* What a block works on. */
struct work { const bnn_lanes *l; const uint32_t *w; size_t row, group; const struct column *c; }; /* dwords a step, a group */

enum { CHUNK = 31 }; /* counts of up to 8 that a byte holds */

INLINE uint8x16_t load(const uint32_t *p) { return vreinterpretq_u8_u32(vld1q_u32(p)); }

INLINE uint8x16_t dword(const uint32_t *p) /* of bytes it may lie anywhere */
{
    uint32_t v;
    memcpy(&v, p, 4);
    return vreinterpretq_u8_u32(vdupq_n_u32(v));
}

INLINE int32x4_t widen(uint8x16_t bytes) { return vreinterpretq_s32_u32(vpaddlq_u16(vpaddlq_u8(bytes))); }

INLINE sums zero(void) { return (sums){ vdupq_n_s32(0), vdupq_n_s32(0) }; }

INLINE void add(sums *s, uint8x16_t low, uint8x16_t high)
{
    s->low  = vaddq_s32(s->low, widen(low));
    s->high = vaddq_s32(s->high, widen(high));
}

INLINE uint8x16_t count(uint8x16_t counts, uint8x16_t bits) { return vaddq_u8(counts, vcntq_u8(bits)); }

/* NB groups by CB columns of 1-bit operands. */
INLINE void block_bits(const struct work *b, const int NB, const int CB, sums acc[])
{
    const size_t group = b->group;
    const uint32_t *w = b->w;
    UNROLL for (int i = 0; i < NB * CB; i++)
        acc[i] = zero();
    for (uint32_t k = 0; k < b->l->steps;) {
        const uint32_t end = b->l->steps - k < CHUNK ? b->l->steps : k + CHUNK;
        uint8x16_t counts[8];
        UNROLL for (int i = 0; i < 2 * NB * CB; i++)
            counts[i] = vdupq_n_u8(0);
        for (; k < end; k++, w += L) {
            const uint32_t at = b->l->step[k];
            UNROLL for (int i = 0; i < CB; i++) {
                const uint8x16_t x = dword(b->c[i].x + at);
                UNROLL for (int n = 0; n < NB; n++) {
                    uint8x16_t *c = &counts[2 * (n * CB + i)];
                    c[0] = count(c[0], veorq_u8(x, load(w + n * group)));
                    c[1] = count(c[1], veorq_u8(x, load(w + n * group + 4)));
                }
            }
        }
        UNROLL for (int i = 0; i < NB * CB; i++)
            add(&acc[i], counts[2 * i], counts[2 * i + 1]);
    }
}

/* Half a group (four neurons) of one column, for operands with a nonzero plane. */
INLINE int32x4_t half_ternary(const struct work *b, const enum mode mode, const uint32_t *w)
{
    const bool w2 = mode != X2W1, x2 = mode != X1W2;
    int32x4_t acc = vdupq_n_s32(0);
    for (uint32_t k = 0; k < b->l->steps; k++, w += b->row) {
        const uint32_t *x = b->c->x + b->l->step[k];
        uint8x16_t both = x2 ? dword(x + b->l->plane) : load(w + L);
        if (x2 && w2)
            both = vandq_u8(both, load(w + L));
        const int32x4_t d = widen(vcntq_u8(vandq_u8(veorq_u8(dword(x), load(w)), both)));
        acc = vaddq_s32(acc, d);
        if (mode == X2W2)
            acc = vaddq_s32(acc, vsubq_s32(d, widen(vcntq_u8(both))));
    }
    return acc;
}

INLINE void block_ternary(const struct work *b, const enum mode mode, sums acc[])
{
    acc->low  = half_ternary(b, mode, b->w);
    acc->high = half_ternary(b, mode, b->w + 4);
}

enum { BYTES_CHUNK = 255 }; /* products |-128 x 1| that 16 bits hold */

/* Four products a neuron, two neurons a vector: the sums of four neurons. */
INLINE int32x4_t sum_fours(int16x8_t a, int16x8_t b)
{
    const int32x4_t first = vpaddlq_s16(a), second = vpaddlq_s16(b);
    return vcombine_s32(vpadd_s32(vget_low_s32(first), vget_high_s32(first)), vpadd_s32(vget_low_s32(second), vget_high_s32(second)));
}

/* A group by CB columns of bytes, which are multiplied as signed. */
INLINE void block_bytes(const struct work *b, const int CB, sums acc[])
{
    const uint32_t *w = b->w;
    UNROLL for (int i = 0; i < CB; i++)
        acc[i] = zero();
    for (uint32_t k = 0; k < b->l->steps;) {
        const uint32_t end = b->l->steps - k < BYTES_CHUNK ? b->l->steps : k + BYTES_CHUNK;
        int16x8_t p[8];
        UNROLL for (int i = 0; i < 4 * CB; i++)
            p[i] = vdupq_n_s16(0);
        for (; k < end; k++, w += L) {
            const int8x16_t low = vreinterpretq_s8_u8(load(w)), high = vreinterpretq_s8_u8(load(w + 4));
            UNROLL for (int i = 0; i < CB; i++) {
                const int8x8_t x = vreinterpret_s8_u8(veor_u8(vget_low_u8(dword(b->c[i].x + k)), vdup_n_u8(0x80)));
                p[4 * i]     = vmlal_s8(p[4 * i], x, vget_low_s8(low));
                p[4 * i + 1] = vmlal_s8(p[4 * i + 1], x, vget_high_s8(low));
                p[4 * i + 2] = vmlal_s8(p[4 * i + 2], x, vget_low_s8(high));
                p[4 * i + 3] = vmlal_s8(p[4 * i + 3], x, vget_high_s8(high));
            }
        }
        UNROLL for (int i = 0; i < CB; i++) {
            acc[i].low  = vaddq_s32(acc[i].low, sum_fours(p[4 * i], p[4 * i + 1]));
            acc[i].high = vaddq_s32(acc[i].high, sum_fours(p[4 * i + 2], p[4 * i + 3]));
        }
    }
}

/* -------------------------------------------------------------- results -- */

INLINE uint8_t at_most(sums v, const int32_t *bound)
{
    static const uint8_t bit[8] = { 1, 2, 4, 8, 16, 32, 64, 128 };
    const uint16x8_t fires = vcombine_u16(vmovn_u32(vcleq_s32(v.low, vld1q_s32(bound))), vmovn_u32(vcleq_s32(v.high, vld1q_s32(bound + 4))));
    uint8x8_t bits = vand_u8(vmovn_u16(fires), vld1_u8(bit));
    bits = vpadd_u8(bits, bits);
    bits = vpadd_u8(bits, bits);
    return vget_lane_u8(vpadd_u8(bits, bits), 0);
}

static void put_sums(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, sums v, uint8_t *y)
{
    int32_t sum[L];
    const uint32_t left = m->MH - g * L;
    vst1q_s32(sum, v.low);
    vst1q_s32(sum + 4, v.high);
    for (uint32_t i = 0; i < L; i++)
        sum[i] = l->base[g * L + i] - l->factor * sum[i];
    memcpy(y + g * (size_t)(L * 4), sum, 4 * (size_t)(left < L ? left : L));
}

/* Outputs of 8 neurons, group g, of one column. */
INLINE void put(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, sums v, uint8_t *y)
{
    if (m->thresholds == 0) {
        put_sums(m, l, g, v, y);
        return;
    }
    y[g] = at_most(v, l->bound + g * L);
    if (m->thresholds == 2)
        y[bnn_plane_words(m->MH) * 8 + g] = (uint8_t)(y[g] | ~at_most(v, l->bound + (l->groups + g) * (size_t)L));
}

/* What the lanes hold to v (lanes.h). */
INLINE sums correct(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, sums v, int32_t nonzero)
{
    if (m->in_planes == 0) /* bytes were multiplied as signed */
        return (sums){ vaddq_s32(v.low, vld1q_s32(l->base + g * L)), vaddq_s32(v.high, vld1q_s32(l->base + g * L + 4)) };
    if (m->in_planes == 1 || m->weight_planes == 2)
        return v;
    const int32x4_t n = vdupq_n_s32(nonzero);
    return (sums){ vsubq_s32(vaddq_s32(v.low, v.low), n), vsubq_s32(vaddq_s32(v.high, v.high), n) };
}

/* Zeroes what the last group leaves of each plane's last word. */
static void put_padding(const bnn_mvtu *m, uint32_t groups, uint8_t *y)
{
    for (uint32_t plane = 0; plane < m->thresholds; plane++, y += bnn_plane_words(m->MH) * 8)
        for (uint32_t g = groups; g % 8; g++)
            y[g] = 0;
}

/* -------------------------------------------------------------- columns -- */

/* NB groups from group g, CB columns: work, correction, outputs. */
#define BLOCK(name, work_on, NB, CB)                                                                                  \
    static void name(const bnn_mvtu *m, const bnn_lanes *l, uint32_t g, const struct column *c)                       \
    {                                                                                                                 \
        const size_t row = L * (size_t)(m->in_planes && m->weight_planes == 2 ? 2 : 1);                               \
        const struct work b = { l, l->weights + g * (l->steps * row), row, l->steps * row, c };                       \
        sums acc[(NB) * (CB)];                                                                                        \
        work_on;                                                                                                      \
        UNROLL for (int i = 0; i < (NB) * (CB); i++) {                                                                \
            const uint32_t to = g + (uint32_t)(i / (CB));                                                             \
            put(m, l, to, correct(m, l, to, acc[i], c[i % (CB)].nonzero), c[i % (CB)].y);                             \
        }                                                                                                             \
    }

BLOCK(bits_2x2, block_bits(&b, 2, 2, acc), 2, 2)
BLOCK(bits_2x1, block_bits(&b, 2, 1, acc), 2, 1)
BLOCK(bits_1x1, block_bits(&b, 1, 1, acc), 1, 1)
BLOCK(x1w2_1x1, block_ternary(&b, X1W2, acc), 1, 1)
BLOCK(x2w1_1x1, block_ternary(&b, X2W1, acc), 1, 1)
BLOCK(x2w2_1x1, block_ternary(&b, X2W2, acc), 1, 1)
BLOCK(bytes_1x2, block_bytes(&b, 2, acc), 1, 2)
BLOCK(bytes_1x1, block_bytes(&b, 1, acc), 1, 1)

typedef void (*block_fn)(const bnn_mvtu *, const bnn_lanes *, uint32_t, const struct column *);

/* By groups and columns; NULL: only one by one. */
static const struct blocks { block_fn b2x2, b2x1, b1x2, b1x1; } blocks[] = {
    [X1W1]  = { bits_2x2, bits_2x1, NULL, bits_1x1 },
    [X1W2]  = { .b1x1 = x1w2_1x1 },
    [X2W1]  = { .b1x1 = x2w1_1x1 },
    [X2W2]  = { .b1x1 = x2w2_1x1 },
    [BYTES] = { .b1x2 = bytes_1x2, .b1x1 = bytes_1x1 },
};

static int32_t count_nonzero(const bnn_lanes *l, const uint32_t *x)
{
    int32_t n = 0;
    for (uint32_t k = 0; k < l->steps; k++)
        n += __builtin_popcount(x[l->step[k] + l->plane]);
    return n;
}

static void take_column(struct column *c, const bnn_mvtu *m, const bnn_lanes *l, bnn_columns *all)
{
    c->x = (const uint32_t *)(const void *)all->x;
    c->y = all->y;
    if (m->in_planes == 2)
        c->nonzero = count_nonzero(l, c->x);
    if (m->thresholds && l->groups % 8)
        put_padding(m, l->groups, all->y);
    bnn_columns_next(all);
}

/* One or two columns through all groups. */
static void run_block(const struct blocks *b, const bnn_mvtu *m, const bnn_lanes *l, const struct column *c, size_t columns)
{
    const block_fn two = columns == 2 ? b->b2x2 : b->b2x1;
    uint32_t g = 0;
    for (; two && g + 2 <= l->groups; g += 2)
        two(m, l, g, c);
    for (; b->b1x2 && columns == 2 && g < l->groups; g++)
        b->b1x2(m, l, g, c);
    for (; g < l->groups; g++)
        for (size_t i = 0; i < columns; i++)
            b->b1x1(m, l, g, c + i);
}

static void run_columns(const bnn_mvtu *m, bnn_columns all, size_t left)
{
    const bnn_lanes l = bnn_lanes_of(m, L);
    struct column c[2] = { { 0 } };
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

/* ------------------------------------------------------------ measuring -- */

static void read_lines(const void *data, size_t bytes)
{
    for (const uint8_t *p = data, *end = p + bytes; p < end; p += 16) {
        const uint8x16_t v = vld1q_u8(p);
        __asm__ volatile("" : : "w"(v));
    }
}

static uint64_t peak_neon(uint64_t rounds)
{
    uint8x16_t c[6], x = vdupq_n_u8(0x55), w = vdupq_n_u8(0x0f);
    UNROLL for (int i = 0; i < 6; i++)
        c[i] = vdupq_n_u8(0);
    for (uint64_t r = 0; r < rounds; r++)
        UNROLL for (int i = 0; i < 6; i++) {
            c[i] = count(c[i], veorq_u8(x, w));
            __asm__ volatile("" : "+w"(x)); /* not known to be the same each time */
        }
    UNROLL for (int i = 0; i < 6; i++)
        __asm__ volatile("" : : "w"(c[i]));
    return rounds * 6 * 128;
}

static const bnn_peak peaks[] = { { "neon", peak_neon }, { NULL, NULL } };

void bnn_kernels_init_neon(bnn_kernels *k)
{
    k->name  = "neon";
    k->unit  = (bnn_unit){ weight_size, weight_pack, bnn_lanes_scratch, mvtu };
    k->read  = read_lines;
    k->peaks = peaks;
}
