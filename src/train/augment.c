/* augment.c -- shift, rotate, scale, flip by one affine map, sampled bilinearly. */
#include "train/augment.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------- the text -- */

static bool value_of(bnn_span word, const char *name, uint32_t most, uint32_t *out)
{
    uint32_t v;
    if (!bnn_span_starts(word, name) || !bnn_span_number(bnn_span_skip(word, strlen(name)), &v) || v > most)
        return false;
    *out = v;
    return true;
}

static bool parse_word(bnn_augment *a, bnn_span word)
{
    if (bnn_span_is(word, "flip"))
        return a->flip = true;
    return bnn_span_is(word, "none") || value_of(word, "shift=", 64, &a->shift) || value_of(word, "rotate=", 180, &a->rotate)
           || value_of(word, "scale=", 50, &a->scale);
}

int bnn_augment_parse(bnn_augment *out, const char *text, bnn_error *err)
{
    bnn_augment a = { 0 };
    while (*text) {
        const size_t n = strcspn(text, " ,");
        const bnn_span word = { text, n };
        if (n > 0 && !parse_word(&a, word))
            return bnn_fail(err, BNN_EINVAL, "augment '%.*s'; expected none, shift=0..64, rotate=0..180, scale=0..50 or flip",
                            BNN_SPAN(word));
        text += n + (text[n] != 0);
    }
    *out = a;
    return BNN_OK;
}

size_t bnn_augment_print(const bnn_augment *a, char *out, size_t size)
{
    bnn_printer p = { out, size, 0 };
    if (a->shift)
        bnn_print(&p, "shift=%u ", a->shift);
    if (a->rotate)
        bnn_print(&p, "rotate=%u ", a->rotate);
    if (a->scale)
        bnn_print(&p, "scale=%u ", a->scale);
    if (a->flip)
        bnn_print(&p, "flip ");
    if (p.used == 0)
        bnn_print(&p, "none ");
    p.used--; /* the blank at the end */
    if (p.used < size)
        out[p.used] = 0;
    return p.used;
}

/* ---------------------------------------------------------- the pictures -- */

static int clamp(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

/* Whole pixels only: a copy row by row. */
static void move(bnn_shape s, int dy, int dx, bool flip, const uint8_t *in, uint8_t *out)
{
    const int height = (int)s.height, width = (int)s.width;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int from_x = clamp(flip ? width - 1 - x + dx : x + dx, width - 1), from_y = clamp(y + dy, height - 1);
            memcpy(out + ((size_t)y * s.width + (size_t)x) * s.channels,
                   in + ((size_t)from_y * s.width + (size_t)from_x) * s.channels, s.channels);
        }
}

static uint8_t sample(bnn_shape s, const uint8_t *in, float y, float x, uint32_t c)
{
    const float fy = floorf(y), fx = floorf(x), wy = y - fy, wx = x - fx;
    const int y0 = clamp((int)fy, (int)s.height - 1), y1 = clamp((int)fy + 1, (int)s.height - 1);
    const int x0 = clamp((int)fx, (int)s.width - 1), x1 = clamp((int)fx + 1, (int)s.width - 1);
#define AT(i, j) (float)in[((size_t)(i)*s.width + (size_t)(j)) * s.channels + c]
    const float top = AT(y0, x0) + wx * (AT(y0, x1) - AT(y0, x0)), bottom = AT(y1, x0) + wx * (AT(y1, x1) - AT(y1, x0));
#undef AT
    return (uint8_t)(top + wy * (bottom - top) + 0.5f);
}

void bnn_augment_apply(const bnn_augment *a, bnn_random *r, bnn_shape s, const uint8_t *in, uint8_t *out)
{
    const int reach = (int)a->shift;
    const int dy = (int)bnn_random_below(r, 2 * a->shift + 1) - reach, dx = (int)bnn_random_below(r, 2 * a->shift + 1) - reach;
    const bool flip = a->flip && (bnn_random_next(r) >> 63);
    if (!a->rotate && !a->scale) {
        move(s, dy, dx, flip, in, out);
        return;
    }
    const float angle = (float)a->rotate * bnn_random_unit(r) * 0.017453293f;
    const float scale = 1 + (float)a->scale * 0.01f * bnn_random_unit(r);
    const float co = cosf(angle) / scale, si = sinf(angle) / scale, my = ((float)s.height - 1) / 2, mx = ((float)s.width - 1) / 2;
    for (uint32_t y = 0; y < s.height; y++)
        for (uint32_t x = 0; x < s.width; x++) {
            const float v = (float)y - my, u = flip ? mx - (float)x : (float)x - mx;
            for (uint32_t c = 0; c < s.channels; c++)
                *out++ = sample(s, in, co * v + si * u + my + (float)dy, co * u - si * v + mx + (float)dx, c);
        }
}
