/* photo.c -- a photograph of a dark digit on paper becomes what MNIST looks like.
 *
 *     light    the paper's brightness everywhere, estimated on a small copy: a
 *              closing (which removes dark strokes), then twice the mean of
 *              what is paper round about
 *     ink      1 - value / light, so 0 is paper however dark its corner is;
 *              everything within half of the darkest is ink
 *     digit    connected pieces of ink; specks do not count, nor what touches
 *              the border (a table's edge) if anything else is there
 *     fit      its bounding box to 20x20 of 28x28, aspect kept, strokes not
 *              thinner than two pixels, its centre of mass in the centre
 */
#include "data/data.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    WORK   = 480, /* longest side that ink is looked for in */
    SMALL  = 64,  /* longest side that light is estimated in */
    REACH  = 10,  /* of the closing, in pixels of the small copy: strokes up to 2 x REACH + 1 vanish */
    AROUND = 5,   /* of the mean of paper */
};

/* A picture of mode L is the only kind of array here. */
static int blank_like(bnn_picture *out, const bnn_picture *p, bnn_error *err)
{
    return bnn_picture_new(out, p->height, p->width, BNN_MODE_L, err);
}

static uint32_t low(uint32_t at, uint32_t reach) { return at > reach ? at - reach : 0; }
static uint32_t high(uint32_t at, uint32_t reach, uint32_t n) { return n - at > reach + 1 ? at + reach + 1 : n; }

/* -------------------------------------------------------------- filters -- */

/* Largest (or smallest) value within `reach` along one axis: n values `step` apart. */
static void extreme_line(uint8_t *out, const uint8_t *in, uint32_t n, size_t step, uint32_t reach, bool largest)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t v = in[i * step];
        for (uint32_t k = low(i, reach), end = high(i, reach, n); k < end; k++)
            if (largest ? in[k * step] > v : in[k * step] < v)
                v = in[k * step];
        out[i * step] = v;
    }
}

/* Over a square of 2 x reach + 1, in place. */
static int extreme(bnn_picture *p, uint32_t reach, bool largest, bnn_error *err)
{
    bnn_picture between;
    const int rc = blank_like(&between, p, err);
    if (rc != BNN_OK)
        return rc;
    for (size_t y = 0; y < p->height; y++)
        extreme_line(between.pixels + y * p->width, p->pixels + y * p->width, p->width, 1, reach, largest);
    for (size_t x = 0; x < p->width; x++)
        extreme_line(p->pixels + x, between.pixels + x, p->height, p->width, reach, largest);
    bnn_picture_free(&between);
    return BNN_OK;
}

/* Mean of the values in a square round (y, x) that are at least `least`; `otherwise` if none is. */
static uint8_t mean_around(const bnn_picture *p, uint32_t y, uint32_t x, uint32_t reach, unsigned least, uint8_t otherwise)
{
    uint32_t sum = 0, n = 0;
    for (uint32_t i = low(y, reach); i < high(y, reach, p->height); i++)
        for (uint32_t k = low(x, reach); k < high(x, reach, p->width); k++) {
            const uint8_t v = p->pixels[(size_t)i * p->width + k];
            sum += v >= least ? v : 0;
            n += v >= least;
        }
    return n ? (uint8_t)((sum + n / 2) / n) : otherwise;
}

/* ---------------------------------------------------------------- light -- */

/* One better estimate of light: the mean of all that is within a tenth of the last. */
static int refine(bnn_picture *light, const bnn_picture *small, bnn_error *err)
{
    bnn_picture last;
    const int rc = blank_like(&last, light, err);
    if (rc != BNN_OK)
        return rc;
    memcpy(last.pixels, light->pixels, (size_t)light->height * light->width);
    for (uint32_t y = 0; y < light->height; y++)
        for (uint32_t x = 0; x < light->width; x++) {
            const uint8_t v = last.pixels[(size_t)y * light->width + x];
            light->pixels[(size_t)y * light->width + x] = mean_around(small, y, x, AROUND, v * 9u / 10u, v);
        }
    bnn_picture_free(&last);
    return BNN_OK;
}

/* The light that falls on each pixel of `p`. */
static int find_light(bnn_picture *out, const bnn_picture *p, bnn_error *err)
{
    bnn_picture small, light = { 0 };
    int rc = bnn_thumbnail(&small, p, SMALL, SMALL, BNN_BICUBIC, err);
    if (rc != BNN_OK)
        return rc;
    rc = blank_like(&light, &small, err);
    if (rc == BNN_OK) {
        memcpy(light.pixels, small.pixels, (size_t)small.height * small.width);
        rc = extreme(&light, REACH, true, err);
    }
    if (rc == BNN_OK)
        rc = extreme(&light, REACH, false, err);
    for (int i = 0; rc == BNN_OK && i < 2; i++)
        rc = refine(&light, &small, err);
    if (rc == BNN_OK)
        rc = bnn_resize(out, &light, p->height, p->width, BNN_BICUBIC, err);
    bnn_picture_free(&small);
    bnn_picture_free(&light);
    return rc;
}

/* ------------------------------------------------------------------ ink -- */

/* 255 x (1 - value / light); paper, and what is lighter, is 0. */
static int find_ink(bnn_picture *out, const bnn_picture *p, bnn_error *err)
{
    int rc = find_light(out, p, err);
    for (size_t i = 0; rc == BNN_OK && i < (size_t)p->height * p->width; i++) {
        const unsigned light = out->pixels[i], v = p->pixels[i];
        out->pixels[i] = v < light ? (uint8_t)(255 - 255 * v / light) : 0;
    }
    return rc;
}

/* The n-th largest value. */
static uint8_t ranked(const bnn_picture *p, size_t n)
{
    size_t count[256] = { 0 };
    for (size_t i = 0; i < (size_t)p->height * p->width; i++)
        count[p->pixels[i]]++;
    unsigned v = 255;
    for (; v > 0 && count[v] < n; v--)
        n -= count[v];
    return (uint8_t)v;
}

static int smooth(bnn_picture *out, const bnn_picture *p, bnn_error *err)
{
    const int rc = blank_like(out, p, err);
    for (uint32_t y = 0; rc == BNN_OK && y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++)
            out->pixels[(size_t)y * p->width + x] = mean_around(p, y, x, 1, 0, 0);
    return rc;
}

/* --------------------------------------------------------------- pieces -- */

struct box { uint32_t top, left, bottom, right; }; /* bottom and right are past the end */

struct piece { size_t area; struct box box; bool at_border; };

struct pieces {
    uint32_t     *of;    /* piece of each pixel, from 1; 0 = none */
    uint32_t     *stack; /* pixels to look at */
    struct piece *piece; /* [1 ... count] */
    uint32_t      count;
};

static void grow_box(struct box *b, uint32_t y, uint32_t x)
{
    b->top    = y < b->top ? y : b->top;
    b->left   = x < b->left ? x : b->left;
    b->bottom = y + 1 > b->bottom ? y + 1 : b->bottom;
    b->right  = x + 1 > b->right ? x + 1 : b->right;
}

/* Fills the piece that pixel `at` belongs to, neighbours touching at corners too. */
static void fill_piece(struct pieces *s, const bnn_picture *ink, uint8_t least, uint32_t at)
{
    const uint32_t number = ++s->count, h = ink->height, w = ink->width;
    struct piece *p = &s->piece[number];
    *p = (struct piece){ .box = { at / w, at % w, at / w + 1, at % w + 1 } };
    uint32_t depth = 0;
    s->of[at] = number;
    s->stack[depth++] = at;
    while (depth > 0) {
        const uint32_t i = s->stack[--depth], y = i / w, x = i % w;
        p->area++;
        p->at_border |= y == 0 || x == 0 || y == h - 1 || x == w - 1;
        grow_box(&p->box, y, x);
        for (uint32_t v = low(y, 1); v < high(y, 1, h); v++)
            for (uint32_t u = low(x, 1); u < high(x, 1, w); u++)
                if (ink->pixels[v * w + u] >= least && s->of[v * w + u] == 0) {
                    s->of[v * w + u] = number;
                    s->stack[depth++] = v * w + u;
                }
    }
}

static size_t largest_area(const struct pieces *s, bool with_border)
{
    size_t area = 0;
    for (uint32_t i = 1; i <= s->count; i++)
        if ((with_border || !s->piece[i].at_border) && s->piece[i].area > area)
            area = s->piece[i].area;
    return area;
}

/* The box of all pieces that count; their numbers stay, all others become 0. */
static struct box keep_pieces(struct pieces *s, size_t n)
{
    const size_t all = largest_area(s, true), inner = largest_area(s, false);
    const bool no_border = inner >= all / 50 + 4;
    const size_t least = (no_border ? inner : all) / 20;
    struct box b = { UINT32_MAX, UINT32_MAX, 0, 0 };
    for (uint32_t i = 1; i <= s->count; i++) {
        struct piece *p = &s->piece[i];
        if (p->area < least || (no_border && p->at_border)) {
            p->area = 0;
            continue;
        }
        grow_box(&b, p->box.top, p->box.left);
        grow_box(&b, p->box.bottom - 1, p->box.right - 1);
    }
    for (size_t i = 0; i < n; i++)
        if (s->piece[s->of[i]].area == 0)
            s->of[i] = 0;
    return b;
}

static int new_pieces(struct pieces *s, size_t n, bnn_error *err)
{
    *s = (struct pieces){ .of    = bnn_alloc(n, sizeof *s->of),
                          .stack = bnn_alloc(n, sizeof *s->stack),
                          .piece = bnn_alloc(n + 1, sizeof *s->piece) };
    return s->of && s->stack && s->piece ? BNN_OK : bnn_fail_memory(err, n * sizeof *s->piece);
}

static void free_pieces(struct pieces *s)
{
    bnn_free(s->of);
    bnn_free(s->stack);
    bnn_free(s->piece);
}

/* True near (within 2 pixels of) a piece that was kept: its soft edge belongs to it. */
static bool near_piece(const struct pieces *s, const bnn_picture *p, uint32_t y, uint32_t x)
{
    for (uint32_t v = low(y, 2); v < high(y, 2, p->height); v++)
        for (uint32_t u = low(x, 2); u < high(x, 2, p->width); u++)
            if (s->of[(size_t)v * p->width + u])
                return true;
    return false;
}

/* Twice the area of strokes by the length of their edges: their width, nearly. */
static double stroke_width(const struct pieces *s, const bnn_picture *p)
{
    size_t area = 0, edge = 0;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++) {
            const size_t i = (size_t)y * p->width + x;
            if (!s->of[i])
                continue;
            area++;
            edge += y == 0 || x == 0 || y == p->height - 1 || x == p->width - 1 || !s->of[i - 1] || !s->of[i + 1]
                    || !s->of[i - p->width] || !s->of[i + p->width];
        }
    return edge ? 2.0 * (double)area / (double)edge : 0;
}

/* ---------------------------------------------------------------- digit -- */

/* Ink of the kept pieces only, from 0 (a fifth of the darkest: paper's noise) to 255 (the darkest). */
static void clean(bnn_picture *ink, const struct pieces *s, uint8_t darkest)
{
    const int floor_ = darkest / 5, span = darkest - floor_;
    for (uint32_t y = 0; y < ink->height; y++)
        for (uint32_t x = 0; x < ink->width; x++) {
            uint8_t *v = &ink->pixels[(size_t)y * ink->width + x];
            const int scaled = near_piece(s, ink, y, x) ? (*v - floor_) * 255 / span : 0;
            *v = scaled < 0 ? 0 : scaled > 255 ? 255 : (uint8_t)scaled;
        }
}

/* p becomes (1 - part) x p + part x q. */
static void mix(bnn_picture *p, const bnn_picture *q, double part)
{
    for (size_t i = 0; i < (size_t)p->height * p->width; i++)
        p->pixels[i] = (uint8_t)lround((1 - part) * p->pixels[i] + part * q->pixels[i]);
}

/* Strokes grow by `by` pixels on each side; of a fraction, by so much of the next pixel's value. */
static int grow(bnn_picture *ink, double by, bnn_error *err)
{
    const uint32_t whole = (uint32_t)by;
    bnn_picture more;
    int rc = blank_like(&more, ink, err);
    if (rc != BNN_OK)
        return rc;
    memcpy(more.pixels, ink->pixels, (size_t)ink->height * ink->width);
    rc = extreme(&more, whole + 1, true, err);
    if (rc == BNN_OK && whole > 0)
        rc = extreme(ink, whole, true, err);
    if (rc == BNN_OK)
        mix(ink, &more, by - whole);
    bnn_picture_free(&more);
    return rc;
}

/* Thin pens: strokes grow to a tenth of the box, two pixels of the twenty. */
static int thicken(bnn_picture *ink, struct box *b, double width, bnn_error *err)
{
    const uint32_t height = b->bottom - b->top, across = b->right - b->left;
    const double by = ((height > across ? height : across) / 10.0 - width) / 2;
    if (by <= 0)
        return BNN_OK;
    const uint32_t reach = (uint32_t)lround(by);
    b->top    = low(b->top, reach);
    b->left   = low(b->left, reach);
    b->bottom = high(b->bottom - 1, reach, ink->height);
    b->right  = high(b->right - 1, reach, ink->width);
    return grow(ink, by, err);
}

static int cut(bnn_picture *out, const bnn_picture *p, struct box b, bnn_error *err)
{
    const int rc = bnn_picture_new(out, b.bottom - b.top, b.right - b.left, BNN_MODE_L, err);
    for (uint32_t y = 0; rc == BNN_OK && y < out->height; y++)
        memcpy(out->pixels + (size_t)y * out->width, p->pixels + (size_t)(b.top + y) * p->width + b.left, out->width);
    return rc;
}

/* The darkest twentieth becomes 255: thin strokes grey from shrinking do not stay so. */
static void stretch_contrast(bnn_picture *p)
{
    const unsigned dark = ranked(p, (size_t)p->height * p->width / 20 + 1);
    for (size_t i = 0; dark && i < (size_t)p->height * p->width; i++) {
        const unsigned v = p->pixels[i] * 255u / dark;
        p->pixels[i] = v > 255 ? 255 : (uint8_t)v;
    }
}

/* Where to put `n` values of this sum and moment so that their centre of mass is the middle of `room`. */
static uint32_t place(uint32_t n, uint32_t room, double sum, double moment)
{
    const double at = floor(room / 2.0 - (sum > 0 ? moment / sum : n / 2.0) + 0.5);
    return at < 0 ? 0 : at > room - n ? room - n : (uint32_t)at;
}

static void put_centred(uint8_t *out, bnn_shape shape, const bnn_picture *p)
{
    double sum = 0, moment_y = 0, moment_x = 0;
    for (uint32_t y = 0; y < p->height; y++)
        for (uint32_t x = 0; x < p->width; x++) {
            const double v = p->pixels[(size_t)y * p->width + x];
            sum += v;
            moment_y += v * (y + 0.5);
            moment_x += v * (x + 0.5);
        }
    const uint32_t top = place(p->height, shape.height, sum, moment_y), left = place(p->width, shape.width, sum, moment_x);
    memset(out, 0, bnn_shape_size(shape));
    for (uint32_t y = 0; y < p->height; y++)
        memcpy(out + (size_t)(top + y) * shape.width + left, p->pixels + (size_t)y * p->width, p->width);
}

/* n x 20/28 of the smaller side of the input, at least 1. */
static uint32_t box_side(bnn_shape shape)
{
    const uint32_t n = shape.height < shape.width ? shape.height : shape.width;
    return n * 20 / 28 ? n * 20 / 28 : 1;
}

static int fit_digit(uint8_t *out, bnn_shape shape, const bnn_picture *ink, struct box b, bnn_error *err)
{
    bnn_picture digit, fitted;
    int rc = cut(&digit, ink, b, err);
    if (rc != BNN_OK)
        return rc;
    const uint32_t h = digit.height, w = digit.width, longest = h > w ? h : w, side = box_side(shape);
    const uint32_t height = (h * side + longest / 2) / longest, width = (w * side + longest / 2) / longest;
    rc = bnn_resize(&fitted, &digit, height ? height : 1, width ? width : 1, BNN_BICUBIC, err);
    if (rc == BNN_OK) {
        stretch_contrast(&fitted);
        put_centred(out, shape, &fitted);
        bnn_picture_free(&fitted);
    }
    bnn_picture_free(&digit);
    return rc;
}

static int find_digit(uint8_t *out, bnn_shape shape, bnn_picture *ink, const bnn_picture *soft, struct pieces *s, bnn_error *err)
{
    enum { FAINTEST = 20 }; /* of 255: less is no ink but the paper's own texture */
    const size_t n = (size_t)ink->height * ink->width;
    const uint8_t darkest = ranked(soft, n / 5000 + 8);
    if (darkest < FAINTEST)
        return bnn_fail(err, BNN_ESHAPE, "no ink found; expected a dark digit on lighter paper");
    for (uint32_t i = 0; i < n; i++)
        if (soft->pixels[i] >= darkest / 2 && s->of[i] == 0)
            fill_piece(s, soft, darkest / 2, i);
    struct box b = keep_pieces(s, n);
    const double width = stroke_width(s, ink);
    clean(ink, s, darkest);
    const int rc = thicken(ink, &b, width, err);
    return rc == BNN_OK ? fit_digit(out, shape, ink, b, err) : rc;
}

static int prepare(uint8_t *out, bnn_shape shape, const bnn_picture *work, bnn_error *err)
{
    bnn_picture ink = { 0 }, soft = { 0 };
    struct pieces pieces = { 0 };
    int rc = find_ink(&ink, work, err);
    if (rc == BNN_OK)
        rc = smooth(&soft, &ink, err);
    if (rc == BNN_OK)
        rc = new_pieces(&pieces, (size_t)work->height * work->width, err);
    if (rc == BNN_OK)
        rc = find_digit(out, shape, &ink, &soft, &pieces, err);
    free_pieces(&pieces);
    bnn_picture_free(&ink);
    bnn_picture_free(&soft);
    return rc;
}

int bnn_prepare_photo(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err)
{
    if (rule->shape.channels != 1)
        return bnn_fail(err, BNN_ESHAPE, "input photo for an input of %u channels; expected 1", rule->shape.channels);
    bnn_picture grey, work;
    int rc = bnn_picture_convert(&grey, picture, BNN_MODE_L, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_thumbnail(&work, &grey, WORK, WORK, BNN_BICUBIC, err);
    bnn_picture_free(&grey);
    if (rc == BNN_OK) {
        rc = prepare(out, rule->shape, &work, err);
        bnn_picture_free(&work);
    }
    return rc;
}
