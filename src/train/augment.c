/* augment.c -- shift, rotate, scale, flip by one affine map, sampled bilinearly; then light. */
#include "train/augment.h"
#include "base/text.h"
#include "net/rule.h"

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
           || value_of(word, "scale=", 50, &a->scale) || value_of(word, "light=", 100, &a->light);
}

int bnn_augment_parse(bnn_augment *out, const char *text, bnn_error *err)
{
    bnn_augment a = { 0 };
    while (*text) {
        const size_t n = strcspn(text, " ,");
        const bnn_span word = { text, n };
        if (n > 0 && !parse_word(&a, word))
            return bnn_fail(err, BNN_EINVAL, "augment '%.*s'; expected none, shift=0..64, rotate=0..180, scale=0..50, flip or "
                            "light=0..100", BNN_SPAN(word));
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
    if (a->light)
        bnn_print(&p, "light=%u ", a->light);
    if (p.used == 0)
        bnn_print(&p, "none ");
    p.used--; /* the blank at the end */
    if (p.used < size)
        out[p.used] = 0;
    return p.used;
}

/* ---------------------------------------------------------- the pictures -- */

static int clamp(int v, int most) { return v < 0 ? 0 : v > most ? most : v; }

/* A window in a picture: its size, and where its first pixel lies when nothing is changed. */
struct window { bnn_shape from, to; int top, left; };

/* Whole pixels only: a copy pixel by pixel. */
static void move(const struct window *w, int dy, int dx, bool flip, const uint8_t *in, uint8_t *out)
{
    const int height = (int)w->to.height, width = (int)w->to.width;
    const size_t channels = w->to.channels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int from_y = clamp(y + dy + w->top, (int)w->from.height - 1);
            const int from_x = clamp((flip ? width - 1 - x : x) + dx + w->left, (int)w->from.width - 1);
            memcpy(out + ((size_t)y * w->to.width + (size_t)x) * channels,
                   in + ((size_t)from_y * w->from.width + (size_t)from_x) * channels, channels);
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

/* Turned by `angle` and enlarged by `scale` about the window's centre. */
static void turn(const struct window *w, float angle, float scale, int dy, int dx, bool flip, const uint8_t *in, uint8_t *out)
{
    const float co = cosf(angle) / scale, si = sinf(angle) / scale;
    const float my = ((float)w->to.height - 1) / 2, mx = ((float)w->to.width - 1) / 2;
    const float cy = my + (float)w->top, cx = mx + (float)w->left;
    for (uint32_t y = 0; y < w->to.height; y++)
        for (uint32_t x = 0; x < w->to.width; x++) {
            const float v = (float)y - my, u = flip ? mx - (float)x : (float)x - mx;
            for (uint32_t c = 0; c < w->to.channels; c++)
                *out++ = sample(w->from, in, co * v + si * u + cy + (float)dy, co * u - si * v + cx + (float)dx, c);
        }
}

/* v -> (v - 127.5) contrast + 127.5 + brightness, for all pixels alike. */
static void relight(const bnn_augment *a, bnn_random *r, uint8_t *pixels, size_t n)
{
    const float reach = (float)a->light * 0.01f;
    const float contrast = 1 + reach * bnn_random_unit(r), brightness = 127.5f * reach * bnn_random_unit(r);
    uint8_t table[256];
    for (int v = 0; v < 256; v++)
        table[v] = (uint8_t)clamp((int)lrintf(((float)v - 127.5f) * contrast + 127.5f + brightness), 255);
    for (size_t i = 0; i < n; i++)
        pixels[i] = table[pixels[i]];
}

void bnn_augment_apply(const bnn_augment *a, bnn_random *r, bnn_shape from, const uint8_t *in, bnn_shape to, uint8_t *out)
{
    const struct window w = { from, to, (int)(from.height - to.height) / 2, (int)(from.width - to.width) / 2 };
    const int reach = (int)a->shift;
    const int dy = (int)bnn_random_below(r, 2 * a->shift + 1) - reach, dx = (int)bnn_random_below(r, 2 * a->shift + 1) - reach;
    const bool flip = a->flip && (bnn_random_next(r) >> 63);
    if (!a->rotate && !a->scale) {
        move(&w, dy, dx, flip, in, out);
    } else {
        const float angle = (float)a->rotate * bnn_random_unit(r) * 0.017453293f;
        turn(&w, angle, 1 + (float)a->scale * 0.01f * bnn_random_unit(r), dy, dx, flip, in, out);
    }
    if (a->light)
        relight(a, r, out, bnn_shape_size(to));
}
