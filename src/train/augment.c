/* augment.c -- shift, rotate, scale, flip by one affine map, sampled bilinearly; then light. */
#include "train/augment.h"
#include "train/clones.h"
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

static int clamp(int v, int most)
{
    v = v < 0 ? 0 : v;
    return v > most ? most : v;
}

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

/* Pixels of one row of the output are sampled RUN at a time: where the four
 * neighbours of each are, the neighbours, their mixture. */
enum { RUN = 64 };

struct places {
    int32_t top[RUN], bottom[RUN], right[RUN]; /* offsets of the two on the left; from these to their right */
    float   wy[RUN], wx[RUN];
};

/* The map from output to picture: the point (y, x) of pixel x is
 * (co v + si u + cy, co u - si v + cx), u and v from the window's centre. */
struct turned { float co, si, my, mx, cy, cx, dy, dx; };

BNN_CLONES static void find(struct places *restrict p, const struct turned *t, bnn_shape s, uint32_t y, uint32_t first, bool flip,
                            uint32_t n)
{
    const float v = (float)y - t->my, co = t->co, si = t->si, mx = t->mx, cy = t->cy, cx = t->cx, dy = t->dy, dx = t->dx;
    const int height = (int)s.height - 1, width = (int)s.width - 1, channels = (int)s.channels;
    for (int i = 0; i < (int)n; i++) {
        const float x = (float)((int)first + i), u = flip ? mx - x : x - mx;
        const float at_y = co * v + si * u + cy + dy, at_x = co * u - si * v + cx + dx;
        const float fy = floorf(at_y), fx = floorf(at_x);
        const int y0 = clamp((int)fy, height), y1 = clamp((int)fy + 1, height), x0 = clamp((int)fx, width), x1 = clamp((int)fx + 1, width);
        p->top[i]    = (y0 * (width + 1) + x0) * channels;
        p->bottom[i] = (y1 * (width + 1) + x0) * channels;
        p->right[i]  = (x1 - x0) * channels;
        p->wy[i]     = at_y - fy;
        p->wx[i]     = at_x - fx;
    }
}

BNN_CLONES static void mix(uint8_t *restrict out, const uint8_t (*restrict near)[RUN], const float *restrict wy,
                           const float *restrict wx, uint32_t n)
{
    for (int i = 0; i < (int)n; i++) {
        const float a = near[0][i], b = near[1][i], c = near[2][i], d = near[3][i];
        const float top = a + wx[i] * (b - a), bottom = c + wx[i] * (d - c);
        out[i] = (uint8_t)(int)(top + wy[i] * (bottom - top) + 0.5f);
    }
}

static void sample(const struct places *p, uint32_t channels, const uint8_t *in, uint8_t *out, uint32_t n)
{
    uint8_t near[4][RUN], mixed[RUN];
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t *top = in + p->top[i] + c, *bottom = in + p->bottom[i] + c;
            near[0][i] = top[0];
            near[1][i] = top[p->right[i]];
            near[2][i] = bottom[0];
            near[3][i] = bottom[p->right[i]];
        }
        mix(mixed, (const uint8_t(*)[RUN])near, p->wy, p->wx, n);
        for (uint32_t i = 0; i < n; i++)
            out[i * channels + c] = mixed[i];
    }
}

/* Turned by `angle` and enlarged by `scale` about the window's centre. */
static void turn(const struct window *w, float angle, float scale, int dy, int dx, bool flip, const uint8_t *in, uint8_t *out)
{
    const float my = ((float)w->to.height - 1) / 2, mx = ((float)w->to.width - 1) / 2;
    const struct turned t = { cosf(angle) / scale, sinf(angle) / scale, my, mx, my + (float)w->top, mx + (float)w->left,
                              (float)dy, (float)dx };
    struct places p;
    for (uint32_t y = 0; y < w->to.height; y++)
        for (uint32_t x = 0, n; x < w->to.width; x += n) {
            n = w->to.width - x < RUN ? w->to.width - x : RUN;
            find(&p, &t, w->from, y, x, flip, n);
            sample(&p, w->to.channels, in, out + ((size_t)y * w->to.width + x) * w->to.channels, n);
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
