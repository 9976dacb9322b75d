/* lookup.c -- packs weights and thresholds for look-ups. */
#include "kernel/lookup.h"

#include <stdbool.h>
#include <string.h>

enum { L = BNN_LOOKUP_LANES };

/* --------------------------------------------------------------- tables -- */

/* Four inputs of one bit, s, against four weights w: how many differ. Two nibbles of a byte side by side. */
#define D(s, w, j) ((((s) ^ (w)) >> (j)) & 1)
#define BITS(s, w) (D(s, w, 0) + D(s, w, 1) + D(s, w, 2) + D(s, w, 3))
/* Four ternary inputs, signs and nonzeros n: twice those that differ, and one for each zero. */
#define T(s, n, w, j) ((n) >> (j) & 1 ? 2 * D(s, w, j) : 1)
#define TERNARY(s, n, w) (T(s, n, w, 0) + T(s, n, w, 1) + T(s, n, w, 2) + T(s, n, w, 3))

#define ROW(E, x) E(x, 0), E(x, 1), E(x, 2), E(x, 3), E(x, 4), E(x, 5), E(x, 6), E(x, 7), \
                  E(x, 8), E(x, 9), E(x, 10), E(x, 11), E(x, 12), E(x, 13), E(x, 14), E(x, 15)
#define LOW(x, w) BITS((x) & 15, w)
#define HIGH(x, w) BITS((x) >> 4, w)
#define BOTH(x, w) TERNARY((x) & 15, (x) >> 4, w)
#define BYTE(x) ROW(LOW, x), ROW(HIGH, x)
#define PAIR(x) ROW(BOTH, x)
#define FOUR(X, x) X(x), X((x) + 1), X((x) + 2), X((x) + 3)
#define SIXTEEN(X, x) FOUR(X, x), FOUR(X, (x) + 4), FOUR(X, (x) + 8), FOUR(X, (x) + 12)
#define ALL(X) SIXTEEN(X, 0), SIXTEEN(X, 16), SIXTEEN(X, 32), SIXTEEN(X, 48), SIXTEEN(X, 64), SIXTEEN(X, 80), \
               SIXTEEN(X, 96), SIXTEEN(X, 112), SIXTEEN(X, 128), SIXTEEN(X, 144), SIXTEEN(X, 160), SIXTEEN(X, 176), \
               SIXTEEN(X, 192), SIXTEEN(X, 208), SIXTEEN(X, 224), SIXTEEN(X, 240)

const _Alignas(64) uint8_t bnn_lookup_bits[256 * 2 * BNN_LOOKUP_TABLE] = { ALL(BYTE) };
const _Alignas(64) uint8_t bnn_lookup_ternary[256 * BNN_LOOKUP_TABLE] = { ALL(PAIR) };

/* -------------------------------------------------------------- packing -- */

size_t bnn_lookup_size(const bnn_mvtu *m)
{
    const bnn_lookup l = bnn_lookup_of(m);
    return l.groups * (12 * (size_t)L + l.group);
}

/* Bits first.. of a row, at most four, of those below `end`. */
static uint8_t four_at(const uint64_t *words, size_t first, size_t end)
{
    const size_t n = first >= end ? 0 : end - first < 4 ? end - first : 4;
    if (n == 0)
        return 0;
    uint64_t v = words[first / 64] >> (first % 64);
    if (first % 64 + n > 64)
        v |= words[first / 64 + 1] << (64 - first % 64);
    return (uint8_t)(v & ((1u << n) - 1));
}

/* A row's look-ups of one plane: its signs, or those a of lookup.h, ~nonzero | sign. */
static void put_plane(uint8_t *to, const bnn_lookup *l, const bnn_mvtu *m, const uint64_t *sign, const uint64_t *nonzero)
{
    for (uint32_t pixel = 0; pixel < m->kh * m->kw; pixel++) {
        const size_t first = (size_t)pixel * m->in_channels, end = first + m->in_channels;
        for (uint32_t i = 0; i < 2 * l->pixel; i++, to += L) {
            const size_t s = first + 4 * (size_t)i, left = s < end ? end - s : 0;
            *to = four_at(sign, s, end);
            if (nonzero) /* padding stays 0 */
                *to |= (uint8_t)(~four_at(nonzero, s, end) & (left < 4 ? (1u << left) - 1 : 15));
        }
    }
}

static void put_row(uint8_t *to, const bnn_lookup *l, const bnn_mvtu *m, const uint64_t *row)
{
    if (m->weight_planes == 2) {
        put_plane(to, l, m, row, row + (m->MW + 63u) / 64u);
        to += l->group / 2;
    }
    put_plane(to, l, m, row, NULL);
}

/* (base - factor v) / 2 >= t, solved for v, rounded down also below zero. */
static int32_t bound_of(const bnn_lookup *l, int32_t t)
{
    const int64_t room = l->base - 2 * (int64_t)t, v = (room - (room < 0 ? l->factor - 1 : 0)) / l->factor;
    return (int32_t)(v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : v);
}

static int16_t clip(int32_t v)
{
    return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

/* Neurons past the last give bits 0: they never reach the first bound, and always the second. */
static void put_bounds(int32_t *bound, int16_t *near, const bnn_lookup *l, const bnn_mvtu *m)
{
    const size_t rows = (size_t)l->groups * L;
    for (size_t r = 0; r < rows; r++) {
        bound[r] = INT32_MIN;
        bound[rows + r] = INT32_MAX;
    }
    for (size_t r = 0; m->thresholds && r < m->MH; r++) {
        const int32_t *t = m->threshold + r * m->thresholds, last = t[m->thresholds - 1];
        bound[r] = bound_of(l, t[0] > last ? t[0] : last);
        if (m->thresholds == 2)
            bound[rows + r] = bound_of(l, t[0] > last ? last : t[0]);
    }
    for (size_t r = 0; r < 2 * rows; r++)
        near[r / L * L + r % 2 * (L / 2) + r % L / 2] = clip(bound[r]);
}

void bnn_lookup_pack(void *out, const bnn_mvtu *m, const uint64_t *natural)
{
    bnn_mvtu at = *m;
    at.weights = out;
    const bnn_lookup l = bnn_lookup_of(&at);
    const size_t words = (m->MW + 63u) / 64u * m->weight_planes;
    memset(out, 0, bnn_lookup_size(m));
    put_bounds((int32_t *)l.bound, (int16_t *)l.near, &l, m);
    for (uint32_t r = 0; r < m->MH; r++)
        put_row((uint8_t *)l.weights + r / L * l.group + r % L, &l, m, natural + r * words);
}
