/* classify.c -- `bnn classify`: what each picture shows, as text, JSON, labels or raw outputs. */
#include "feeder.h"
#include "open.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct classify {
    tool_common  common;
    tool_session session;
    const char  *format;
    int          stats;
    uint32_t     top;  /* 0 = not asked for */
    uint32_t    *rank; /* [classes]: labels, best first; of the image in hand */
    uint8_t     *raw;  /* [bnn_raw_size] */
};

/* ----------------------------------------------------------- ranking -- */

/* The label given comes first (a decode rule need not choose the largest
 * score), then the others by score, of equals the lower label. Selection of
 * `top` from `classes`: both are small. */
static void rank(struct classify *c, const int32_t *scores, uint32_t label, uint32_t top)
{
    const uint32_t classes = c->session.info.classes;
    for (uint32_t i = 0; i < classes; i++)
        c->rank[i] = i;
    for (uint32_t i = 0; i < top; i++) {
        uint32_t best = i;
        for (uint32_t j = i; j < classes; j++) {
            const uint32_t a = c->rank[j], b = c->rank[best];
            const int better = scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
            if (i == 0 ? a == label : better)
                best = j;
        }
        const uint32_t t = c->rank[i];
        c->rank[i]    = c->rank[best];
        c->rank[best] = t;
    }
}

/* How many are ranked: never more than there are classes. */
static uint32_t top_of(const struct classify *c)
{
    const uint32_t top = c->top ? c->top : 1;
    return top < c->session.info.classes ? top : c->session.info.classes;
}

/* ----------------------------------------------------------- formats -- */

typedef void print_image(struct classify *c, const tool_chunk *k, size_t i);

static const char *class_name(const struct classify *c, uint32_t label)
{
    return bnn_network_class_name(c->session.network, label);
}

/* FILE, INDEX, then LABEL, CLASS, SCORE for each of the best; tabs between. */
static void print_text(struct classify *c, const tool_chunk *k, size_t i)
{
    const int32_t *scores = k->scores + i * c->session.info.rows;
    const uint32_t top = top_of(c);
    size_t index = 0;
    const char *file = bnn_dataset_source(c->session.data, k->first + i, &index);
    tool_print_name(file);
    tool_print("\t%zu", index);
    rank(c, scores, k->labels[i], top);
    for (uint32_t t = 0; t < top; t++) {
        tool_print("\t%u\t", c->rank[t]);
        tool_print_name(class_name(c, c->rank[t]));
        tool_print("\t%d", scores[c->rank[t]]);
    }
    tool_print("\n");
}

static json_t *json_best(struct classify *c, const int32_t *scores, uint32_t label)
{
    json_t *best = json_array();
    const uint32_t top = top_of(c);
    rank(c, scores, label, top);
    for (uint32_t t = 0; t < top; t++)
        json_array_append_new(best, json_pack("{s:i, s:o, s:i}", "label", (int)c->rank[t], "class",
                                              tool_json_text(class_name(c, c->rank[t])), "score", scores[c->rank[t]]));
    return best;
}

static void print_json(struct classify *c, const tool_chunk *k, size_t i)
{
    const int32_t *scores = k->scores + i * c->session.info.rows;
    size_t index = 0;
    const char *file = bnn_dataset_source(c->session.data, k->first + i, &index);
    json_t *all = json_array();
    for (uint32_t j = 0; j < c->session.info.classes; j++)
        json_array_append_new(all, json_integer(scores[j]));
    json_t *line = json_pack("{s:o, s:I, s:i, s:o, s:o}", "file", tool_json_text(file), "index", (json_int_t)index, "label",
                             k->labels[i], "class", tool_json_text(class_name(c, k->labels[i])), "scores", all);
    if (c->top)
        json_object_set_new(line, "top", json_best(c, scores, k->labels[i]));
    tool_print_json(line, JSON_COMPACT);
}

static void print_label(struct classify *c, const tool_chunk *k, size_t i)
{
    (void)c;
    tool_print("%u\n", k->labels[i]);
}

static void print_raw(struct classify *c, const tool_chunk *k, size_t i)
{
    bnn_raw(c->session.network, k->scores + i * c->session.info.rows, c->raw);
    tool_write(c->raw, bnn_raw_size(c->session.network));
}

static print_image *printer(const char *format)
{
    switch (*format) {
    case 'j': return print_json;
    case 'l': return print_label;
    case 'r': return print_raw;
    default: return print_text;
    }
}

/* --------------------------------------------------------------- run -- */

/* Where the time went, on standard error. Reading overlaps with the rest: only what it was waited for adds to the whole. */
static void print_stats(const struct classify *c, const tool_chunk *k, double all, double printing)
{
    bnn_stats run;
    bnn_runtime_get_stats(c->session.runtime, &run);
    const double network = (double)run.nanoseconds * 1e-9, other = all - k->waited - network - printing;
    fprintf(stderr,
            "stats: %llu images in %.3f s (%.0f a second)\n"
            "stats: waited for pictures %.3f s (%u threads read them in %.3f s of processor time)\n"
            "stats: network %.3f s (%s %s, %u threads: %.0f images a second)\n"
            "stats: output %.3f s, other %.3f s\n",
            (unsigned long long)run.images, all, all > 0 ? (double)run.images / all : 0, k->waited, tool_feeder_threads(k->feeder),
            tool_feeder_seconds(k->feeder), network, run.backend, run.kernels, run.threads,
            network > 0 ? (double)run.images / network : 0, printing, other > 0 ? other : 0);
}

/* What an overlay counted, on standard error. */
static void print_hardware(const struct classify *c)
{
    char text[400];
    if (tool_hardware_text(&c->session.hardware, c->session.runtime, text, sizeof text))
        fputs(text, stderr);
}

static int classify_all(struct classify *c, bnn_error *err)
{
    tool_session *s = &c->session;
    print_image *print = printer(c->format);
    tool_progress progress = tool_progress_start("classify");
    const int show = !isatty(STDOUT_FILENO); /* lines that scroll are progress enough */
    const double started = tool_seconds();
    double printing = 0;
    tool_chunk k;
    int rc = tool_chunk_new(&k, s, err);
    while (rc == BNN_OK && (rc = tool_chunk_next(&k, s, err)) == BNN_OK && k.count > 0) {
        const double at = tool_seconds();
        for (size_t i = 0; i < k.count; i++)
            print(c, &k, i);
        rc = tool_flush(err);
        printing += tool_seconds() - at;
        if (show)
            tool_progress_show(&progress, k.first + k.count, s->count);
    }
    tool_progress_end(&progress);
    if (rc == BNN_OK)
        print_hardware(c);
    if (rc == BNN_OK && c->stats)
        print_stats(c, &k, tool_seconds() - started, printing);
    tool_chunk_free(&k);
    return rc;
}

static int open_all(struct classify *c, const tool_line *line, bnn_error *err)
{
    tool_session *s = &c->session;
    int rc = tool_open_network(s, &c->common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(s, &c->common, err);
    if (rc == BNN_OK)
        rc = tool_open_data(s, &c->common, line->argv, line->argc, err);
    if (rc != BNN_OK)
        return rc;
    c->rank = malloc(s->info.classes * sizeof *c->rank);
    c->raw  = malloc(bnn_raw_size(s->network));
    return c->rank && c->raw ? BNN_OK : tool_fail(err, BNN_ENOMEM, "not enough memory for %u classes", s->info.classes);
}

static int check_usage(struct classify *c, tool_line *line, bnn_error *err)
{
    int rc = tool_take_network(line, &c->common, err);
    if (rc == BNN_OK && line->argc == 0)
        rc = tool_fail(err, TOOL_USAGE, "no pictures; expected NET FILE...");
    if (rc == BNN_OK && c->top && (*c->format == 'l' || *c->format == 'r'))
        rc = tool_fail(err, TOOL_USAGE, "option --top with --format %s; expected --format text or json", c->format);
    if (rc == BNN_OK && *c->format == 'r' && isatty(STDOUT_FILENO))
        rc = tool_fail(err, TOOL_USAGE, "raw output to a terminal; expected a file or a pipe");
    return rc;
}

static int run(tool_line *line, bnn_error *err)
{
    struct classify c = { .common = tool_common_default(), .format = "text" };
    const tool_option options[] = {
        OPTION_CHOICE(0, "format", "text|json|labels|raw", &c.format, "what is printed for an image (default text)"),
        OPTION_NUMBER(0, "top", "K", &c.top, 1, 1000, "the K best classes (default 1)"),
        OPTION_FLAG(0, "stats", &c.stats, "where the time went, on standard error"),
        OPTIONS_NETWORK(&c.common), OPTIONS_RUNTIME(&c.common), OPTIONS_DATA(&c.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = check_usage(&c, line, err);
    if (rc == BNN_OK)
        rc = open_all(&c, line, err);
    if (rc == BNN_OK)
        rc = classify_all(&c, err);
    free(c.rank);
    free(c.raw);
    tool_close(&c.session);
    return rc;
}

const tool_command tool_classify = {
    "classify", "NET FILE...", "say what each picture shows",
    "Classifies pictures (PNG, JPEG, PNM, folders and lists of them) and data sets (IDX,\n"
    "records) with a network. Text has a line an image: file, index, label, class and\n"
    "score, with tabs between; json an object a line; labels an integer a line; raw the\n"
    "outputs of the last layer, little endian.",
    run
};
