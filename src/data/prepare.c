/* prepare.c -- a picture through the geometry of an input rule: mode, size, background, crop, invert. */
#include "data/data.h"
#include "base/mem.h"

#include <string.h>

/* ---------------------------------------------------------------- modes -- */

/* a x b / 255, rounded, as Pillow has it. */
static unsigned times(unsigned a, unsigned b)
{
    const unsigned t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static void pixel_rgb(const bnn_picture *p, size_t i, uint8_t *rgb)
{
    const uint8_t *v = p->pixels + i * bnn_mode_channels(p->mode);
    switch (p->mode) {
    case BNN_MODE_RGB:
    case BNN_MODE_RGBA: memcpy(rgb, v, 3); break;
    case BNN_MODE_P:    memcpy(rgb, p->palette + 3 * v[0], 3); break;
    case BNN_MODE_CMYK:
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(255u - v[3] - times(v[c], 255u - v[3]));
        break;
    default:            memset(rgb, v[0], 3); break;
    }
}

int bnn_picture_convert(bnn_picture *out, const bnn_picture *in, enum bnn_mode mode, bnn_error *err)
{
    const int rc = bnn_picture_new(out, in->height, in->width, mode, err);
    if (rc != BNN_OK)
        return rc;
    const bool grey = bnn_mode_is_grey(in->mode);
    const size_t n = (size_t)in->height * in->width;
    for (size_t i = 0; i < n; i++) {
        uint8_t rgb[3];
        pixel_rgb(in, i, rgb);
        if (mode == BNN_MODE_L)
            out->pixels[i] = grey ? rgb[0] : bnn_luma(rgb);
        else
            memcpy(out->pixels + 3 * i, rgb, 3);
    }
    out->scale       = in->scale;
    out->full_height = in->full_height;
    out->full_width  = in->full_width;
    return BNN_OK;
}

/* --------------------------------------------------------------- canvas -- */

static int fit(bnn_picture *out, const bnn_picture *in, const bnn_rule *rule, bnn_error *err)
{
    return (rule->fit == BNN_FIT_STRETCH ? bnn_resize : bnn_thumbnail)(out, in, rule->height, rule->width, BNN_LANCZOS, err);
}

static void fill(uint8_t *out, const bnn_rule *rule)
{
    const uint32_t channels = rule->shape.channels;
    const uint8_t grey = bnn_luma(rule->background);
    for (size_t i = 0, n = bnn_shape_size(rule->shape); i < n; i += channels)
        for (uint32_t c = 0; c < channels; c++)
            out[i + c] = channels == 1 ? grey : rule->background[c];
}

/* The middle of one axis: `n` of the picture centred on `canvas`, of which the
 * centred `shape` is kept. `from` in the picture goes to `to` in the output. */
struct span { uint32_t from, to, n; };

static struct span centre(uint32_t n, uint32_t canvas, uint32_t shape)
{
    const uint32_t crop = (canvas - shape) / 2, paste = (canvas - n) / 2;
    const uint32_t begin = paste > crop ? paste : crop;
    const uint32_t end = paste + n < crop + shape ? paste + n : crop + shape;
    return (struct span){ begin - paste, begin - crop, end > begin ? end - begin : 0 };
}

/* `picture` is L or RGB, as the rule wants, and no larger than the rule's size. */
static void paste(uint8_t *out, const bnn_rule *rule, const bnn_picture *picture)
{
    const uint32_t channels = rule->shape.channels;
    const struct span y = centre(picture->height, rule->height, rule->shape.height);
    const struct span x = centre(picture->width, rule->width, rule->shape.width);
    for (uint32_t i = 0; i < y.n; i++)
        memcpy(out + ((size_t)(y.to + i) * rule->shape.width + x.to) * channels,
               picture->pixels + ((size_t)(y.from + i) * picture->width + x.from) * channels, (size_t)x.n * channels);
}

int bnn_prepare(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err)
{
    const enum bnn_mode mode = rule->grey ? BNN_MODE_L : BNN_MODE_RGB;
    if (bnn_mode_channels(mode) != rule->shape.channels)
        return bnn_fail(err, BNN_ESHAPE, "pictures for an input of %u channels; expected %s", rule->shape.channels,
                        rule->grey ? "1" : "1 (grey) or 3");
    bnn_picture grey = { 0 }, fitted = { 0 }, last = { 0 };
    int rc = BNN_OK;
    if (rule->grey && picture->mode != BNN_MODE_L)
        rc = bnn_picture_convert(&grey, picture, BNN_MODE_L, err);
    if (rc == BNN_OK)
        rc = fit(&fitted, grey.pixels ? &grey : picture, rule, err);
    if (rc == BNN_OK && fitted.mode != mode)
        rc = bnn_picture_convert(&last, &fitted, mode, err);
    if (rc == BNN_OK) {
        fill(out, rule);
        paste(out, rule, last.pixels ? &last : &fitted);
        for (size_t i = 0, n = bnn_shape_size(rule->shape); rule->invert && i < n; i++)
            out[i] = (uint8_t)(255 - out[i]);
    }
    bnn_picture_free(&grey);
    bnn_picture_free(&fitted);
    bnn_picture_free(&last);
    return rc;
}
