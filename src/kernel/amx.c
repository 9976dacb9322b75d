/* amx.c -- kernels for AMX int8 tiles (Sapphire Rapids and later), beside those of avx512.c.
 *
 * Values of every kind become int8: -1, 0, +1, or the 8-bit input as it is. A
 * tile step multiplies 16 columns by 16 neurons over 64 synapses; a block is 2
 * x 2 of them, so that each tile loaded is used twice. Windows are unrolled to
 * rows of bytes, many columns at a time, since the weights (a byte each, past
 * what L2 holds) are read once for all of them.
 *
 *     rows     [column][64 K]              K = ceil(MW / 64), zeros past MW
 *     weights  [group][K][16][lane][4]     a group is 16 neurons
 *
 * No machine with AMX has run this version. Its arithmetic is held to scalar
 * by tests/kernel, which compiles this file over an emulation of the tile
 * instructions; its speed is not known.
 */
#include "kernel/lanes.h"

#ifdef BNN_AMX_EMULATED
#include "amx_emulation.h"
#else
#include <immintrin.h>
#endif

#include <stdbool.h>

enum {
    L = 16, STEP = 64, TILE = 1024, /* neurons a group; synapses a step; bytes */
    PAIR = 2 * L,                   /* columns, neurons of a block */
    ROWS_BYTES = 512 << 10,         /* of unrolled windows at most: they share L2 with the weights' stream */
    MOST_COLUMNS = 512,
};

/* Tile registers (macros: the instructions name them by digit). Sums of columns x neurons, then columns, then weights. */
#define SUM00 0
#define SUM01 1
#define SUM10 2
#define SUM11 3
#define X0 4
#define X1 5
#define W0 6
#define W1 7

static uint32_t groups_of(const bnn_mvtu *m) { return (m->MH + PAIR - 1) / PAIR * 2; } /* even: blocks take two */
static size_t steps_of(const bnn_mvtu *m) { return (m->MW + STEP - 1u) / STEP; }

/* ---------------------------------------------------------------- units -- */

/* Small units leave tiles empty; avx512.c takes them. */
static bool takes(const bnn_mvtu *m)
{
    return m->MH >= L && m->MW >= STEP / 2;
}

static size_t columns_at_once(const bnn_mvtu *m)
{
    const size_t n = ROWS_BYTES / (steps_of(m) * STEP) / PAIR * PAIR;
    return n < PAIR ? PAIR : n > MOST_COLUMNS ? MOST_COLUMNS : n;
}

static size_t scratch_size(const bnn_mvtu *m)
{
    return PAIR * PAIR * 4 + columns_at_once(m) * steps_of(m) * STEP + STEP;
}

/* Thresholds [2][groups x 16], then the weights. */
static size_t weight_size(const bnn_mvtu *m)
{
    return (size_t)groups_of(m) * L * 8 + groups_of(m) * steps_of(m) * TILE;
}

static int8_t *weights_of(const void *packed, const bnn_mvtu *m)
{
    return (int8_t *)(uintptr_t)packed + (size_t)groups_of(m) * L * 8;
}

static int weight_at(const bnn_mvtu *m, const uint64_t *row, size_t s)
{
    const size_t words = (m->MW + 63u) / 64u;
    if (m->weight_planes == 2 && !(row[words + s / 64] >> (s % 64) & 1))
        return 0;
    return row[s / 64] >> (s % 64) & 1 ? 1 : -1;
}

static void weight_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    const size_t words = (m->MW + 63u) / 64u, rows = (size_t)groups_of(m) * L;
    int32_t *threshold = out;
    int8_t *w = weights_of(out, m);
    memset(out, 0, weight_size(m));
    for (size_t r = 0; r < rows; r++) { /* lanes past the last neuron: one of two thresholds reached, so all bits 0 */
        threshold[r] = INT32_MAX;
        threshold[rows + r] = INT32_MIN;
    }
    for (uint32_t r = 0; r < m->MH; r++) {
        const uint64_t *row = natural + (size_t)r * m->weight_planes * words;
        for (uint32_t t = 0; t < m->thresholds; t++)
            threshold[t * rows + r] = m->threshold[(size_t)r * m->thresholds + t];
        for (size_t s = 0; s < m->MW; s++)
            w[((r / L * steps_of(m) + s / STEP) * L + s % STEP / 4) * (4 * L) + r % L * 4 + s % 4] = (int8_t)weight_at(m, row, s);
    }
}

/* -------------------------------------------------------------- columns -- */

/* The values of a pixel of bits as bytes. Writes whole vectors: what is too much the next pixel overwrites. */
static void expand_pixel(int8_t *out, const uint64_t *pixel, uint32_t channels, uint32_t planes)
{
    const size_t words = bnn_plane_words(channels);
    const __m512i one = _mm512_set1_epi8(1), minus = _mm512_set1_epi8(-1);
    for (size_t i = 0; i < words; i++) {
        const __m512i v = _mm512_mask_blend_epi8(pixel[i], minus, one);
        _mm512_storeu_si512(out + i * 64, planes == 2 ? _mm512_maskz_mov_epi8(pixel[words + i], v) : v);
    }
}

static void expand_window(int8_t *out, const bnn_mvtu *m, const uint8_t *x)
{
    const size_t pixel = bnn_mvtu_in_pixel(m), row = m->in_width * pixel, run = (size_t)m->kw * m->in_channels;
    int8_t *const end = out + steps_of(m) * STEP;
    for (uint32_t y = 0; y < m->kh; y++, x += row, out += run) {
        if (m->in_planes == 0)
            memcpy(out, x, run);
        for (uint32_t i = 0; m->in_planes && i < m->kw; i++)
            expand_pixel(out + (size_t)i * m->in_channels, (const uint64_t *)(const void *)(x + i * pixel), m->in_channels, m->in_planes);
    }
    memset(out, 0, (size_t)(end - out));
}

/* -------------------------------------------------------------- results -- */

/* Outputs of 16 neurons, group g, of one column. */
static inline void put(const bnn_mvtu *m, uint32_t g, const int32_t *sum, uint8_t *y)
{
    const __m512i v = _mm512_load_si512(sum);
    const int32_t *threshold = (const int32_t *)m->weights + g * L;
    const uint32_t left = m->MH - g * L;
    if (m->thresholds == 0) {
        _mm512_mask_storeu_epi32(y + g * (size_t)(L * 4), left < L ? (__mmask16)((1u << left) - 1) : 0xffff, v);
        return;
    }
    const __mmask16 first = _mm512_cmpge_epi32_mask(v, _mm512_load_si512(threshold));
    ((uint16_t *)(void *)y)[g] = first;
    if (m->thresholds == 2) { /* both: +1; none: -1; one: 0 */
        const __mmask16 second = _mm512_cmpge_epi32_mask(v, _mm512_load_si512(threshold + (size_t)groups_of(m) * L));
        ((uint16_t *)(void *)y)[g] = (uint16_t)(first & second);
        ((uint16_t *)(void *)(y + bnn_plane_words(m->MH) * 8))[g] = (uint16_t)~(first ^ second);
    }
}

/* Zeroes what the last group leaves of each plane's last word. */
static void put_padding(const bnn_mvtu *m, uint8_t *y)
{
    for (uint32_t plane = 0; plane < m->thresholds; plane++, y += bnn_plane_words(m->MH) * 8)
        for (uint32_t g = (m->MH + L - 1) / L; g % 4; g++)
            ((uint16_t *)(void *)y)[g] = 0;
}

/* --------------------------------------------------------------- blocks -- */

static void configure(void)
{
    struct { uint8_t palette, start, reserved[14]; uint16_t row_bytes[16]; uint8_t rows[16]; } c = { .palette = 1 };
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = STEP;
        c.rows[i] = L;
    }
    _tile_loadconfig(&c);
}

/* sum[32 columns][32 neurons], from rows of `stride` bytes and two groups of weights. */
__attribute__((noinline)) static void block(int32_t *sum, const int8_t *rows, size_t stride, const int8_t *w, size_t steps)
{
    const int8_t *rows1 = rows + L * stride, *w1 = w + steps * TILE;
    _tile_zero(SUM00);
    _tile_zero(SUM01);
    _tile_zero(SUM10);
    _tile_zero(SUM11);
    for (size_t k = 0; k < steps; k++, rows += STEP, rows1 += STEP, w += TILE, w1 += TILE) {
        _tile_loadd(X0, rows, stride);
        _tile_loadd(W0, w, STEP);
        _tile_dpbssd(SUM00, X0, W0);
        _tile_loadd(W1, w1, STEP);
        _tile_dpbssd(SUM01, X0, W1);
        _tile_loadd(X1, rows1, stride);
        _tile_dpbssd(SUM10, X1, W0);
        _tile_dpbssd(SUM11, X1, W1);
    }
    _tile_stored(SUM00, sum, PAIR * 4);
    _tile_stored(SUM01, sum + L, PAIR * 4);
    _tile_stored(SUM10, sum + L * PAIR, PAIR * 4);
    _tile_stored(SUM11, sum + L * PAIR + L, PAIR * 4);
}

/* All neurons of n columns, whose outputs go to y[]: weights outside, columns inside. */
static void run_columns(const bnn_mvtu *m, int32_t *sum, const int8_t *rows, uint8_t *const *y, size_t n)
{
    const size_t steps = steps_of(m), stride = steps * STEP;
    const int8_t *w = weights_of(m->weights, m);
    for (uint32_t g = 0; g * L < m->MH; g += 2, w += 2 * steps * TILE)
        for (size_t first = 0; first < n; first += PAIR) {
            const size_t some = n - first < PAIR ? n - first : PAIR;
            block(sum, rows + first * stride, stride, w, steps);
            for (size_t c = 0; c < some; c++)
                for (uint32_t i = 0; i < 2 && (g + i) * L < m->MH; i++)
                    put(m, g + i, sum + c * PAIR + i * L, y[first + c]);
        }
}

static void mvtu(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    const size_t most = columns_at_once(m), stride = steps_of(m) * STEP;
    bnn_columns all = bnn_columns_of(m, x, y);
    size_t left = images * m->out_height * m->out_width;
    int32_t *sum = scratch;
    int8_t *rows = (int8_t *)scratch + PAIR * PAIR * 4;
    uint8_t *to[MOST_COLUMNS];
    configure();
    while (left > 0) {
        const size_t n = left < most ? left : most;
        for (size_t c = 0; c < n; c++) {
            expand_window(rows + c * stride, m, all.x);
            put_padding(m, all.y);
            to[c] = all.y;
            bnn_columns_next(&all);
        }
        run_columns(m, sum, rows, to, n);
        left -= n;
    }
    _tile_release();
}

/* ------------------------------------------------------------ measuring -- */

static uint64_t peak_amx(uint64_t rounds)
{
    _Alignas(64) static const int8_t zeros[4 * TILE];
    configure();
    for (uint64_t r = 0; r < rounds; r++) {
        _tile_loadd(X0, zeros, STEP);
        _tile_loadd(W0, zeros + TILE, STEP);
        _tile_dpbssd(SUM00, X0, W0);
        _tile_loadd(W1, zeros + 2 * TILE, STEP);
        _tile_dpbssd(SUM01, X0, W1);
        _tile_loadd(X1, zeros + 3 * TILE, STEP);
        _tile_dpbssd(SUM10, X1, W0);
        _tile_dpbssd(SUM11, X1, W1);
    }
    _tile_release();
    return rounds * 4 * L * L * STEP;
}

static const bnn_peak peaks[] = { { "amx", peak_amx }, { NULL, NULL } };

void bnn_kernels_init_amx(bnn_kernels *k)
{
    k->name  = "amx";
    k->takes = takes;
    k->tiles = (bnn_unit){ weight_size, weight_pack, scratch_size, mvtu };
    k->peaks = peaks;
}
