/* detect.c -- `bnn detect`: where in a picture; boxes as JSON, and drawn into a copy. */
#include "open.h"
#include "output.h"

#include <bnn/detect.h>

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCALES = 32 };

struct detect {
    tool_common        common;
    tool_session       session;
    bnn_detect_options options;
    const char        *scales_text, *out;
    uint32_t           min_score, min_lead;
    double             scales[MAX_SCALES];
    uint8_t           *pixels;
    bnn_shape          shape;
    bnn_box           *boxes;
    size_t             count;
};

/* ------------------------------------------------------------- picture -- */

/* One picture file, as it is. */
static int read_picture(struct detect *d, const char *path, bnn_error *err)
{
    bnn_dataset *set;
    int rc = bnn_dataset_open(&set, &path, 1, NULL, err);
    if (rc != BNN_OK)
        return rc;
    if (bnn_dataset_count(set, &d->shape) != 1)
        rc = tool_fail(err, BNN_ESHAPE, "%s: %zu images; expected one picture", path, bnn_dataset_count(set, NULL));
    free(d->pixels);
    d->pixels = malloc((size_t)d->shape.height * d->shape.width * d->shape.channels);
    if (rc == BNN_OK && !d->pixels)
        rc = tool_fail(err, BNN_ENOMEM, "%s: not enough memory", path);
    if (rc == BNN_OK)
        rc = bnn_dataset_get(set, 0, 1, d->pixels, NULL, err);
    bnn_dataset_close(set);
    return rc;
}

/* All boxes: as many again as there is room for, until there is enough. */
static int find_boxes(struct detect *d, bnn_error *err)
{
    size_t capacity = 0;
    for (;;) {
        const int rc = bnn_detect(d->session.runtime, d->pixels, d->shape, &d->options, d->boxes, capacity, &d->count, err);
        if (rc != BNN_OK || d->count <= capacity)
            return rc;
        free(d->boxes);
        capacity = d->count;
        if (!(d->boxes = malloc(capacity * sizeof *d->boxes)))
            return tool_fail(err, BNN_ENOMEM, "not enough memory for %zu boxes", capacity);
    }
}

/* ---------------------------------------------------------------- JSON -- */

static json_t *box_json(const struct detect *d, const bnn_box *b)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:o, s:i, s:i, s:i}", "x", (int)b->x, "y", (int)b->y, "width", (int)b->width,
                     "height", (int)b->height, "label", b->label, "class",
                     tool_json_text(bnn_network_class_name(d->session.network, b->label)), "score", b->score, "lead", b->lead,
                     "votes", (int)b->votes);
}

static void print_boxes(const struct detect *d, const char *path)
{
    json_t *boxes = json_array();
    for (size_t i = 0; i < d->count; i++)
        json_array_append_new(boxes, box_json(d, &d->boxes[i]));
    tool_print_json(json_pack("{s:o, s:i, s:i, s:o}", "file", tool_json_text(path), "width", (int)d->shape.width, "height",
                              (int)d->shape.height, "boxes", boxes), JSON_COMPACT);
}

/* ------------------------------------------------------------- drawing -- */

struct canvas { uint8_t *rgb; uint32_t width, height; };

static void dot(struct canvas *c, int64_t x, int64_t y, const uint8_t *colour)
{
    if (x >= 0 && y >= 0 && x < c->width && y < c->height)
        memcpy(c->rgb + ((size_t)y * c->width + (size_t)x) * 3, colour, 3);
}

static void rectangle(struct canvas *c, int64_t x, int64_t y, int64_t width, int64_t height, const uint8_t *colour)
{
    for (int64_t j = y; j < y + height; j++)
        for (int64_t i = x; i < x + width; i++)
            dot(c, i, j, colour);
}

/* A digit of 3 x 5 dots, each `size` pixels wide. Bit 14 is the top left dot. */
static void digit(struct canvas *c, unsigned value, int64_t x, int64_t y, int64_t size, const uint8_t *colour)
{
    static const uint16_t glyph[10] = { 075557, 026227, 071747, 071717, 055711, 074717, 074757, 071111, 075757, 075717 };
    for (int i = 0; i < 15; i++)
        if (glyph[value] >> (14 - i) & 1)
            rectangle(c, x + i % 3 * size, y + i / 3 * size, size, size, colour);
}

/* The frame of a box, and the number of its label in a corner. */
static void draw_box(struct canvas *c, const bnn_box *b)
{
    static const uint8_t palette[][3] = { { 230, 25, 75 }, { 0, 130, 200 }, { 60, 180, 75 }, { 245, 130, 48 }, { 145, 30, 180 },
                                          { 0, 128, 128 }, { 240, 50, 230 }, { 128, 0, 0 } };
    static const uint8_t white[3] = { 255, 255, 255 };
    const uint8_t *colour = palette[b->label % (sizeof palette / sizeof *palette)];
    const int64_t line = 1 + b->width / 40, size = 1 + b->width / 30;
    char text[8];
    const int n = snprintf(text, sizeof text, "%u", b->label);
    rectangle(c, b->x, b->y, b->width, line, colour);
    rectangle(c, b->x, b->y + b->height - line, b->width, line, colour);
    rectangle(c, b->x, b->y, line, b->height, colour);
    rectangle(c, b->x + b->width - line, b->y, line, b->height, colour);
    rectangle(c, b->x, b->y, (4 * n + 1) * size + line, 7 * size + line, colour);
    for (int i = 0; i < n; i++)
        digit(c, (unsigned)(text[i] - '0'), b->x + line + (4 * i + 1) * size - size / 2, b->y + line + size / 2, size, white);
}

static void copy_picture(struct canvas *c, const struct detect *d)
{
    const uint32_t channels = d->shape.channels;
    for (size_t i = 0, n = (size_t)c->width * c->height; i < n; i++)
        for (uint32_t k = 0; k < 3; k++)
            c->rgb[3 * i + k] = d->pixels[i * channels + (channels < 3 ? 0 : k)];
}

static int write_png(const struct canvas *c, const char *path, bnn_error *err)
{
    png_image image = { .version = PNG_IMAGE_VERSION, .width = c->width, .height = c->height, .format = PNG_FORMAT_RGB };
    if (!png_image_write_to_file(&image, path, 0, c->rgb, 0, NULL))
        return tool_fail(err, BNN_EIO, "%s: cannot write: %s", path, errno ? strerror(errno) : image.message);
    return BNN_OK;
}

static int draw(const struct detect *d, bnn_error *err)
{
    struct canvas c = { malloc((size_t)d->shape.width * d->shape.height * 3), d->shape.width, d->shape.height };
    if (!c.rgb)
        return tool_fail(err, BNN_ENOMEM, "%s: not enough memory", d->out);
    copy_picture(&c, d);
    for (size_t i = d->count; i-- > 0;) /* the best on top */
        draw_box(&c, &d->boxes[i]);
    errno = 0;
    const int rc = write_png(&c, d->out, err);
    free(c.rgb);
    return rc;
}

/* ----------------------------------------------------------------- run -- */

static int parse_scales(struct detect *d, bnn_error *err)
{
    const char *at = d->scales_text;
    while (at && d->options.n_scales < MAX_SCALES) {
        char *end;
        const double scale = strtod(at, &end);
        if (end == at || (*end && *end != ',') || !isfinite(scale))
            break;
        d->scales[d->options.n_scales++] = scale;
        at = *end ? end + 1 : NULL;
    }
    if (at)
        return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --scales; expected up to %d numbers such as 1,1.5,2",
                         d->scales_text, MAX_SCALES);
    d->options.scales = d->options.n_scales ? d->scales : NULL;
    return BNN_OK;
}

static int check_usage(struct detect *d, tool_line *line, bnn_error *err)
{
    int rc = tool_take_network(line, &d->common, err);
    if (rc == BNN_OK)
        rc = tool_expect(line, 1, d->out ? 1 : INT32_MAX, d->out ? "one picture with --out" : "pictures", err);
    d->options.min_score = (int32_t)d->min_score;
    d->options.min_lead  = (int32_t)d->min_lead;
    return rc == BNN_OK ? parse_scales(d, err) : rc;
}

static int detect_all(struct detect *d, const tool_line *line, bnn_error *err)
{
    int rc = tool_open_network(&d->session, &d->common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(&d->session, &d->common, err);
    for (int i = 0; rc == BNN_OK && i < line->argc; i++) {
        rc = read_picture(d, line->argv[i], err);
        if (rc == BNN_OK)
            rc = find_boxes(d, err);
        if (rc == BNN_OK)
            print_boxes(d, line->argv[i]);
        if (rc == BNN_OK && d->out)
            rc = draw(d, err);
    }
    return rc;
}

static int run(tool_line *line, bnn_error *err)
{
    struct detect d = { .common = tool_common_default() };
    bnn_detect_options_default(&d.options);
    const tool_option options[] = {
        OPTION_TEXT(0, "out", "FILE", &d.out, "a PNG of the picture with its boxes"),
        OPTION_TEXT(0, "scales", "LIST", &d.scales_text, "sizes of tiles, 1 = the network's own (default 1,1.5,2,3)"),
        OPTION_REAL(0, "stride", "PART", &d.options.stride, 0.01, 1, "step between tiles, part of their side (default 0.2)"),
        OPTION_REAL(0, "overlap", "PART", &d.options.overlap, 0.01, 1, "how much of a tile may lie in a box (default 0.3)"),
        OPTION_NUMBER(0, "min-score", "N", &d.min_score, 0, 1e9, "smallest score (default 0)"),
        OPTION_NUMBER(0, "min-lead", "N", &d.min_lead, 1, 1e9, "smallest lead over the next class (default: inputs / 8)"),
        OPTION_NUMBER(0, "min-votes", "N", &d.options.min_votes, 1, 1e6, "smallest number of tiles that agree (default 2)"),
        OPTION_TEXT(0, "background", "CLASS", &d.options.background, "class that is no object (default: \"not a ...\")"),
        OPTIONS_NETWORK(&d.common), OPTIONS_RUNTIME(&d.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = check_usage(&d, line, err);
    if (rc == BNN_OK)
        rc = detect_all(&d, line, err);
    free(d.boxes);
    free(d.pixels);
    tool_close(&d.session);
    return rc;
}

const tool_command tool_detect = {
    "detect", "NET FILE...", "say where in a picture",
    "Classifies tiles of several sizes all over a picture and keeps the best of those that\n"
    "overlap. Prints a JSON object a picture: file, width, height, and boxes, the surest\n"
    "first, each with x, y, width, height, label, class, score, its lead over the next\n"
    "class, and votes, the tiles that agree with it.",
    run
};
