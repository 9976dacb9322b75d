/* sheet.c -- `bnn sheet`: a picture of many labelled images, or of a network's mistakes.
 *
 * Each cell has the image, and below it lines of text: the label given by the
 * network (red where wrong), the label of the data set, the image's number.
 */
#include "canvas.h"
#include "open.h"
#include "output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image to draw. */
struct pick { size_t image; uint16_t truth, given; };

struct sheet {
    tool_common  common;
    tool_session session;
    const char  *out;
    uint32_t     count, columns, scale, first; /* 0 = by default */
    const char  *seed;
    int          errors;
    uint32_t    *class_of; /* of the network; NULL without one */
    bnn_shape    shape;
    struct pick *pick;
    size_t       picks, room;
    size_t       seen, wrong; /* labelled images that the network saw, and its mistakes */
};

/* -------------------------------------------------------------- picking -- */

static int add(struct sheet *s, size_t image, uint16_t truth, uint16_t given, bnn_error *err)
{
    if (s->picks == s->room) {
        const size_t room = 2 * s->room + 256;
        struct pick *grown = realloc(s->pick, room * sizeof *grown);
        if (!grown)
            return tool_fail(err, BNN_ENOMEM, "not enough memory for %zu images", room);
        s->pick = grown;
        s->room = room;
    }
    s->pick[s->picks++] = (struct pick){ image, truth, given };
    return BNN_OK;
}

/* With a seed the images are chosen among all, and else they are the first. */
static int enough(const struct sheet *s)
{
    return !s->seed && s->picks >= s->count;
}

static int pick_labelled(struct sheet *s, bnn_error *err)
{
    int rc = BNN_OK;
    for (size_t i = s->first; rc == BNN_OK && i < s->session.count && !enough(s); i++) {
        uint16_t truth = BNN_NO_LABEL;
        rc = bnn_dataset_get(s->session.data, i, 1, NULL, &truth, err);
        if (rc == BNN_OK)
            rc = add(s, i, truth, BNN_NO_LABEL, err);
    }
    return rc;
}

static uint16_t class_of(const struct sheet *s, uint16_t label)
{
    return label < s->session.info.classes ? (uint16_t)s->class_of[label] : label;
}

static int pick_from_chunk(struct sheet *s, const tool_chunk *k, bnn_error *err)
{
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < k->count && !enough(s); i++) {
        const uint16_t truth = class_of(s, k->truth[i]);
        const int known = truth != BNN_NO_LABEL, wrong = known && truth != k->labels[i];
        s->seen += known;
        s->wrong += wrong;
        if (wrong || !s->errors)
            rc = add(s, k->first + i, truth, k->labels[i], err);
    }
    return rc;
}

static int pick_classified(struct sheet *s, bnn_error *err)
{
    tool_chunk k;
    tool_progress progress = tool_progress_start("sheet");
    int rc = tool_chunk_new(&k, &s->session, err);
    k.first = s->first;
    while (rc == BNN_OK && !enough(s) && (rc = tool_chunk_next(&k, &s->session, err)) == BNN_OK && k.count > 0) {
        rc = pick_from_chunk(s, &k, err);
        tool_progress_show(&progress, k.first + k.count - s->first, s->session.count - s->first);
    }
    tool_progress_end(&progress);
    tool_chunk_free(&k);
    return rc;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The first `count` picks become a random choice (Fisher and Yates), in the order drawn. */
static void shuffle(struct sheet *s)
{
    uint64_t state = strtoull(s->seed, NULL, 10);
    for (size_t i = 0; i < s->picks && i < s->count; i++) {
        const size_t j = i + next_random(&state) % (s->picks - i);
        const struct pick t = s->pick[i];
        s->pick[i] = s->pick[j];
        s->pick[j] = t;
    }
}

static int pick_images(struct sheet *s, bnn_error *err)
{
    if (s->first >= s->session.count)
        return tool_fail(err, TOOL_USAGE, "option --first %u; the data set has images 0 to %zu", s->first, s->session.count - 1);
    const int rc = s->session.network ? pick_classified(s, err) : pick_labelled(s, err);
    if (rc != BNN_OK)
        return rc;
    if (s->errors && s->seen == 0)
        return tool_fail(err, BNN_EINVAL, "no image has a label; expected labels beside the images, or --labels FILE");
    if (s->picks == 0)
        return tool_fail(err, BNN_ESHAPE, "no mistake in %zu images; nothing to draw", s->seen);
    if (s->seed)
        shuffle(s);
    s->picks = s->picks < s->count ? s->picks : s->count;
    return BNN_OK;
}

/* -------------------------------------------------------------- drawing -- */

enum { GAP = 6, CAPTION_GAP = 2, LEAST_WIDTH = 84 };

static const tool_colour paper = { 255, 255, 255 }, ink = { 20, 20, 20 }, faint = { 140, 140, 140 }, red = { 200, 0, 0 },
                         green = { 0, 120, 30 };

/* Where everything is. */
struct layout { uint32_t columns, rows, scale, cell_width, cell_height, lines; };

static struct layout lay_out(const struct sheet *s)
{
    struct layout l = { .lines = s->session.network ? 3 : 2 };
    l.scale = s->scale ? s->scale : (LEAST_WIDTH + s->shape.width - 1) / s->shape.width;
    const uint32_t columns = s->columns ? s->columns : (uint32_t)ceil(sqrt((double)s->picks * 1.5));
    l.columns = columns < s->picks ? columns : (uint32_t)s->picks;
    l.rows = (uint32_t)((s->picks + l.columns - 1) / l.columns);
    l.cell_width  = s->shape.width * l.scale + GAP;
    l.cell_height = s->shape.height * l.scale + CAPTION_GAP + l.lines * TOOL_LETTER_HEIGHT + GAP;
    return l;
}

static void name_of(const struct sheet *s, uint16_t label, char *out, size_t size)
{
    const char *name = s->session.network ? bnn_network_class_name(s->session.network, label) : bnn_dataset_class_name(s->session.data, label);
    if (label == BNN_NO_LABEL)
        snprintf(out, size, "no label");
    else if (name && *name)
        snprintf(out, size, "%s", name);
    else
        snprintf(out, size, "%u", label);
}

static void draw_caption(const struct sheet *s, tool_canvas *c, const struct layout *l, const struct pick *p, uint32_t x, uint32_t y)
{
    char text[128];
    const size_t room = (l->cell_width - GAP) / TOOL_LETTER_WIDTH;
    const int known = p->truth != BNN_NO_LABEL, wrong = known && p->given != p->truth;
    if (s->session.network) {
        name_of(s, p->given, text, sizeof text);
        tool_canvas_text(c, x, y, text, room, wrong ? red : known ? green : ink);
        y += TOOL_LETTER_HEIGHT;
    }
    if (known || !s->session.network) {
        name_of(s, p->truth, text, sizeof text);
        tool_canvas_text(c, x, y, text, room, known ? ink : faint);
    }
    snprintf(text, sizeof text, "%zu", p->image);
    tool_canvas_text(c, x, y + TOOL_LETTER_HEIGHT, text, room, faint);
}

static int draw_cell(const struct sheet *s, tool_canvas *c, const struct layout *l, size_t i, uint8_t *image, bnn_error *err)
{
    const uint32_t x = GAP + (uint32_t)(i % l->columns) * l->cell_width, y = GAP + (uint32_t)(i / l->columns) * l->cell_height;
    const int rc = bnn_dataset_get(s->session.data, s->pick[i].image, 1, image, NULL, err);
    if (rc != BNN_OK)
        return rc;
    tool_canvas_image(c, x, y, image, s->shape, l->scale);
    draw_caption(s, c, l, &s->pick[i], x, y + s->shape.height * l->scale + CAPTION_GAP);
    return BNN_OK;
}

static int draw(const struct sheet *s, bnn_error *err)
{
    const struct layout l = lay_out(s);
    tool_canvas c;
    uint8_t *image = malloc((size_t)s->shape.height * s->shape.width * s->shape.channels);
    int rc = image ? BNN_OK : tool_fail(err, BNN_ENOMEM, "not enough memory for an image");
    if (rc == BNN_OK)
        rc = tool_canvas_new(&c, GAP + (uint64_t)l.columns * l.cell_width, GAP + (uint64_t)l.rows * l.cell_height, paper, err);
    if (rc == BNN_OK) {
        for (size_t i = 0; rc == BNN_OK && i < s->picks; i++)
            rc = draw_cell(s, &c, &l, i, image, err);
        if (rc == BNN_OK)
            rc = tool_canvas_save(&c, s->out, err);
        if (rc == BNN_OK)
            tool_print("%s: %u x %u pixels, images: %zu\n", s->out, c.width, c.height, s->picks);
        tool_canvas_free(&c);
    }
    free(image);
    return rc;
}

/* ------------------------------------------------------------------ run -- */

static int check_usage(const struct sheet *s, const tool_line *line, bnn_error *err)
{
    if (!s->out)
        return tool_fail(err, TOOL_USAGE, "no --output; expected -o F.png");
    if (line->argc == 0)
        return tool_fail(err, TOOL_USAGE, "no data set; expected DATASET...");
    if (s->errors && !s->common.network)
        return tool_fail(err, TOOL_USAGE, "option --errors without a network; expected -n NET");
    if (s->seed && (!*s->seed || strspn(s->seed, "0123456789") != strlen(s->seed) || strlen(s->seed) > 19))
        return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --seed; expected a whole number", s->seed);
    return BNN_OK;
}

static int open_network(struct sheet *s, bnn_error *err)
{
    int rc = tool_open_network(&s->session, &s->common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(&s->session, &s->common, err);
    if (rc != BNN_OK)
        return rc;
    s->class_of = calloc(s->session.info.classes, sizeof *s->class_of);
    return s->class_of ? BNN_OK : tool_fail(err, BNN_ENOMEM, "not enough memory for %u classes", s->session.info.classes);
}

static int open_all(struct sheet *s, const tool_line *line, bnn_error *err)
{
    int rc = s->common.network ? open_network(s, err) : BNN_OK;
    if (rc == BNN_OK)
        rc = tool_open_data(&s->session, &s->common, line->argv, line->argc, err);
    if (rc == BNN_OK && s->class_of)
        rc = tool_match_classes(&s->session, &s->common, line->argv[0], s->class_of, err);
    if (rc != BNN_OK)
        return rc;
    bnn_dataset_count(s->session.data, &s->shape);
    if (s->shape.channels != 1 && s->shape.channels != 3)
        return tool_fail(err, BNN_ESHAPE, "%s: images of %u channels; expected 1 or 3", line->argv[0], s->shape.channels);
    return BNN_OK;
}

static int run(tool_line *line, bnn_error *err)
{
    struct sheet s = { .common = tool_common_default(), .count = 100 };
    const tool_option options[] = {
        OPTION_TEXT('o', "output", "F.png", &s.out, "the picture to write"),
        OPTION_FLAG(0, "errors", &s.errors, "only images that the network gets wrong (with -n)"),
        OPTION_NUMBER(0, "count", "N", &s.count, 1, 100000, "how many images (default 100)"),
        OPTION_NUMBER(0, "columns", "N", &s.columns, 1, 100000, "images side by side (default: by their number)"),
        OPTION_NUMBER(0, "scale", "N", &s.scale, 1, 64, "pixels of the sheet for a pixel of an image (default: by its width)"),
        OPTION_NUMBER(0, "first", "I", &s.first, 0, 4294967295.0, "image to begin with (default 0)"),
        OPTION_TEXT(0, "seed", "S", &s.seed, "choose at random, the same for the same S"),
        OPTIONS_NETWORK(&s.common), OPTIONS_RUNTIME(&s.common), OPTIONS_DATA(&s.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = check_usage(&s, line, err);
    if (rc == BNN_OK)
        rc = open_all(&s, line, err);
    if (rc == BNN_OK)
        rc = pick_images(&s, err);
    if (rc == BNN_OK)
        rc = draw(&s, err);
    if (rc == BNN_OK && s.errors && (s.seed || s.picks < s.count))
        tool_print("mistakes: %zu in %zu images\n", s.wrong, s.seen);
    free(s.pick);
    free(s.class_of);
    tool_close(&s.session);
    return rc;
}

const tool_command tool_sheet = {
    "sheet", "DATASET... -o F.png", "draw many labelled images into one picture",
    "Writes a PNG with the images of a data set, each with its label and number. With a\n"
    "network (-n NET) each image is as the network sees it and has the label given above its\n"
    "own one, in green or red; with --errors only the mistakes are drawn.",
    run
};
