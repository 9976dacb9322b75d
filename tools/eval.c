/* eval.c -- `bnn eval`: accuracy on a labelled data set, where the mistakes are, and how fast it was. */
#include "board.h"
#include "open.h"
#include "output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct eval {
    tool_common  common;
    tool_session session;
    const char  *format;
    uint64_t    *confusion; /* [true][given], classes x classes */
    uint32_t    *class_of;  /* [classes]: the network's class of a label of the data set */
    uint64_t     images, correct;
    double       seconds;   /* of the whole pass */
    double       latency;   /* median seconds of one image */
    bnn_stats    stats;     /* of the whole pass */
    char         hardware[400]; /* likewise, what an overlay counted */
    json_t      *hardware_json; /* NULL: no overlay */
};

static const char *class_name(const struct eval *e, uint32_t label)
{
    return bnn_network_class_name(e->session.network, label);
}

static uint64_t *cell(const struct eval *e, uint32_t truth, uint32_t given)
{
    return &e->confusion[(size_t)truth * e->session.info.classes + given];
}

/* ----------------------------------------------------------- labels -- */

static int check_label(const struct eval *e, size_t image, uint16_t label, bnn_error *err)
{
    size_t index = 0;
    if (label < e->session.info.classes)
        return BNN_OK;
    const char *file = bnn_dataset_source(e->session.data, image, &index);
    if (label == BNN_NO_LABEL)
        return tool_fail(err, BNN_EINVAL, "%s: image %zu has no label; expected labels beside it, or --labels FILE", file, index);
    return tool_fail(err, BNN_ESHAPE, "%s: image %zu has label %u; the network has classes 0 to %u", file, index, label,
                     e->session.info.classes - 1);
}

/* ---------------------------------------------------------- measure -- */

static int count_chunk(struct eval *e, const tool_chunk *k, bnn_error *err)
{
    for (size_t i = 0; i < k->count; i++) {
        const int rc = check_label(e, k->first + i, k->truth[i], err);
        if (rc != BNN_OK)
            return rc;
        const uint32_t truth = e->class_of[k->truth[i]];
        ++*cell(e, truth, k->labels[i]);
        e->correct += truth == k->labels[i];
    }
    e->images += k->count;
    return BNN_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The first images again, one by one, for at most half a second. Few of them:
 * large pictures take longer to read than to classify. */
static int measure_latency(struct eval *e, tool_chunk *k, bnn_error *err)
{
    enum { MOST = 1000, FEW = 64 };
    const bnn_shape in = e->session.info.input;
    const size_t image = (size_t)in.height * in.width * in.channels;
    const size_t all = e->session.count < k->capacity ? e->session.count : k->capacity, count = all < FEW ? all : FEW;
    double took[MOST];
    size_t n = 0;
    int rc = bnn_dataset_get(e->session.data, 0, count, k->images, NULL, err);
    const double end = tool_seconds() + 0.5;
    for (double now = tool_seconds(); rc == BNN_OK && n < MOST && now < end; n++) {
        rc = bnn_classify(e->session.runtime, k->images + n % count * image, 1, k->labels, err);
        const double then = now;
        now = tool_seconds();
        took[n] = now - then;
    }
    if (rc != BNN_OK || n == 0)
        return rc;
    qsort(took, n, sizeof *took, compare_doubles);
    e->latency = took[n / 2];
    return BNN_OK;
}

static int measure(struct eval *e, tool_chunk *k, bnn_error *err)
{
    tool_session *s = &e->session;
    tool_progress progress = tool_progress_start("eval");
    const double started = tool_seconds();
    int rc;
    while ((rc = tool_chunk_next(k, s, err)) == BNN_OK && k->count > 0) {
        if ((rc = count_chunk(e, k, err)) != BNN_OK)
            break;
        tool_progress_show(&progress, e->images, s->count);
    }
    e->seconds = tool_seconds() - started;
    tool_progress_end(&progress);
    bnn_runtime_get_stats(s->runtime, &e->stats);
    tool_hardware_text(&s->hardware, s->runtime, e->hardware, sizeof e->hardware);
    e->hardware_json = tool_hardware_json(&s->hardware, s->runtime);
    return rc == BNN_OK ? measure_latency(e, k, err) : rc;
}

/* ---------------------------------------------------------- figures -- */

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static double network_rate(const struct eval *e)
{
    return e->stats.nanoseconds ? 1e9 * (double)e->stats.images / (double)e->stats.nanoseconds : 0;
}

static double overall_rate(const struct eval *e)
{
    return e->seconds > 0 ? (double)e->images / e->seconds : 0;
}

/* Wilson's score interval: right also near 0 and 1, where p +- z sigma is not. */
static void interval(uint64_t correct, uint64_t images, double *low, double *high)
{
    const double z = 1.959963984540054, n = (double)images, p = ratio(correct, images);
    const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half   = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low  = centre - half > 0 ? centre - half : 0;
    *high = centre + half < 1 ? centre + half : 1;
}

static uint64_t row_sum(const struct eval *e, uint32_t truth)
{
    uint64_t sum = 0;
    for (uint32_t g = 0; g < e->session.info.classes; g++)
        sum += *cell(e, truth, g);
    return sum;
}

static uint64_t column_sum(const struct eval *e, uint32_t given)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < e->session.info.classes; t++)
        sum += *cell(e, t, given);
    return sum;
}

/* -------------------------------------------------------------- text -- */

static void print_row(const char *what, const char *here, const char *board)
{
    if (board)
        tool_print("%-12s %-16s %s\n", what, here, board);
    else
        tool_print("%-12s %s\n", what, here);
}

/* Rates and times, with the board's beside them where it ran the same topology. */
static void print_speed(const struct eval *e)
{
    const tool_board *board = tool_board_find(e->session.network);
    char here[48], there[80] = "";
    snprintf(here, sizeof here, "%.1f us", 1e6 * e->latency);
    if (board) {
        snprintf(there, sizeof there, "the board of 2018 (PYNQ-Z1, overlay %s)", board->overlay);
        print_row("", "here", there);
        snprintf(there, sizeof there, "%.0f us", board->latency_us);
    }
    print_row("images/s", tool_grouped(network_rate(e)).text, board ? tool_grouped(board->images_per_second).text : NULL);
    print_row("one image", here, board ? there : NULL);
    tool_print("%-12s %s images/s with reading the pictures\n", "overall", tool_grouped(overall_rate(e)).text);
    tool_print("%-12s %s, %s kernels, %u thread%s\n", "computed by", e->stats.backend, e->stats.kernels, e->stats.threads,
               e->stats.threads == 1 ? "" : "s");
    tool_print("%s", e->hardware);
}

static void print_summary(const struct eval *e)
{
    double low, high;
    interval(e->correct, e->images, &low, &high);
    tool_print("%-12s %s\n", "images", tool_grouped((double)e->images).text);
    tool_print("%-12s %.2f %%  (95 %% interval %.2f to %.2f %%; %s correct)\n", "accuracy", 100 * ratio(e->correct, e->images),
               100 * low, 100 * high, tool_grouped((double)e->correct).text);
    print_speed(e);
}

static void print_classes(const struct eval *e)
{
    tool_print("%5s  %8s  %7s  %9s  %s\n", "class", "images", "found", "precision", "name");
    for (uint32_t c = 0; c < e->session.info.classes; c++) {
        const uint64_t images = row_sum(e, c), given = column_sum(e, c), right = *cell(e, c, c);
        tool_print("%5u  %8llu  ", c, (unsigned long long)images);
        if (images)
            tool_print("%5.1f %%  ", 100 * ratio(right, images));
        else
            tool_print("%7s  ", "-");
        if (given)
            tool_print("%7.1f %%  ", 100 * ratio(right, given));
        else
            tool_print("%9s  ", "-");
        tool_print_name(class_name(e, c));
        tool_print("\n");
    }
}

static void print_matrix(const struct eval *e)
{
    const uint32_t classes = e->session.info.classes;
    int width = 4;
    for (uint64_t n = e->images; n >= 10000; n /= 10)
        width++;
    tool_print("\nconfusion: a row is a true class, a column the class given\n%5s", "");
    for (uint32_t g = 0; g < classes; g++)
        tool_print(" %*u", width, g);
    for (uint32_t t = 0; t < classes; t++) {
        tool_print("\n%5u", t);
        for (uint32_t g = 0; g < classes; g++)
            tool_print(" %*llu", width, (unsigned long long)*cell(e, t, g));
    }
    tool_print("\n");
}

static void print_mistake(const struct eval *e, uint32_t truth, uint32_t given)
{
    tool_print("%8llu  %5u  %5u  ", (unsigned long long)*cell(e, truth, given), truth, given);
    tool_print_name(class_name(e, truth));
    tool_print(" as ");
    tool_print_name(class_name(e, given));
    tool_print("\n");
}

/* In place of a matrix too wide to read: the largest cells off its diagonal. */
static void print_mistakes(const struct eval *e)
{
    enum { MOST = 20 };
    const uint32_t classes = e->session.info.classes;
    uint64_t below = UINT64_MAX, shown = 0;
    tool_print("\nmost frequent mistakes (--format json has the whole matrix)\n%8s  %5s  %5s\n", "images", "true", "given");
    while (shown < MOST) {
        uint64_t most = 0;
        for (uint32_t t = 0; t < classes; t++)
            for (uint32_t g = 0; g < classes; g++)
                if (t != g && *cell(e, t, g) < below && *cell(e, t, g) > most)
                    most = *cell(e, t, g);
        if (most == 0)
            return;
        for (uint32_t t = 0; t < classes; t++)
            for (uint32_t g = 0; g < classes; g++)
                if (t != g && *cell(e, t, g) == most && shown++ < MOST)
                    print_mistake(e, t, g);
        below = most;
    }
}

static void print_text(const struct eval *e)
{
    enum { READABLE = 20 };
    print_classes(e);
    if (e->session.info.classes <= READABLE)
        print_matrix(e);
    else
        print_mistakes(e);
    tool_print("\n");
    print_summary(e); /* last: it is what stays on the screen */
}

/* -------------------------------------------------------------- JSON -- */

static json_t *json_confusion(const struct eval *e)
{
    json_t *rows = json_array();
    for (uint32_t t = 0; t < e->session.info.classes; t++) {
        json_t *row = json_array();
        for (uint32_t g = 0; g < e->session.info.classes; g++)
            json_array_append_new(row, json_integer((json_int_t)*cell(e, t, g)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *json_names(const struct eval *e)
{
    json_t *names = json_array();
    for (uint32_t c = 0; c < e->session.info.classes; c++)
        json_array_append_new(names, tool_json_text(class_name(e, c)));
    return names;
}

static void print_json(const struct eval *e)
{
    const tool_board *board = tool_board_find(e->session.network);
    double low, high;
    interval(e->correct, e->images, &low, &high);
    json_t *out = json_pack("{s:o, s:I, s:I, s:f, s:[f,f], s:o, s:o, s:f, s:f, s:f, s:s, s:s, s:i}",
        "network", tool_json_text(e->common.network), "images", (json_int_t)e->images, "correct", (json_int_t)e->correct,
        "accuracy", ratio(e->correct, e->images), "interval", low, high, "classes", json_names(e), "confusion", json_confusion(e),
        "images_per_second", network_rate(e), "images_per_second_overall", overall_rate(e), "latency_us", 1e6 * e->latency,
        "backend", e->stats.backend, "kernels", e->stats.kernels, "threads", (int)e->stats.threads);
    if (board)
        json_object_set_new(out, "board", json_pack("{s:s, s:f, s:f}", "overlay", board->overlay, "images_per_second",
                                                    board->images_per_second, "latency_us", board->latency_us));
    if (e->hardware_json)
        json_object_set(out, "overlay", e->hardware_json);
    tool_print_json(out, JSON_COMPACT);
}

/* --------------------------------------------------------------- run -- */

static int open_all(struct eval *e, const tool_line *line, bnn_error *err)
{
    tool_session *s = &e->session;
    int rc = tool_open_network(s, &e->common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(s, &e->common, err);
    if (rc == BNN_OK)
        rc = tool_open_data(s, &e->common, line->argv, line->argc, err);
    if (rc != BNN_OK)
        return rc;
    e->confusion = calloc((size_t)s->info.classes * s->info.classes, sizeof *e->confusion);
    e->class_of  = calloc(s->info.classes, sizeof *e->class_of);
    if (!e->confusion || !e->class_of)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for %u classes", s->info.classes);
    return tool_match_classes(s, &e->common, line->argv[0], e->class_of, err);
}

static int run(tool_line *line, bnn_error *err)
{
    struct eval e = { .common = tool_common_default(), .format = "text" };
    const tool_option options[] = {
        OPTION_CHOICE(0, "format", "text|json", &e.format, "how the result is printed (default text)"),
        OPTIONS_NETWORK(&e.common), OPTIONS_RUNTIME(&e.common), OPTIONS_DATA(&e.common), OPTIONS_END
    };
    tool_chunk k = { 0 };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = tool_take_network(line, &e.common, err);
    if (rc == BNN_OK && line->argc == 0)
        rc = tool_fail(err, TOOL_USAGE, "no data set; expected NET DATASET...");
    if (rc == BNN_OK)
        rc = open_all(&e, line, err);
    if (rc == BNN_OK)
        rc = tool_chunk_new(&k, &e.session, err);
    if (rc == BNN_OK)
        rc = measure(&e, &k, err);
    if (rc == BNN_OK)
        (*e.format == 'j' ? print_json : print_text)(&e);
    tool_chunk_free(&k);
    json_decref(e.hardware_json);
    free(e.confusion);
    free(e.class_of);
    tool_close(&e.session);
    return rc;
}

const tool_command tool_eval = {
    "eval", "NET DATASET...", "measure accuracy and speed on a labelled data set",
    "Classifies a labelled data set and tells the accuracy with its 95 % interval, each\n"
    "class's share, the confusion matrix, images a second and the time of one image.\n"
    "Labels lie beside an IDX file under its name, in the records, in the names of\n"
    "folders, or in a file given with --labels.",
    run
};
