/* amx_emulation.h -- the tile instructions that src/kernel/amx.c uses, in portable C, after
 * Intel's SDM: so that its layouts and its arithmetic can be checked on any machine with AVX-512.
 */
#ifndef AMX_EMULATION_H
#define AMX_EMULATION_H

#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct { int configured; uint8_t rows[8]; uint16_t row_bytes[8]; uint8_t data[8][16][64]; } amx;

/* Bytes 16.. are the row sizes, 48.. the numbers of rows; anything but palette 1 is an error here. */
static inline void emulate_loadconfig(const void *config)
{
    const uint8_t *c = config;
    if (c[0] != 1)
        abort();
    memcpy(amx.row_bytes, c + 16, sizeof amx.row_bytes);
    memcpy(amx.rows, c + 48, sizeof amx.rows);
    memset(amx.data, 0, sizeof amx.data);
    amx.configured = 1;
}

static inline void emulate_use(void)
{
    if (!amx.configured) /* the processor raises #UD */
        abort();
}

static inline void emulate_zero(int t)
{
    emulate_use();
    memset(amx.data[t], 0, sizeof amx.data[t]);
}

static inline void emulate_loadd(int t, const void *base, size_t stride)
{
    emulate_zero(t);
    for (int r = 0; r < amx.rows[t]; r++)
        memcpy(amx.data[t][r], (const uint8_t *)base + r * stride, amx.row_bytes[t]);
}

static inline void emulate_stored(int t, void *base, size_t stride)
{
    emulate_use();
    for (int r = 0; r < amx.rows[t]; r++)
        memcpy((uint8_t *)base + r * stride, amx.data[t][r], amx.row_bytes[t]);
}

/* dst[m][n] += sum over k and i of a[m][4 k + i] x b[k][4 n + i], signed. */
static inline void emulate_dpbssd(int dst, int a, int b)
{
    emulate_use();
    for (int m = 0; m < amx.rows[dst]; m++)
        for (int n = 0; n < amx.row_bytes[dst] / 4; n++) {
            int32_t sum;
            memcpy(&sum, &amx.data[dst][m][4 * n], 4);
            for (int k = 0; k < amx.row_bytes[a]; k++)
                sum += (int8_t)amx.data[a][m][k] * (int8_t)amx.data[b][k / 4][4 * n + k % 4];
            memcpy(&amx.data[dst][m][4 * n], &sum, 4);
        }
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbssd
#define _tile_loadconfig(c) emulate_loadconfig(c)
#define _tile_release() ((void)(amx.configured = 0))
#define _tile_zero(t) emulate_zero(t)
#define _tile_loadd(t, base, stride) emulate_loadd(t, base, stride)
#define _tile_stored(t, base, stride) emulate_stored(t, base, stride)
#define _tile_dpbssd(dst, a, b) emulate_dpbssd(dst, a, b)

#endif
