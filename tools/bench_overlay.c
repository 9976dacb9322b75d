/* bench_overlay.c -- how fast an overlay is simulated, beside the scalar kernels in the same moments.
 *
 * Rounds of one call on each; rates are images a second of processor time, on
 * one thread, so that neighbours on the machine count for little. On a board
 * the time is the clock's on the wall: this processor only waits there.
 */
#include "bench_overlay.h"
#include "open.h"
#include "output.h"
#include "series.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_BATCH = 4096, FEWEST_ROUNDS = 3 };

/* A runtime, and its images a second. */
struct side { tool_session session; tool_series rate; };

struct bench {
    struct side overlay, scalar;
    clockid_t   clock;
    uint32_t    batch;
    uint8_t    *images;
    int32_t    *scores;
    tool_series cycles; /* of the overlay, in a second */
};

static double now(const struct bench *b)
{
    struct timespec t;
    clock_gettime(b->clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- open -- */

static int open_side(struct side *s, const tool_common *common, const char *backend, bnn_error *err)
{
    tool_common c = *common;
    c.run.backend = backend;
    c.run.threads = 1;
    if (strcmp(backend, "cpu") == 0) {
        c.run.cpu = "scalar";
        c.overlay = NULL;
    }
    const int rc = tool_open_network(&s->session, &c, err);
    return rc == BNN_OK ? tool_open_runtime(&s->session, &c, err) : rc;
}

static int new_images(struct bench *b, bnn_error *err)
{
    const bnn_network_info *info = &b->overlay.session.info;
    const size_t size = (size_t)b->batch * info->input.height * info->input.width * info->input.channels;
    uint32_t noise = 1;
    b->images = malloc(size);
    b->scores = malloc(b->batch * info->rows * sizeof *b->scores);
    if (!b->images || !b->scores)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for %u images", b->batch);
    for (size_t i = 0; i < size; i++)
        b->images[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
    return BNN_OK;
}

static int open_all(struct bench *b, const tool_common *common, bnn_error *err)
{
    bnn_stats s;
    int rc = open_side(&b->overlay, common, "overlay", err);
    if (rc == BNN_OK)
        rc = open_side(&b->scalar, common, "cpu", err);
    if (rc != BNN_OK)
        return rc;
    bnn_runtime_get_stats(b->overlay.session.runtime, &s);
    b->clock = strcmp(s.kernels, "simulation") == 0 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    return new_images(b, err);
}

/* ------------------------------------------------------------- measure -- */

static int time_call(const struct bench *b, const struct side *s, double *seconds, bnn_error *err)
{
    const double start = now(b);
    const int rc = bnn_run(s->session.runtime, b->images, b->batch, b->scores, NULL, err);
    *seconds = now(b) - start;
    return rc;
}

/* Images of a call that takes about half a second: the pipeline's filling is a small part of it. */
static int suit_batch(struct bench *b, bnn_error *err)
{
    double seconds;
    for (b->batch = 8; b->batch < MOST_BATCH; b->batch *= 2) {
        const int rc = time_call(b, &b->overlay, &seconds, err);
        if (rc != BNN_OK || seconds > 0.3)
            return rc;
    }
    return BNN_OK;
}

static int measure_round(struct bench *b, bnn_error *err)
{
    bnn_stats before, after;
    double overlay = 0, scalar = 0;
    bnn_runtime_get_stats(b->overlay.session.runtime, &before);
    int rc = time_call(b, &b->overlay, &overlay, err);
    bnn_runtime_get_stats(b->overlay.session.runtime, &after);
    if (rc == BNN_OK)
        rc = time_call(b, &b->scalar, &scalar, err);
    if (rc != BNN_OK)
        return rc;
    tool_series_add(&b->overlay.rate, b->batch / overlay);
    tool_series_add(&b->scalar.rate, b->batch / scalar);
    tool_series_add(&b->cycles, (double)(after.cycles - before.cycles) / overlay);
    return BNN_OK;
}

static int measure(struct bench *b, int suit, double seconds, bnn_error *err)
{
    tool_progress progress = tool_progress_start("bench");
    const double start = tool_seconds();
    int rc = suit ? suit_batch(b, err) : BNN_OK;
    while (rc == BNN_OK && b->cycles.n < TOOL_SERIES && (b->cycles.n < FEWEST_ROUNDS || tool_seconds() - start < seconds)) {
        rc = measure_round(b, err);
        tool_progress_show(&progress, (uint64_t)((tool_seconds() - start) * 1000), (uint64_t)(seconds * 1000));
    }
    tool_progress_end(&progress);
    return rc;
}

/* --------------------------------------------------------------- print -- */

static void print_rate(const char *what, tool_series *s)
{
    tool_print("%-26s%12.1f  (10 %% below %.1f, 90 %% below %.1f)\n", what, tool_median(s), tool_quantile(s->at, s->n, 0.1),
               tool_quantile(s->at, s->n, 0.9));
}

static void print_text(struct bench *b, const char *network)
{
    const tool_session *s = &b->overlay.session;
    char text[400];
    tool_print("%s: overlay beside the scalar kernels, %u images a call, %zu rounds; a second of %s\n", network, b->batch, b->cycles.n,
               b->clock == CLOCK_MONOTONIC ? "the clock" : "processor time, one thread");
    print_rate("overlay, images a second", &b->overlay.rate);
    print_rate("scalar, images a second", &b->scalar.rate);
    tool_print("%-26s%12.0f\n", "cycles a second", tool_median(&b->cycles));
    if (tool_hardware_text(&s->hardware, s->runtime, text, sizeof text))
        tool_print("%s", text);
}

static json_t *json_rate(tool_series *s)
{
    return json_pack("{s:f, s:f, s:f}", "p10", tool_quantile(s->at, s->n, 0.1), "median", tool_median(s), "p90", tool_quantile(s->at, s->n, 0.9));
}

static void print_json(struct bench *b, const char *network)
{
    const tool_session *s = &b->overlay.session;
    json_t *out = json_pack("{s:o, s:s, s:i, s:i, s:o, s:o, s:f, s:o}", "network", tool_json_text(network), "seconds",
                            b->clock == CLOCK_MONOTONIC ? "clock" : "processor", "batch", (int)b->batch, "rounds", (int)b->cycles.n,
                            "images_per_second", json_rate(&b->overlay.rate), "scalar_images_per_second", json_rate(&b->scalar.rate),
                            "cycles_per_second", tool_median(&b->cycles), "overlay", tool_hardware_json(&s->hardware, s->runtime));
    tool_print_json(out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

int tool_bench_overlay(const tool_common *common, uint32_t batch, double seconds, int json, bnn_error *err)
{
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return tool_fail(err, BNN_ENOMEM, "not enough memory");
    b->batch = batch ? batch : MOST_BATCH;
    int rc = open_all(b, common, err);
    if (rc == BNN_OK)
        rc = measure(b, batch == 0, seconds, err);
    if (rc == BNN_OK)
        (json ? print_json : print_text)(b, common->network);
    tool_close(&b->overlay.session);
    tool_close(&b->scalar.session);
    free(b->images);
    free(b->scores);
    free(b);
    return rc;
}
