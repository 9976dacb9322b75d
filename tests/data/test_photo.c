/* test_photo.c -- photographs of digits, drawn here: strokes on paper, under a gradient of light
 * and noise, at several sizes and places, must give what the same digit gives in even light. */
#include "data/data.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 28 };

struct point { double x, y; };

/* Each digit is one line through points of a 0..1 box; { -1, -1 } lifts the pen. */
static const struct point digits[][12] = {
    { { .5, 0 }, { .5, 1 }, { -2, 0 } },
    { { .05, .25 }, { .25, .03 }, { .75, .03 }, { .95, .25 }, { .75, .5 }, { .05, 1 }, { 1, 1 }, { -2, 0 } },
    { { .6, 0 }, { 0, .65 }, { 1, .65 }, { -1, -1 }, { .7, .35 }, { .7, 1 }, { -2, 0 } },
    { { .9, 0 }, { .15, 0 }, { .1, .45 }, { .7, .4 }, { .95, .7 }, { .6, 1 }, { .05, .9 }, { -2, 0 } },
    { { 0, 0 }, { 1, 0 }, { .35, 1 }, { -2, 0 } },
};
enum { N_DIGITS = sizeof digits / sizeof *digits };

static double distance(struct point p, struct point a, struct point b)
{
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/* A picture to draw: a digit of this height at a place, and the light on it. */
struct scene {
    unsigned digit;
    uint32_t height, width; /* of the photograph */
    double   top, left, size, pen, contrast;
    double   light, right, down, vignette, noise; /* brightness at the top left, and what is lost to the right ... */
};

static double ink_at(const struct scene *s, double x, double y)
{
    double nearest = 1e9;
    for (const struct point *p = digits[s->digit]; p[1].x > -2; p++) {
        if (p[0].x < 0 || p[1].x < 0)
            continue;
        const struct point a = { s->left + p[0].x * s->size * .65, s->top + p[0].y * s->size },
                           b = { s->left + p[1].x * s->size * .65, s->top + p[1].y * s->size };
        const double d = distance((struct point){ x, y }, a, b);
        nearest = d < nearest ? d : nearest;
    }
    const double v = s->pen / 2 - nearest + .5; /* a soft edge of one pixel */
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static double noise(unsigned *seed) /* nearly normal, sigma 1 */
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 1103515245u + 12345u;
        sum += (*seed >> 8 & 0xffff) / 65536.0;
    }
    return sum;
}

static void take(bnn_picture *out, const struct scene *s)
{
    unsigned seed = 7;
    assert_int_equal(bnn_picture_new(out, s->height, s->width, BNN_MODE_L, NULL), BNN_OK);
    for (uint32_t y = 0; y < s->height; y++)
        for (uint32_t x = 0; x < s->width; x++) {
            const double u = (double)x / s->width, v = (double)y / s->height;
            const double light = s->light - s->right * u - s->down * v - s->vignette * ((u - .5) * (u - .5) + (v - .4) * (v - .4));
            const double value = light * (1 - s->contrast * ink_at(s, x + .5, y + .5)) + s->noise * noise(&seed);
            out->pixels[(size_t)y * s->width + x] = value < 0 ? 0 : value > 255 ? 255 : (uint8_t)(value + .5);
        }
}

static int develop(uint8_t *out, const struct scene *s, bnn_error *err)
{
    const bnn_rule rule = { .shape = { SIDE, SIDE, 1 }, .bits = 1, .height = SIDE, .width = SIDE, .grey = true };
    bnn_picture p;
    take(&p, s);
    const int rc = bnn_prepare_photo(&rule, &p, out, err);
    bnn_picture_free(&p);
    return rc;
}

/* Bits, as a network of 1-bit inputs sees them, that differ when b is moved by dy, dx. */
static int bits_moved(const uint8_t *a, const uint8_t *b, int dy, int dx)
{
    int n = 0;
    for (int y = 1; y < SIDE - 1; y++)
        for (int x = 1; x < SIDE - 1; x++)
            n += (a[y * SIDE + x] >= 128) != (b[(y + dy) * SIDE + x + dx] >= 128);
    return n;
}

/* The fewest over moves by a pixel: a centre of mass between two pixels may be rounded either way. */
static int bits_that_differ(const uint8_t *a, const uint8_t *b)
{
    int least = SIDE * SIDE;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            const int n = bits_moved(a, b, dy, dx);
            least = n < least ? n : least;
        }
    return least;
}

/* Centre of mass within half a pixel of the middle, and everything within the 20 x 20 box's size. */
static void check_centred(const uint8_t *v)
{
    double sum = 0, y_sum = 0, x_sum = 0;
    int top = SIDE, bottom = 0, left = SIDE, right = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const int w = v[y * SIDE + x];
            sum += w, y_sum += w * (y + .5), x_sum += w * (x + .5);
            if (w > 40) {
                top = y < top ? y : top, bottom = y > bottom ? y : bottom;
                left = x < left ? x : left, right = x > right ? x : right;
            }
        }
    assert_true(fabs(y_sum / sum - SIDE / 2.0) <= 0.51);
    assert_true(fabs(x_sum / sum - SIDE / 2.0) <= 0.51);
    const int high = bottom - top + 1, wide = right - left + 1;
    assert_true(high <= 20 && wide <= 20);
    assert_true(high >= 19 || wide >= 19);
}

static void uneven_light_makes_no_difference(void **state)
{
    static const struct scene lights[] = { /* light, right, down, vignette, noise */
        { .light = 230, .right = 130 },
        { .light = 230, .right = 60, .down = 90, .noise = 3 },
        { .light = 240, .vignette = 250, .noise = 4 },
        { .light = 120, .right = -100, .noise = 2 },
        { .light = 200, .right = 80, .down = -50, .noise = 6 },
    };
    static const struct scene places[] = { /* photograph, place, size and pen */
        { .height = 240, .width = 320, .top = 60, .left = 120, .size = 120, .pen = 12, .contrast = .8 },
        { .height = 480, .width = 640, .top = 40, .left = 60, .size = 90, .pen = 9, .contrast = .7 },
        { .height = 480, .width = 640, .top = 300, .left = 480, .size = 150, .pen = 20, .contrast = .85 },
        { .height = 300, .width = 200, .top = 25, .left = 25, .size = 240, .pen = 30, .contrast = .75 },
        { .height = 600, .width = 800, .top = 180, .left = 300, .size = 250, .pen = 20, .contrast = .6 },
    };
    (void)state;
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (unsigned d = 0; d < N_DIGITS; d++) {
            uint8_t even[SIDE * SIDE], uneven[SIDE * SIDE];
            struct scene s = places[p];
            s.digit = d;
            s.light = 230;
            assert_int_equal(develop(even, &s, NULL), BNN_OK);
            check_centred(even);
            const struct scene *l = &lights[(d + p) % (sizeof lights / sizeof *lights)];
            s.light = l->light, s.right = l->right, s.down = l->down, s.vignette = l->vignette, s.noise = l->noise;
            assert_int_equal(develop(uneven, &s, NULL), BNN_OK);
            check_centred(uneven);
            if (bits_that_differ(even, uneven) > 10)
                fail_msg("place %zu, digit %u: %d bits differ", p, d, bits_that_differ(even, uneven));
        }
}

/* The same digit wherever it is and however large gives the same picture, but for rounding. */
static void size_and_place_make_no_difference(void **state)
{
    uint8_t first[SIDE * SIDE], other[SIDE * SIDE];
    (void)state;
    for (unsigned d = 0; d < N_DIGITS; d++)
        for (int i = 0; i < 4; i++) {
            const double size = 80 + 60 * i;
            const struct scene s = { .digit = d, .height = 480, .width = 480, .top = 20 + 40 * i, .left = 250 - 70 * i, .size = size,
                                     .pen = size / 8, .contrast = .8, .light = 220 };
            assert_int_equal(develop(i ? other : first, &s, NULL), BNN_OK);
            if (i && bits_that_differ(first, other) > 30)
                fail_msg("digit %u of size %.0f: %d bits differ", d, size, bits_that_differ(first, other));
        }
}

/* Dust, and a dark table's edge at the border, are not part of the digit. */
static void specks_and_edges_do_not_count(void **state)
{
    const bnn_rule rule = { .shape = { SIDE, SIDE, 1 }, .bits = 1, .height = SIDE, .width = SIDE, .grey = true };
    const struct scene s = { .digit = 1, .height = 240, .width = 320, .top = 60, .left = 100, .size = 120, .pen = 12, .contrast = .8,
                             .light = 230, .right = 60 };
    uint8_t clean[SIDE * SIDE], dirty[SIDE * SIDE];
    bnn_picture p;
    (void)state;
    assert_int_equal(develop(clean, &s, NULL), BNN_OK);
    take(&p, &s);
    for (uint32_t y = 0; y < p.height; y++)
        for (uint32_t x = p.width - 12; x < p.width; x++)
            p.pixels[y * p.width + x] = 30;
    for (int i = 0; i < 9; i++)
        p.pixels[(size_t)(20 + i / 3) * p.width + 30 + (size_t)i % 3] = 40;
    assert_int_equal(bnn_prepare_photo(&rule, &p, dirty, NULL), BNN_OK);
    bnn_picture_free(&p);
    assert_true(bits_that_differ(clean, dirty) <= 25);
    check_centred(dirty);
}

static void empty_paper_is_told(void **state)
{
    const struct scene s = { .digit = 0, .height = 200, .width = 200, .light = 220, .right = 100, .noise = 2 };
    uint8_t out[SIDE * SIDE];
    bnn_error err;
    (void)state;
    assert_int_equal(develop(out, &s, &err), BNN_ESHAPE);
    assert_string_equal(err.message, "no ink found; expected a dark digit on lighter paper");
}

static void any_size_of_picture_is_safe(void **state)
{
    (void)state;
    for (uint32_t h = 1; h < 40; h += 6)
        for (uint32_t w = 1; w < 3000; w = 3 * w + 1) {
            uint8_t out[SIDE * SIDE];
            const struct scene s = { .digit = 1, .height = h, .width = w, .top = 1, .left = 1, .size = h, .pen = 2, .contrast = .9, .light = 200 };
            const int rc = develop(out, &s, NULL);
            assert_true(rc == BNN_OK || rc == BNN_ESHAPE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uneven_light_makes_no_difference),
        cmocka_unit_test(size_and_place_make_no_difference),
        cmocka_unit_test(specks_and_edges_do_not_count),
        cmocka_unit_test(empty_paper_is_told),
        cmocka_unit_test(any_size_of_picture_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
