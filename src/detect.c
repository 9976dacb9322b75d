/* detect.c -- tiles over a picture, classified in batches, and the best of those that overlap. */
#include "bnn/detect.h"

#include "base/error.h"
#include "base/mem.h"
#include "data/data.h"
#include "net/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BATCH = 512 }; /* tiles that are prepared and run together */

struct detect {
    bnn_runtime       *run;
    const bnn_network *net;
    bnn_detect_options o;
    bnn_picture        picture;    /* borrowed pixels */
    uint32_t           rows;       /* of the last layer */
    uint32_t           background; /* label, or BNN_NO_LABEL */
    bnn_box           *tile;       /* all of them; those that stay move to the front */
    size_t             tiles, kept;
    bnn_picture        cut;        /* one tile */
    uint8_t           *images;     /* BATCH */
    int32_t           *scores;     /* BATCH x rows */
};

void bnn_detect_options_default(bnn_detect_options *options)
{
    *options = (bnn_detect_options){ 0 };
}

/* -------------------------------------------------------------- options -- */

static uint32_t find_background(const bnn_network *net, const char *name)
{
    for (uint32_t c = 0; c < net->classes; c++) {
        const char *is = bnn_network_class_name(net, c);
        if (name ? strcmp(is, name) == 0 : strncasecmp(is, "not a", 5) == 0)
            return c;
    }
    return BNN_NO_LABEL;
}

static int check_options(const bnn_detect_options *o, bnn_error *err)
{
    for (size_t i = 0; i < o->n_scales; i++)
        if (!(o->scales[i] >= 0.1 && o->scales[i] <= 100))
            return bnn_fail(err, BNN_EINVAL, "scale %g; expected 0.1 to 100", o->scales[i]);
    if (!(o->stride >= 0.01 && o->stride <= 1))
        return bnn_fail(err, BNN_EINVAL, "stride %g; expected 0.01 to 1 of a tile's side", o->stride);
    if (!(o->overlap > 0 && o->overlap <= 1))
        return bnn_fail(err, BNN_EINVAL, "overlap %g; expected more than 0 and at most 1", o->overlap);
    return BNN_OK;
}

static int set_options(struct detect *d, const bnn_detect_options *options, bnn_error *err)
{
    static const double scales[] = { 1, 1.5, 2, 3 };
    if (options)
        d->o = *options;
    if (!d->o.scales || d->o.n_scales == 0) {
        d->o.scales   = scales;
        d->o.n_scales = sizeof scales / sizeof *scales;
    }
    d->o.stride    = d->o.stride == 0 ? 0.2 : d->o.stride;
    d->o.overlap   = d->o.overlap == 0 ? 0.3 : d->o.overlap;
    d->o.min_lead  = d->o.min_lead ? d->o.min_lead : (int32_t)bnn_topology_last(&d->net->topology)->MW / 8;
    d->o.min_votes = d->o.min_votes ? d->o.min_votes : 2;
    d->background  = find_background(d->net, d->o.background);
    if (d->o.background && d->background == BNN_NO_LABEL)
        return bnn_fail(err, BNN_EINVAL, "background '%s'; expected the name of a class", d->o.background);
    return check_options(&d->o, err);
}

/* ---------------------------------------------------------------- tiles -- */

/* Places of tiles of `side` along `length`: every `step`, and one at the end. */
static uint32_t places(uint32_t length, uint32_t side, uint32_t step)
{
    return length < side ? 0 : (length - side + step - 1) / step + 1;
}

static uint32_t place(uint32_t i, uint32_t length, uint32_t side, uint32_t step)
{
    const uint64_t at = (uint64_t)i * step;
    return at < length - side ? (uint32_t)at : length - side;
}

struct grid { uint32_t width, height, step_x, step_y, columns, lines; };

static struct grid grid_of(const struct detect *d, double scale)
{
    const bnn_rule *r = &d->net->rule;
    struct grid g = { .width = (uint32_t)lround(r->width * scale), .height = (uint32_t)lround(r->height * scale) };
    g.width   = g.width ? g.width : 1;
    g.height  = g.height ? g.height : 1;
    g.step_x  = (uint32_t)fmax(1, round(g.width * d->o.stride));
    g.step_y  = (uint32_t)fmax(1, round(g.height * d->o.stride));
    g.columns = places(d->picture.width, g.width, g.step_x);
    g.lines   = places(d->picture.height, g.height, g.step_y);
    return g;
}

static int list_tiles(struct detect *d, bnn_error *err)
{
    size_t n = 0;
    for (size_t s = 0; s < d->o.n_scales; s++) {
        const struct grid g = grid_of(d, d->o.scales[s]);
        n += (size_t)g.columns * g.lines;
    }
    if (n == 0)
        return bnn_fail(err, BNN_ESHAPE, "a picture of %ux%u; expected at least a tile of %ux%u", d->picture.height, d->picture.width,
                        grid_of(d, d->o.scales[0]).height, grid_of(d, d->o.scales[0]).width);
    if (!(d->tile = bnn_alloc(n, sizeof *d->tile)))
        return bnn_fail_memory(err, n * sizeof *d->tile);
    for (size_t s = 0; s < d->o.n_scales; s++) {
        const struct grid g = grid_of(d, d->o.scales[s]);
        for (uint32_t i = 0; i < g.lines; i++)
            for (uint32_t j = 0; j < g.columns; j++)
                d->tile[d->tiles++] = (bnn_box){ .x = place(j, d->picture.width, g.width, g.step_x), .width = g.width,
                                                 .y = place(i, d->picture.height, g.height, g.step_y), .height = g.height };
    }
    return BNN_OK;
}

/* A tile's pixels through the input rule. */
static int prepare(struct detect *d, const bnn_box *t, uint8_t *out, bnn_error *err)
{
    const size_t channels = bnn_mode_channels(d->picture.mode);
    if (d->cut.height != t->height || d->cut.width != t->width) {
        bnn_picture_free(&d->cut);
        d->cut = (bnn_picture){ 0 };
        const int rc = bnn_picture_new(&d->cut, t->height, t->width, d->picture.mode, err);
        if (rc != BNN_OK)
            return rc;
    }
    for (uint32_t y = 0; y < t->height; y++)
        memcpy(d->cut.pixels + y * t->width * channels,
               d->picture.pixels + ((size_t)(t->y + y) * d->picture.width + t->x) * channels, t->width * channels);
    return bnn_prepare(&d->net->rule, &d->cut, out, err);
}

/* ----------------------------------------------------------- classifying -- */

static void label(const struct detect *d, bnn_box *t, const int32_t *scores)
{
    int64_t second = INT32_MIN;
    t->label = 0;
    for (uint32_t c = 1; c < d->net->classes; c++) {
        const bool best = scores[c] > scores[t->label];
        const int32_t other = best ? scores[t->label] : scores[c];
        second   = other > second ? other : second;
        t->label = best ? (uint16_t)c : t->label;
    }
    const int64_t lead = scores[t->label] - second;
    t->score = scores[t->label];
    t->lead  = lead < INT32_MAX ? (int32_t)lead : INT32_MAX;
}

static bool stays(const struct detect *d, const bnn_box *t)
{
    return t->label != d->background && t->score >= d->o.min_score && t->lead >= d->o.min_lead;
}

static int classify(struct detect *d, bnn_error *err)
{
    const size_t image = bnn_shape_size(d->net->rule.shape);
    d->images = bnn_alloc(BATCH, image);
    d->scores = bnn_alloc(BATCH * (size_t)d->rows, sizeof *d->scores);
    if (!d->images || !d->scores)
        return bnn_fail_memory(err, BATCH * (image + d->rows * sizeof *d->scores));
    for (size_t at = 0; at < d->tiles; at += BATCH) {
        const size_t n = d->tiles - at < BATCH ? d->tiles - at : BATCH;
        int rc = BNN_OK;
        for (size_t i = 0; rc == BNN_OK && i < n; i++)
            rc = prepare(d, &d->tile[at + i], d->images + i * image, err);
        if (rc == BNN_OK)
            rc = bnn_run(d->run, d->images, n, d->scores, NULL, err);
        if (rc != BNN_OK)
            return rc;
        for (size_t i = 0; i < n; i++) {
            bnn_box t = d->tile[at + i];
            label(d, &t, d->scores + i * d->rows);
            if (stays(d, &t))
                d->tile[d->kept++] = t;
        }
    }
    return BNN_OK;
}

/* ----------------------------------------------------------- suppression -- */

/* Largest lead first; then larger, then higher, then further left, so that the order never depends on the sort. */
static int compare(const void *a, const void *b)
{
    const bnn_box *p = a, *q = b;
    if (p->lead != q->lead)
        return p->lead > q->lead ? -1 : 1;
    if (p->width != q->width)
        return p->width > q->width ? -1 : 1;
    if (p->y != q->y)
        return p->y < q->y ? -1 : 1;
    return p->x < q->x ? -1 : p->x > q->x;
}

static uint64_t common(uint32_t a, uint32_t n, uint32_t b, uint32_t m)
{
    const uint32_t begin = a > b ? a : b, end = a + n < b + m ? a + n : b + m;
    return end > begin ? end - begin : 0;
}

/* The part of the smaller one that lies in the other. */
static double overlap(const bnn_box *a, const bnn_box *b)
{
    const uint64_t both = common(a->x, a->width, b->x, b->width) * common(a->y, a->height, b->y, b->height);
    const uint64_t p = (uint64_t)a->width * a->height, q = (uint64_t)b->width * b->height;
    return (double)both / (double)(p < q ? p : q);
}

/* Leaves at the front the tiles that no better one overlaps. */
static void suppress(struct detect *d)
{
    size_t boxes = 0;
    qsort(d->tile, d->kept, sizeof *d->tile, compare);
    for (size_t i = 0; i < d->kept; i++) {
        bnn_box t = d->tile[i];
        size_t k = 0;
        while (k < boxes && overlap(&d->tile[k], &t) <= d->o.overlap)
            k++;
        if (k < boxes) {
            d->tile[k].votes += d->tile[k].label == t.label;
        } else {
            t.votes = 1;
            d->tile[boxes++] = t;
        }
    }
    d->kept = 0;
    for (size_t k = 0; k < boxes; k++)
        if (d->tile[k].votes >= d->o.min_votes)
            d->tile[d->kept++] = d->tile[k];
}

/* ------------------------------------------------------------------ all -- */

static int open_picture(struct detect *d, const uint8_t *pixels, bnn_shape s, bnn_error *err)
{
    const bnn_decode_job job = { .path = "picture" };
    if (!pixels || (s.channels != 1 && s.channels != 3 && s.channels != 4))
        return bnn_fail(err, BNN_EINVAL, "a picture of %u channels; expected 1, 3 or 4", pixels ? s.channels : 0);
    d->picture = (bnn_picture){ .height = s.height, .width = s.width, .scale = 1, .full_height = s.height, .full_width = s.width,
                                .mode = s.channels == 1 ? BNN_MODE_L : s.channels == 3 ? BNN_MODE_RGB : BNN_MODE_RGBA,
                                .pixels = (uint8_t *)(uintptr_t)pixels }; /* only read */
    return bnn_picture_check_size(&job, "pixels", s.height, s.width, err);
}

int bnn_detect(bnn_runtime *run, const uint8_t *pixels, bnn_shape shape, const bnn_detect_options *options, bnn_box *boxes,
               size_t capacity, size_t *count, bnn_error *err)
{
    if (!run || !count || (!boxes && capacity > 0))
        return bnn_fail(err, BNN_EINVAL, "%s is NULL", run ? "the output" : "the runtime");
    struct detect d = { .run = run, .net = bnn_runtime_network(run) };
    d.rows = bnn_topology_last(&d.net->topology)->MH;
    int rc = set_options(&d, options, err);
    if (rc == BNN_OK)
        rc = open_picture(&d, pixels, shape, err);
    if (rc == BNN_OK)
        rc = list_tiles(&d, err);
    if (rc == BNN_OK)
        rc = classify(&d, err);
    if (rc == BNN_OK) {
        suppress(&d);
        *count = d.kept;
        if (d.kept > 0 && capacity > 0)
            memcpy(boxes, d.tile, (d.kept < capacity ? d.kept : capacity) * sizeof *boxes);
    }
    bnn_picture_free(&d.cut);
    bnn_free(d.scores);
    bnn_free(d.images);
    bnn_free(d.tile);
    return rc;
}
