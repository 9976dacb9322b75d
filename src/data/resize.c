/* resize.c -- Pillow 9.4's resize and thumbnail, byte for byte.
 *
 * A resize is a weighted sum along x, rounded to bytes, then one along y. The
 * weights of an output pixel are a windowed kernel around its centre, stretched
 * by the factor of shrinking (antialias), in fixed point of 22 bits. A thumbnail
 * of L or RGB that shrinks more than four times first averages whole blocks of
 * pixels ("reducing gap" 2): nearly the same and much faster. RGBA and LA are
 * multiplied by alpha meanwhile. Every rounding below is Pillow's: float and
 * double where it has them, in its order.
 */
#include "data/data.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* -------------------------------------------------------------- weights -- */

enum { FRACTION = 32 - 8 - 2 }; /* a sum of byte x weight, and its sign, in 32 bits */

/* Weights of one axis: output i is the sum of `count[i]` inputs from `first[i]`. */
struct weights {
    uint32_t  room; /* weights an output */
    uint32_t *first, *count;
    int32_t  *weight;
};

static double sinc(double x)
{
    return x == 0.0 ? 1.0 : sin(x * M_PI) / (x * M_PI);
}

static double lanczos3(double x)
{
    return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

/* Keys' cubic convolution with a = -1/2. */
static double bicubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

static const struct kernel { double (*at)(double); double support; } kernels[] = {
    [BNN_BICUBIC] = { bicubic, 2.0 }, [BNN_LANCZOS] = { lanczos3, 3.0 },
};

static void free_weights(struct weights *w)
{
    bnn_free(w->first);
    bnn_free(w->count);
    bnn_free(w->weight);
}

static int new_weights(struct weights *w, uint32_t n_out, uint32_t room, bnn_error *err)
{
    *w = (struct weights){ .room   = room,
                           .first  = bnn_alloc(n_out, sizeof *w->first),
                           .count  = bnn_alloc(n_out, sizeof *w->count),
                           .weight = bnn_alloc(n_out, room * sizeof *w->weight) };
    if (w->first && w->count && w->weight)
        return BNN_OK;
    free_weights(w);
    return bnn_fail_memory(err, (size_t)n_out * room * sizeof *w->weight);
}

static int32_t to_fixed(double v)
{
    return (int32_t)((v < 0 ? -0.5 : 0.5) + v * (1 << FRACTION));
}

/* Weights that bring the first `extent` (in pixels, not always whole) of `n_in` inputs to `n_out`. */
static int make_weights(struct weights *w, const struct kernel *kernel, uint32_t n_in, float extent, uint32_t n_out, bnn_error *err)
{
    const double scale = (double)extent / n_out, stretch = scale < 1.0 ? 1.0 : scale;
    const double support = kernel->support * stretch;
    const uint32_t room = (uint32_t)ceil(support) * 2 + 1;
    double *exact = bnn_alloc(room, sizeof *exact);
    const int rc = exact ? new_weights(w, n_out, room, err) : bnn_fail_memory(err, room * sizeof *exact);
    for (uint32_t i = 0; rc == BNN_OK && i < n_out; i++) {
        const double centre = (i + 0.5) * scale;
        const int from = (int)(centre - support + 0.5), to = (int)(centre + support + 0.5);
        const int first = from < 0 ? 0 : from, end = to > (int)n_in ? (int)n_in : to;
        double sum = 0.0;
        w->first[i] = (uint32_t)first;
        w->count[i] = (uint32_t)(end - first);
        for (int k = 0; k < end - first; k++)
            sum += exact[k] = kernel->at((k + first - centre + 0.5) * (1.0 / stretch));
        for (int k = 0; k < end - first; k++)
            w->weight[(size_t)i * room + (size_t)k] = to_fixed(sum != 0.0 ? exact[k] / sum : exact[k]);
    }
    bnn_free(exact);
    return rc;
}

/* --------------------------------------------------------------- passes -- */

static uint8_t to_byte(int32_t sum)
{
    const int32_t v = sum >> FRACTION;
    return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v;
}

/* Rows of `channels` (a constant at each call, so that the loops unroll). */
static inline void across(bnn_picture *out, const bnn_picture *in, const struct weights *w, uint32_t channels)
{
    for (size_t y = 0; y < out->height; y++) {
        const uint8_t *row = in->pixels + y * in->width * channels;
        uint8_t *to = out->pixels + y * out->width * channels;
        for (size_t x = 0; x < out->width; x++, to += channels) {
            const uint8_t *from = row + (size_t)w->first[x] * channels;
            const int32_t *weight = w->weight + x * w->room;
            int32_t sum[4] = { 1 << (FRACTION - 1), 1 << (FRACTION - 1), 1 << (FRACTION - 1), 1 << (FRACTION - 1) };
            for (uint32_t k = 0; k < w->count[x]; k++)
                for (uint32_t c = 0; c < channels; c++)
                    sum[c] += from[k * channels + c] * weight[k];
            for (uint32_t c = 0; c < channels; c++)
                to[c] = to_byte(sum[c]);
        }
    }
}

static int pass_x(bnn_picture *out, const bnn_picture *in, float extent, uint32_t width, const struct kernel *kernel, bnn_error *err)
{
    struct weights w;
    int rc = make_weights(&w, kernel, in->width, extent, width, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_picture_new(out, in->height, width, in->mode, err);
    if (rc == BNN_OK)
        switch (bnn_mode_channels(in->mode)) {
        case 1:  across(out, in, &w, 1); break;
        case 2:  across(out, in, &w, 2); break;
        case 3:  across(out, in, &w, 3); break;
        default: across(out, in, &w, 4); break;
        }
    free_weights(&w);
    return rc;
}

static void down(bnn_picture *out, const bnn_picture *in, const struct weights *w, int32_t *sum)
{
    const size_t row = (size_t)in->width * bnn_mode_channels(in->mode);
    for (size_t y = 0; y < out->height; y++) {
        for (size_t i = 0; i < row; i++)
            sum[i] = 1 << (FRACTION - 1);
        for (uint32_t k = 0; k < w->count[y]; k++) {
            const uint8_t *from = in->pixels + (w->first[y] + k) * row;
            const int32_t weight = w->weight[y * w->room + k];
            for (size_t i = 0; i < row; i++)
                sum[i] += from[i] * weight;
        }
        for (size_t i = 0; i < row; i++)
            out->pixels[y * row + i] = to_byte(sum[i]);
    }
}

static int pass_y(bnn_picture *out, const bnn_picture *in, float extent, uint32_t height, const struct kernel *kernel, bnn_error *err)
{
    struct weights w;
    int rc = make_weights(&w, kernel, in->height, extent, height, err);
    if (rc != BNN_OK)
        return rc;
    const size_t row = (size_t)in->width * bnn_mode_channels(in->mode);
    int32_t *sum = bnn_alloc(row, sizeof *sum);
    rc = sum ? bnn_picture_new(out, height, in->width, in->mode, err) : bnn_fail_memory(err, row * sizeof *sum);
    if (rc == BNN_OK)
        down(out, in, &w, sum);
    bnn_free(sum);
    free_weights(&w);
    return rc;
}

static int copy(bnn_picture *out, const bnn_picture *in, bnn_error *err)
{
    const int rc = bnn_picture_new(out, in->height, in->width, in->mode, err);
    if (rc == BNN_OK) {
        memcpy(out->pixels, in->pixels, (size_t)in->height * in->width * bnn_mode_channels(in->mode));
        memcpy(out->palette, in->palette, sizeof out->palette);
    }
    return rc;
}

/* x first, then y; a pass that would change nothing is left out. `high` and
 * `wide` are the part of the picture that is brought to the size. */
static int resample(bnn_picture *out, const bnn_picture *in, float high, float wide, uint32_t height, uint32_t width,
                    const struct kernel *kernel, bnn_error *err)
{
    const bool x = width != in->width || wide != (float)width, y = height != in->height || high != (float)height;
    bnn_picture between;
    if (!x && !y)
        return copy(out, in, err);
    if (!y)
        return pass_x(out, in, wide, width, kernel, err);
    if (!x)
        return pass_y(out, in, high, height, kernel, err);
    int rc = pass_x(&between, in, wide, width, kernel, err);
    if (rc == BNN_OK) {
        rc = pass_y(out, &between, high, height, kernel, err);
        bnn_picture_free(&between);
    }
    return rc;
}

/* -------------------------------------------------------------- nearest -- */

/* Steps are added up, as Pillow does, not multiplied. */
static int nearest(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width, bnn_error *err)
{
    uint32_t *column = bnn_alloc(width, sizeof *column);
    const int rc = column ? bnn_picture_new(out, height, width, in->mode, err) : bnn_fail_memory(err, width * sizeof *column);
    if (rc == BNN_OK) {
        memcpy(out->palette, in->palette, sizeof out->palette);
        const double dx = (double)in->width / width, dy = (double)in->height / height;
        double at = dx * 0.5;
        for (uint32_t x = 0; x < width; x++, at += dx)
            column[x] = at < in->width ? (uint32_t)at : in->width - 1;
        at = dy * 0.5;
        for (uint32_t y = 0; y < height; y++, at += dy) {
            const uint32_t line = at < in->height ? (uint32_t)at : in->height - 1;
            for (uint32_t x = 0; x < width; x++)
                out->pixels[(size_t)y * width + x] = in->pixels[(size_t)line * in->width + column[x]];
        }
    }
    bnn_free(column);
    return rc;
}

/* ---------------------------------------------------------------- alpha -- */

static uint8_t times(uint8_t a, uint8_t b) /* a * b / 255, rounded */
{
    const unsigned t = a * b + 128u;
    return (uint8_t)((t + (t >> 8)) >> 8);
}

static void multiply_alpha(bnn_picture *p)
{
    const uint32_t n = bnn_mode_channels(p->mode);
    uint8_t *v = p->pixels;
    for (size_t i = (size_t)p->height * p->width; i > 0; i--, v += n)
        for (uint32_t c = 0; c + 1 < n; c++)
            v[c] = times(v[c], v[n - 1]);
}

static void divide_alpha(bnn_picture *p)
{
    const uint32_t n = bnn_mode_channels(p->mode);
    uint8_t *v = p->pixels;
    for (size_t i = (size_t)p->height * p->width; i > 0; i--, v += n) {
        const unsigned alpha = v[n - 1];
        for (uint32_t c = 0; alpha != 0 && alpha != 255 && c + 1 < n; c++)
            v[c] = (uint8_t)(255u * v[c] / alpha > 255 ? 255 : 255u * v[c] / alpha);
    }
}

static int resample_alpha(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width,
                          const struct kernel *kernel, bnn_error *err)
{
    bnn_picture multiplied;
    int rc = copy(&multiplied, in, err);
    if (rc != BNN_OK)
        return rc;
    multiply_alpha(&multiplied);
    rc = resample(out, &multiplied, (float)in->height, (float)in->width, height, width, kernel, err);
    bnn_picture_free(&multiplied);
    if (rc == BNN_OK)
        divide_alpha(out);
    return rc;
}

/* ------------------------------------------------------------- reducing -- */

/* Mean of a block, by a reciprocal in fixed point that went through float. */
struct mean { uint64_t half, reciprocal; };

static struct mean mean_of(uint32_t n)
{
    return (struct mean){ n / 2, (uint64_t)(4294967296.0f / (float)((uint64_t)256 * n)) };
}

static void reduce_row(uint8_t *to, const bnn_picture *in, size_t top, uint32_t rows, uint32_t by)
{
    const uint32_t channels = bnn_mode_channels(in->mode);
    const size_t pitch = (size_t)in->width * channels;
    struct mean m = mean_of(rows * by);
    for (uint32_t left = 0; left < in->width; left += by) {
        const uint32_t columns = in->width - left < by ? in->width - left : by;
        if (columns != by)
            m = mean_of(rows * columns);
        for (uint32_t c = 0; c < channels; c++) {
            uint64_t sum = m.half;
            for (uint32_t y = 0; y < rows; y++) {
                const uint8_t *from = in->pixels + (top + y) * pitch + (size_t)left * channels + c;
                for (uint32_t x = 0; x < columns; x++)
                    sum += from[(size_t)x * channels];
            }
            *to++ = (uint8_t)(sum * m.reciprocal >> 24);
        }
    }
}

/* Pillow's img.reduce((by_x, by_y)): blocks of pixels become their mean; the
 * last of a row or column may be smaller. */
static int reduce(bnn_picture *out, const bnn_picture *in, uint32_t by_y, uint32_t by_x, bnn_error *err)
{
    const uint32_t height = (in->height + by_y - 1) / by_y, width = (in->width + by_x - 1) / by_x;
    const int rc = bnn_picture_new(out, height, width, in->mode, err);
    for (uint32_t y = 0; rc == BNN_OK && y < height; y++) {
        const uint32_t top = y * by_y, rows = in->height - top < by_y ? in->height - top : by_y;
        reduce_row(out->pixels + (size_t)y * width * bnn_mode_channels(in->mode), in, top, rows, by_x);
    }
    return rc;
}

/* --------------------------------------------------------------- public -- */

static bool has_alpha(enum bnn_mode mode) { return mode == BNN_MODE_LA || mode == BNN_MODE_RGBA; }
static bool is_indexed(enum bnn_mode mode) { return mode == BNN_MODE_P || mode == BNN_MODE_1; }

int bnn_resize(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width, enum bnn_filter filter, bnn_error *err)
{
    if (height == in->height && width == in->width)
        return copy(out, in, err);
    if (is_indexed(in->mode))
        return nearest(out, in, height, width, err);
    if (has_alpha(in->mode))
        return resample_alpha(out, in, height, width, &kernels[filter], err);
    return resample(out, in, (float)in->height, (float)in->width, height, width, &kernels[filter], err);
}

/* The whole number nearest to x by the aspect that it gives: of floor and ceil,
 * the one with the smaller error, floor when equal; at least 1. */
static uint32_t round_aspect(double x, double aspect, double other, bool x_is_width)
{
    const double low = floor(x), high = ceil(x);
    double error[2];
    for (int i = 0; i < 2; i++) {
        const double n = i == 0 ? low : high;
        error[i] = x_is_width ? fabs(aspect - n / other) : n == 0 ? 0 : fabs(aspect - other / n);
    }
    const double best = error[1] < error[0] ? high : low;
    return best < 1 ? 1 : (uint32_t)best;
}

void bnn_thumbnail_size(uint32_t height, uint32_t width, uint32_t *out_height, uint32_t *out_width)
{
    const double x = *out_width, y = *out_height, aspect = (double)width / height;
    if (*out_width >= width && *out_height >= height) {
        *out_width  = width;
        *out_height = height;
    } else if (x / y >= aspect) {
        *out_width = round_aspect(y * aspect, aspect, y, true);
    } else {
        *out_height = round_aspect(x / aspect, aspect, x, false);
    }
}

static uint32_t reduce_factor(double extent, uint32_t size)
{
    const uint32_t factor = (uint32_t)(extent / size / 2.0);
    return factor ? factor : 1;
}

int bnn_thumbnail(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width, enum bnn_filter filter, bnn_error *err)
{
    bnn_thumbnail_size(in->full_height, in->full_width, &height, &width);
    if ((height == in->height && width == in->width) || is_indexed(in->mode) || has_alpha(in->mode))
        return bnn_resize(out, in, height, width, filter, err);
    const double high = (double)in->full_height / in->scale, wide = (double)in->full_width / in->scale;
    const uint32_t by_y = reduce_factor(high, height), by_x = reduce_factor(wide, width);
    if (by_y == 1 && by_x == 1)
        return resample(out, in, (float)high, (float)wide, height, width, &kernels[filter], err);
    bnn_picture reduced;
    int rc = reduce(&reduced, in, by_y, by_x, err);
    if (rc == BNN_OK) {
        rc = resample(out, &reduced, (float)(high / by_y), (float)(wide / by_x), height, width, &kernels[filter], err);
        bnn_picture_free(&reduced);
    }
    return rc;
}
