/* lookup.c -- the tables, indices and sums of lookup.h, with AVX-512. */
#include "train/lookup.h"

#include <string.h>

enum { NATURAL, LESS_ONE, BIT_0, CONSTANT = BIT_0 + 8 };

/* A sign is +1 where the byte's bits 2 to 5 are 0, -1 where they are 1.
 * -1 and +1 are that as they stand; of -1, 0, +1 so are x (two signs: x < 0 is
 * -1, -1) and x - 1. Of 8 bits, x + 128 = sum 2^k (1 + s_k) / 2. */
size_t bnn_lookup_planes(bnn_lookup_plane out[BNN_LOOKUP_PLANES], uint32_t bits)
{
    if (bits == 1) {
        out[0] = (bnn_lookup_plane){ NATURAL, 1 };
        return 1;
    }
    if (bits == 2) {
        out[0] = (bnn_lookup_plane){ NATURAL, 0.5f };
        out[1] = (bnn_lookup_plane){ LESS_ONE, 0.5f };
        return 2;
    }
    for (int k = 0; k < 8; k++)
        out[k] = (bnn_lookup_plane){ BIT_0 + k, 0.5f * (float)(1 << k) };
    out[8] = (bnn_lookup_plane){ CONSTANT, -0.5f };
    return 9;
}

#if defined(__x86_64__)
#include <immintrin.h>

bool bnn_lookup_works(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi")
           && __builtin_cpu_supports("avx512vnni");
}

/* ------------------------------------------------------------- indices -- */

static inline __m512i signs(__m512i x, int shape)
{
    if (shape == NATURAL)
        return x;
    if (shape == LESS_ONE)
        return _mm512_sub_epi8(x, _mm512_set1_epi8(1));
    if (shape == CONSTANT)
        return _mm512_setzero_si512();
    const __m512i above = _mm512_xor_si512(x, _mm512_set1_epi8(-128)); /* x + 128 */
    return _mm512_movm_epi8(_mm512_testn_epi8_mask(above, _mm512_set1_epi8((char)(1 << (shape - BIT_0)))));
}

/* where m has ones a, else b */
static inline __m512i choose(__m512i a, __m512i b, int m)
{
    return _mm512_ternarylogic_epi32(_mm512_set1_epi8((char)m), a, b, 0xca);
}

/* Index of group j in each of 64 columns: the table's byte 4 pattern + j, whose
 * pattern has bit i set where the sign of k = 4 i + j is -1. */
static inline __m512i index_of(const __m512i x[16], int j)
{
    __m512i v = choose(x[j], x[4 + j], 0x04);
    v = choose(v, x[8 + j], 0x0c);
    v = choose(v, x[12 + j], 0x1c);
    return _mm512_ternarylogic_epi32(v, _mm512_set1_epi8(0x3c), _mm512_set1_epi8((char)j), 0xea); /* (v & 0x3c) | j */
}

/* The four vectors of a block hold columns 16 L + 4 v + 0 .. 3 in lane L of
 * vector v, as the interleaving leaves them; put_lanes undoes it on the sums. */
void bnn_lookup_block(uint8_t *out, const int8_t *const row[16], size_t columns, int shape)
{
    const __mmask64 there = columns < 64 ? ((__mmask64)1 << columns) - 1 : ~(__mmask64)0;
    __m512i x[16];
    for (int i = 0; i < 16; i++)
        x[i] = signs(_mm512_maskz_loadu_epi8(there, row[i]), shape);
    const __m512i i0 = index_of(x, 0), i1 = index_of(x, 1), i2 = index_of(x, 2), i3 = index_of(x, 3);
    const __m512i low01 = _mm512_unpacklo_epi8(i0, i1), high01 = _mm512_unpackhi_epi8(i0, i1);
    const __m512i low23 = _mm512_unpacklo_epi8(i2, i3), high23 = _mm512_unpackhi_epi8(i2, i3);
    _mm512_storeu_si512(out, _mm512_unpacklo_epi16(low01, low23));
    _mm512_storeu_si512(out + 64, _mm512_unpackhi_epi16(low01, low23));
    _mm512_storeu_si512(out + 128, _mm512_unpacklo_epi16(high01, high23));
    _mm512_storeu_si512(out + 192, _mm512_unpackhi_epi16(high01, high23));
}

/* -------------------------------------------------------------- tables -- */

/* Of the 16 q in a lane: dword p of the table has, for pattern p, the sums of
 * the four groups; dword i of q is their i-th terms. */
static inline __m512i table_of(__m512i q, __m512i minus_q, int lane)
{
    __m512i sum = _mm512_setzero_si512();
#define TERM(i) \
    _mm512_permutex2var_epi32(q, _mm512_add_epi32(_mm512_set1_epi32(4 * lane + (i)), \
        _mm512_maskz_set1_epi32(patterns_with[i], 16)), minus_q)
    static const __mmask16 patterns_with[4] = { 0xaaaa, 0xcccc, 0xf0f0, 0xff00 };
    sum = _mm512_add_epi8(TERM(0), TERM(1));
    return _mm512_add_epi8(sum, _mm512_add_epi8(TERM(2), TERM(3)));
#undef TERM
}

static inline void put_tables(uint8_t *out, size_t stride, __m512i q)
{
    const __m512i minus_q = _mm512_sub_epi8(_mm512_setzero_si512(), q);
    _mm512_storeu_si512(out, table_of(q, minus_q, 0));
    _mm512_storeu_si512(out + stride, table_of(q, minus_q, 1));
    _mm512_storeu_si512(out + 2 * stride, table_of(q, minus_q, 2));
    _mm512_storeu_si512(out + 3 * stride, table_of(q, minus_q, 3));
}

void bnn_lookup_tables(uint8_t *out, const int8_t *q, size_t count)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4)
        put_tables(out + 64 * i, 64, _mm512_loadu_si512(q + 16 * i));
    for (; i < count; i++) {
        const __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)(q + 16 * i)));
        _mm512_storeu_si512(out + 64 * i, table_of(v, _mm512_sub_epi8(_mm512_setzero_si512(), v), 0));
    }
}

/* Each of the 4 lanes is a 16 x 16 matrix of bytes; four rounds of interleaving
 * rows i and i + 8 transpose it. Lane L of vector i then is column 16 L + i. */
static inline void transpose(__m512i x[16])
{
    __m512i y[16];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 8; i++) {
            y[2 * i]     = _mm512_unpacklo_epi8(x[i], x[i + 8]);
            y[2 * i + 1] = _mm512_unpackhi_epi8(x[i], x[i + 8]);
        }
        for (int i = 0; i < 16; i++)
            x[i] = y[i];
    }
}

void bnn_lookup_tables_down(uint8_t *out, size_t tile, const int8_t *q, size_t stride)
{
    __m512i x[16];
    for (int i = 0; i < 16; i++)
        x[i] = _mm512_loadu_si512(q + (size_t)i * stride);
    transpose(x);
    for (size_t i = 0; i < 16; i++)
        put_tables(out + i / 4 * tile + i % 4 * 64, 4 * tile, x[i]);
}

/* ---------------------------------------------------------------- sums -- */

/* Lanes 4 x 4 transposed: vector L then has columns 16 L .. 16 L + 15. */
static inline void put_lanes(__m512i out[4], __m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i ab_low = _mm512_shuffle_i32x4(a, b, 0x44), ab_high = _mm512_shuffle_i32x4(a, b, 0xee);
    const __m512i cd_low = _mm512_shuffle_i32x4(c, d, 0x44), cd_high = _mm512_shuffle_i32x4(c, d, 0xee);
    out[0] = _mm512_shuffle_i32x4(ab_low, cd_low, 0x88);
    out[1] = _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd);
    out[2] = _mm512_shuffle_i32x4(ab_high, cd_high, 0x88);
    out[3] = _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd);
}

static inline void put_row(float *c, size_t columns, float scale, bool add, __m512i a0, __m512i a1, __m512i a2, __m512i a3)
{
    __m512i sum[4];
    put_lanes(sum, a0, a1, a2, a3);
    for (size_t v = 0; 16 * v < columns; v++) {
        const __mmask16 there = columns - 16 * v < 16 ? (__mmask16)((1u << (columns - 16 * v)) - 1) : (__mmask16)0xffff;
        const __m512 was = add ? _mm512_maskz_loadu_ps(there, c + 16 * v) : _mm512_setzero_ps();
        const __m512 now = _mm512_mul_ps(_mm512_cvtepi32_ps(sum[v]), _mm512_set1_ps(scale));
        _mm512_mask_storeu_ps(c + 16 * v, there, _mm512_add_ps(was, now));
    }
}

#define SUM(acc, table, index) _mm512_dpbusd_epi32(acc, ones, _mm512_permutexvar_epi8(index, table))

/* The four sums of row m. */
#define ROW(m)                                                                          \
    do {                                                                                \
        const __m512i table = _mm512_loadu_si512(a + (m) * t->table_row);               \
        c##m##0 = SUM(c##m##0, table, i0);                                              \
        c##m##1 = SUM(c##m##1, table, i1);                                              \
        c##m##2 = SUM(c##m##2, table, i2);                                              \
        c##m##3 = SUM(c##m##3, table, i3);                                              \
    } while (0)

/* `rows` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void tile_of(const bnn_lookup_tile *t, int rows, size_t columns, float *c,
                                                           size_t ldc, float scale, bool add)
{
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i c00 = _mm512_setzero_si512(), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
    __m512i c20 = c00, c21 = c00, c22 = c00, c23 = c00, c30 = c00, c31 = c00, c32 = c00, c33 = c00;
    for (size_t s = 0; s < t->segments; s++) {
        const uint8_t *a = t->tables + (ptrdiff_t)s * t->table_segment, *b = t->blocks + s * t->block_segment;
        for (size_t k = 0; k < t->steps; k++, a += t->table_step, b += BNN_LOOKUP_BLOCK) {
            const __m512i i0 = _mm512_loadu_si512(b), i1 = _mm512_loadu_si512(b + 64);
            const __m512i i2 = _mm512_loadu_si512(b + 128), i3 = _mm512_loadu_si512(b + 192);
            ROW(0);
            if (rows > 1)
                ROW(1);
            if (rows > 2)
                ROW(2);
            if (rows > 3)
                ROW(3);
        }
    }
    put_row(c, columns, scale, add, c00, c01, c02, c03);
    if (rows > 1)
        put_row(c + ldc, columns, scale, add, c10, c11, c12, c13);
    if (rows > 2)
        put_row(c + 2 * ldc, columns, scale, add, c20, c21, c22, c23);
    if (rows > 3)
        put_row(c + 3 * ldc, columns, scale, add, c30, c31, c32, c33);
}

void bnn_lookup_product(const bnn_lookup_tile *t, size_t rows, size_t columns, float *c, size_t ldc, float scale, bool add)
{
    switch (rows) {
    case 1:  tile_of(t, 1, columns, c, ldc, scale, add); break;
    case 2:  tile_of(t, 2, columns, c, ldc, scale, add); break;
    case 3:  tile_of(t, 3, columns, c, ldc, scale, add); break;
    default: tile_of(t, 4, columns, c, ldc, scale, add); break;
    }
}

#else /* other processors: never called, bnn_lookup_works says no */

bool bnn_lookup_works(void) { return false; }
void bnn_lookup_block(uint8_t *out, const int8_t *const row[16], size_t columns, int shape)
{
    (void)out, (void)row, (void)columns, (void)shape;
}
void bnn_lookup_tables(uint8_t *out, const int8_t *q, size_t count) { (void)out, (void)q, (void)count; }
void bnn_lookup_tables_down(uint8_t *out, size_t tile, const int8_t *q, size_t stride)
{
    (void)out, (void)tile, (void)q, (void)stride;
}
void bnn_lookup_product(const bnn_lookup_tile *t, size_t rows, size_t columns, float *c, size_t ldc, float scale, bool add)
{
    (void)t, (void)rows, (void)columns, (void)c, (void)ldc, (void)scale, (void)add;
}

#endif
