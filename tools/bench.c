/* bench.c -- `bnn bench`: how fast a network runs, beside the peaks of this core measured in the same moments.
 *
 * Many short rounds. A round probes the peaks, runs a batch, probes again, then
 * runs single images and times the layers. Its ratio counts only when the
 * level's own peak was the same before and after within 10 % and no thread
 * waited for a core in between (2 % of their time): on a shared machine the others tell of the
 * neighbours. Such rounds are steady. Rates are medians over them (over all
 * where fewer than five were), with the 10th and 90th percentile.
 */
#include "bench_overlay.h"
#include "board.h"
#include "open.h"
#include "output.h"
#include "peers.h"
#include "series.h"

#include <bnn/bench.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = TOOL_SERIES, MOST_PROBES = 16, ONES = 24, MOST_BATCH = 4096, PROBE_NS = 40000 };

struct bench {
    tool_common    common;
    tool_session   session;
    const char    *format;
    uint32_t       batch;
    double         seconds;
    int            with_peers;
    bnn_stats      stats;
    bnn_probe_info probe[MOST_PROBES];
    size_t         probes, own, l2;   /* how many; the level's own peak; the L2 read */
    double         macs, weight_bytes; /* of an image, of the network */
    uint8_t       *images;
    int32_t       *scores;
    uint64_t      *ns;                /* [1 + layers] of a profile */
    tool_series   *layer;             /* [1 + layers] us an image */
    tool_series    any_rate, any_cycle; /* of all rounds, steady or not */
    tool_series    rate, cycle, clock, peak[MOST_PROBES], ratio[MOST_PROBES], latency_l2, share;
    double        *latency;           /* [rounds x ONES] us */
    size_t         latencies;
    tool_peer      peer[TOOL_PEERS];
    unsigned       rounds, steady;
};

/* ---------------------------------------------------------------- open -- */

static int find_probes(struct bench *b, bnn_error *err)
{
    b->own = b->l2 = MOST_PROBES;
    while (b->probes < MOST_PROBES && bnn_probe_at(b->probes, &b->probe[b->probes]) == BNN_OK) {
        const bnn_probe_info *p = &b->probe[b->probes];
        if (strcmp(p->unit, "byte") == 0)
            b->l2 = b->probes;
        else if (b->own == MOST_PROBES && strcmp(p->level, b->stats.kernels) == 0)
            b->own = b->probes;
        b->probes++;
    }
    return b->own < MOST_PROBES ? BNN_OK : tool_fail(err, BNN_EBACKEND, "backend '%s' has no peak to measure; expected --backend cpu", b->stats.backend);
}

static size_t image_size(const struct bench *b)
{
    const bnn_shape in = b->session.info.input;
    return (size_t)in.height * in.width * in.channels;
}

static int new_images(struct bench *b, uint32_t batch, bnn_error *err)
{
    const size_t size = batch * image_size(b), layers = 1 + b->session.info.layers;
    uint32_t noise = 1;
    b->images  = malloc(size);
    b->scores  = malloc(batch * b->session.info.rows * sizeof *b->scores);
    b->ns      = malloc(layers * sizeof *b->ns);
    b->layer   = calloc(layers, sizeof *b->layer);
    b->latency = malloc(MOST_ROUNDS * ONES * sizeof *b->latency);
    if (!b->images || !b->scores || !b->ns || !b->layer || !b->latency)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for %u images", batch);
    for (size_t i = 0; i < size; i++)
        b->images[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
    return BNN_OK;
}

static int open_all(struct bench *b, bnn_error *err)
{
    tool_session *s = &b->session;
    int rc = tool_open_network(s, &b->common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(s, &b->common, err);
    if (rc != BNN_OK)
        return rc;
    bnn_runtime_get_stats(s->runtime, &b->stats);
    b->macs         = (double)s->info.ops / 2;
    b->weight_bytes = (double)s->info.weight_bits / 8;
    rc = find_probes(b, err);
    return rc == BNN_OK ? new_images(b, b->batch ? b->batch : MOST_BATCH, err) : rc;
}

/* ------------------------------------------------------------- measure -- */

static int time_batch(struct bench *b, double *rate, bnn_error *err)
{
    const double start = tool_seconds();
    const int rc = bnn_run(b->session.runtime, b->images, b->batch, b->scores, NULL, err);
    *rate = b->batch / (tool_seconds() - start);
    return rc;
}

/* Images a call when --batch does not say: what takes about a millisecond, less than a time slice. With
 * threads to wake, and a last block that only one of them computes, some milliseconds. */
static int suit_batch(struct bench *b, bnn_error *err)
{
    const double wanted = b->stats.threads > 1 ? 8e-3 : 0.5e-3;
    int rc = BNN_OK;
    for (b->batch = 8; rc == BNN_OK; b->batch *= 2) {
        double best = 0, rate;
        for (int i = 0; rc == BNN_OK && i < 4; i++) {
            rc = time_batch(b, &rate, err);
            best = rate > best ? rate : best;
        }
        if (b->batch / best > wanted || b->batch == MOST_BATCH)
            return rc;
    }
    return rc;
}

/* Single images, each another one; their median in microseconds. */
static int time_ones(struct bench *b, double *one, bnn_error *err)
{
    double us[ONES];
    for (size_t i = 0; i < ONES; i++) {
        const double start = tool_seconds();
        const int rc = bnn_run(b->session.runtime, b->images + i % b->batch * image_size(b), 1, b->scores, NULL, err);
        if (rc != BNN_OK)
            return rc;
        us[i] = (tool_seconds() - start) * 1e6;
        b->latency[b->latencies++] = us[i];
    }
    *one = tool_quantile(us, ONES, 0.5);
    return BNN_OK;
}

static int time_layers(struct bench *b, bnn_error *err)
{
    const size_t layers = 1 + b->session.info.layers;
    memset(b->ns, 0, layers * sizeof *b->ns);
    const int rc = bnn_profile(b->session.runtime, b->images, b->batch, b->ns, layers, err);
    for (size_t i = 0; rc == BNN_OK && i < layers; i++)
        tool_series_add(&b->layer[i], (double)b->ns[i] / 1e3 / b->batch);
    return rc;
}

/* Seconds that threads of ours were ready to run and had no core, so far (proc(5), schedstat; 0 where that is not kept). */
static double waited_for_cores(void)
{
    double sum = 0;
    struct dirent *e;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && (e = readdir(tasks)) != NULL) {
        char path[300];
        unsigned long long ran, waited;
        snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", e->d_name);
        FILE *f = *e->d_name != '.' ? fopen(path, "r") : NULL;
        if (f && fscanf(f, "%llu %llu", &ran, &waited) == 2)
            sum += (double)waited * 1e-9;
        if (f)
            fclose(f);
    }
    if (tasks)
        closedir(tasks);
    return sum;
}

/* A steady round's rate, and its ratio to each peak. */
static void add_steady(struct bench *b, double rate, double macs_ns, double clock, double own, const double *peak)
{
    b->steady++;
    tool_series_add(&b->rate, rate);
    tool_series_add(&b->cycle, macs_ns / clock);
    for (size_t i = 0; i < b->probes; i++)
        tool_series_add(&b->ratio[i], macs_ns / (i == b->own ? own : peak[i]));
}

static int measure_round(struct bench *b, bnn_error *err)
{
    double peak[MOST_PROBES], rate = 0, one = 0;
    const double clock = bnn_probe_clock();
    for (size_t i = 0; i < b->probes; i++)
        peak[i] = bnn_probe_run(i, PROBE_NS);
    const double waited = waited_for_cores();
    const double before = bnn_probe_run(b->own, PROBE_NS);
    int rc = time_batch(b, &rate, err);
    const double after = bnn_probe_run(b->own, PROBE_NS), own = (before + after) / 2;
    const int steady = waited_for_cores() - waited < 0.02 * b->stats.threads * b->batch / rate && fabs(before - after) <= 0.1 * own;
    if (rc == BNN_OK)
        rc = time_ones(b, &one, err);
    const double l2 = bnn_probe_run(b->l2, PROBE_NS);
    if (rc == BNN_OK)
        rc = time_layers(b, err);
    if (rc != BNN_OK)
        return rc;
    b->rounds++;
    const double macs_ns = rate * b->macs / 1e9 / b->stats.threads; /* a thread */
    tool_series_add(&b->any_rate, rate);
    tool_series_add(&b->any_cycle, macs_ns / clock);
    tool_series_add(&b->clock, clock);
    tool_series_add(&b->latency_l2, one * 1e3 / (b->weight_bytes / l2));
    if (steady)
        tool_series_add(&b->share, one * 1e-6 * rate / b->stats.threads);
    for (size_t i = 0; i < b->probes; i++)
        tool_series_add(&b->peak[i], peak[i] / clock);
    if (steady)
        add_steady(b, rate, macs_ns, clock, own, peak);
    return BNN_OK;
}

static int measure(struct bench *b, bnn_error *err)
{
    double rate;
    int rc = b->batch ? BNN_OK : suit_batch(b, err);
    tool_progress progress = tool_progress_start("bench");
    const double start = tool_seconds();
    if (rc == BNN_OK)
        rc = time_batch(b, &rate, err); /* caches filled, threads awake once */
    while (rc == BNN_OK && b->rounds < MOST_ROUNDS && (b->rounds < 5 || tool_seconds() - start < b->seconds)) {
        rc = measure_round(b, err);
        tool_progress_show(&progress, (uint64_t)((tool_seconds() - start) * 1000), (uint64_t)(b->seconds * 1000));
    }
    tool_progress_end(&progress);
    if (b->steady < 5) { /* never quiet: tell what there was */
        b->rate  = b->any_rate;
        b->cycle = b->any_cycle;
    }
    if (rc == BNN_OK && b->with_peers)
        rc = tool_peers_measure(b->peer, b->session.network, b->batch, b->seconds, err);
    if (rc == BNN_OK)
        bnn_runtime_get_stats(b->session.runtime, &b->stats);
    return rc;
}

/* ---------------------------------------------------------------- text -- */

static void print_spread(const char *what, const char *format, tool_series *s, const char *unit)
{
    tool_print("%-22s", what);
    tool_print(format, tool_median(s));
    tool_print(" %s  (10 %% below ", unit);
    tool_print(format, tool_quantile(s->at, s->n, 0.1));
    tool_print(", 90 %% below ");
    tool_print(format, tool_quantile(s->at, s->n, 0.9));
    tool_print(")\n");
}

static void print_peaks(struct bench *b)
{
    tool_print("\n%-10s%-10s%14s%10s\n", "peak", "level", "a cycle", "ratio");
    for (size_t i = 0; i < b->probes; i++) {
        tool_print("%-10s%-10s%9.1f %-4s", b->probe[i].name, b->probe[i].level, tool_median(&b->peak[i]), b->probe[i].unit);
        if (i != b->l2)
            tool_print("%10.3f%s", tool_median(&b->ratio[i]), i == b->own ? "  <- what these kernels are built on" : "");
        tool_print("\n");
    }
}

static void print_layers(struct bench *b)
{
    double all = 0;
    bnn_layer_info layer = { .kind = "input" };
    for (size_t i = 0; i <= b->session.info.layers; i++)
        all += tool_median(&b->layer[i]);
    tool_print("\n%-16s%12s%8s%12s\n", "layer", "us an image", "share", "MAC/cycle");
    for (uint32_t i = 0; i <= b->session.info.layers; i++) {
        const double us = tool_median(&b->layer[i]);
        if (i > 0)
            bnn_network_get_layer(b->session.network, i - 1, &layer);
        tool_print("%2u %-13s%12.3f%7.1f%%%12.1f\n", i, layer.kind, us, 100 * us / all,
                   i > 0 ? (double)layer.ops / 2 / us / 1e3 / tool_median(&b->clock) : 0);
    }
}

static void print_peers(const struct bench *b, double rate, double latency)
{
    tool_print("\n%-16s%14s%14s%12s%12s\n", "peer, 1 thread", "images/s", "one image us", "batch: x", "one: x");
    for (int i = 0; i < TOOL_PEERS; i++) {
        const tool_peer *p = &b->peer[i];
        if (p->missing)
            tool_print("%-16s%s\n", p->name, p->missing);
        else
            tool_print("%-16s%14.0f%14.1f%12.2f%12.2f\n", p->name, p->images_per_second, p->latency_us,
                       rate / b->stats.threads / p->images_per_second, p->latency_us / latency);
    }
}

static void print_text(struct bench *b)
{
    const tool_board *board = tool_board_find(b->session.network);
    const double rate = tool_median(&b->rate), latency = tool_quantile(b->latency, b->latencies, 0.5);
    tool_print("%s: level %s, %u thread%s, batches of %u, %u rounds (%u steady)\n", b->common.network, b->stats.kernels,
               b->stats.threads, b->stats.threads == 1 ? "" : "s", b->batch, b->rounds, b->steady);
    print_spread("images a second", "%.0f", &b->rate, "");
    print_spread("  in all rounds", "%.0f", &b->any_rate, "");
    tool_print("%-22s%.2f us  (p90 %.2f, p99 %.2f)\n", "one image", latency, tool_quantile(b->latency, b->latencies, 0.9),
               tool_quantile(b->latency, b->latencies, 0.99));
    print_spread("MAC a cycle, a thread", "%.1f", &b->cycle, "");
    print_spread("ratio to its peak", "%.3f", &b->ratio[b->own], "");
    print_spread("one / weights from L2", "%.2f", &b->latency_l2, "");
    print_spread("one / share of batch", "%.2f", &b->share, "");
    print_spread("core clock", "%.2f", &b->clock, "GHz");
    print_peaks(b);
    print_layers(b);
    if (board)
        tool_print("\nthe board of 2018 (%s): %.0f images/s, %.0f us: %.2f x its rate, %.1f x sooner\n", board->overlay,
                   board->images_per_second, board->latency_us, rate / board->images_per_second, board->latency_us / latency);
    if (b->with_peers)
        print_peers(b, rate, latency);
}

/* ---------------------------------------------------------------- JSON -- */

static json_t *json_spread(tool_series *s)
{
    return json_pack("{s:f, s:f, s:f}", "p10", tool_quantile(s->at, s->n, 0.1), "median", tool_median(s), "p90", tool_quantile(s->at, s->n, 0.9));
}

static json_t *json_probes(struct bench *b, tool_series *of)
{
    json_t *out = json_object();
    for (size_t i = 0; i < b->probes; i++)
        if (i != b->l2 && of[i].n > 0)
            json_object_set_new(out, b->probe[i].name, json_real(tool_median(&of[i])));
    return out;
}

static json_t *json_layers(struct bench *b)
{
    json_t *out = json_array();
    bnn_layer_info layer = { .kind = "input" };
    for (uint32_t i = 0; i <= b->session.info.layers; i++) {
        const double us = tool_median(&b->layer[i]);
        if (i > 0)
            bnn_network_get_layer(b->session.network, i - 1, &layer);
        json_array_append_new(out, json_pack("{s:s, s:f, s:f}", "kind", layer.kind, "us", us, "macs_per_cycle",
                                             i > 0 ? (double)layer.ops / 2 / us / 1e3 / tool_median(&b->clock) : 0.0));
    }
    return out;
}

static json_t *json_peers(const struct bench *b, double rate, double latency)
{
    json_t *out = json_object();
    for (int i = 0; i < TOOL_PEERS; i++) {
        const tool_peer *p = &b->peer[i];
        json_object_set_new(out, p->name, p->missing ? json_pack("{s:s}", "missing", p->missing)
            : json_pack("{s:f, s:f, s:f, s:f}", "images_per_second", p->images_per_second, "latency_us", p->latency_us, "batch_ratio",
                        rate / b->stats.threads / p->images_per_second, "latency_ratio", p->latency_us / latency));
    }
    return out;
}

static void print_json(struct bench *b)
{
    const tool_board *board = tool_board_find(b->session.network);
    const double rate = tool_median(&b->rate), latency = tool_quantile(b->latency, b->latencies, 0.5);
    json_t *ratios = json_probes(b, b->ratio);
    json_object_set_new(ratios, "latency_l2", json_real(tool_median(&b->latency_l2)));
    json_object_set_new(ratios, "latency_share", json_real(tool_median(&b->share)));
    json_t *out = json_pack("{s:o, s:s, s:i, s:i, s:f, s:f, s:{s:f, s:f, s:f}}", "network", tool_json_text(b->common.network), "level",
                            b->stats.kernels, "threads", b->stats.threads, "batch", b->batch, "images_per_second", rate,
                            "macs_per_cycle", tool_median(&b->cycle), "latency_us", "median", latency, "p90",
                            tool_quantile(b->latency, b->latencies, 0.9), "p99", tool_quantile(b->latency, b->latencies, 0.99));
    json_object_set_new(out, "peaks", json_probes(b, b->peak));
    json_object_set_new(out, "l2_bytes_per_cycle", json_real(tool_median(&b->peak[b->l2])));
    json_object_set_new(out, "ratios", ratios);
    json_object_set_new(out, "peak", json_string(b->probe[b->own].name));
    json_object_set_new(out, "layers", json_layers(b));
    json_object_set_new(out, "spread", json_pack("{s:o, s:o, s:o}", "all_rounds", json_spread(&b->any_rate), "images_per_second", json_spread(&b->rate), "ratio", json_spread(&b->ratio[b->own])));
    json_object_set_new(out, "clock_ghz", json_real(tool_median(&b->clock)));
    json_object_set_new(out, "rounds", json_integer(b->rounds));
    json_object_set_new(out, "steady_rounds", json_integer(b->steady));
    if (board)
        json_object_set_new(out, "board", json_pack("{s:s, s:f, s:f}", "overlay", board->overlay, "images_per_second",
                                                    board->images_per_second, "latency_us", board->latency_us));
    if (b->with_peers)
        json_object_set_new(out, "peers", json_peers(b, rate, latency));
    tool_print_json(out, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
}

/* ----------------------------------------------------------------- run -- */

static void release(struct bench *b)
{
    free(b->images);
    free(b->scores);
    free(b->ns);
    free(b->layer);
    free(b->latency);
    tool_close(&b->session);
    free(b);
}

static int run(tool_line *line, bnn_error *err)
{
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return tool_fail(err, BNN_ENOMEM, "not enough memory");
    b->common  = tool_common_default();
    b->format  = "text";
    b->seconds = 3;
    b->common.run.threads = 1;
    const tool_option options[] = {
        OPTION_CHOICE(0, "format", "text|json", &b->format, "what is printed (default text)"),
        OPTION_REAL(0, "seconds", "S", &b->seconds, 0.1, 3600, "how long to measure (default 3)"),
        OPTION_NUMBER(0, "batch", "N", &b->batch, 1, 65536, "images a call (default: some milliseconds of them)"),
        OPTION_FLAG(0, "peers", &b->with_peers, "also OpenBLAS and oneDNN on the same layers, where installed"),
        OPTIONS_NETWORK(&b->common), OPTIONS_RUNTIME(&b->common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = tool_take_network(line, &b->common, err);
    if (rc == BNN_OK)
        rc = tool_expect(line, 0, 0, "one network", err);
    if (rc == BNN_OK && tool_hardware_asked(&b->common)) {
        rc = tool_bench_overlay(&b->common, b->batch, b->seconds, *b->format == 'j', err);
        release(b);
        return rc;
    }
    if (rc == BNN_OK)
        rc = open_all(b, err);
    if (rc == BNN_OK)
        rc = measure(b, err);
    if (rc == BNN_OK && *b->format == 'j')
        print_json(b);
    else if (rc == BNN_OK)
        print_text(b);
    release(b);
    return rc;
}

const tool_command tool_bench = {
    "bench", "NET", "measure speed, beside the peaks of this core",
    "Runs a network on noise, in batches and image by image, and between that the fastest\n"
    "schedules of operations this core has, so that each figure stands beside what was\n"
    "possible at that moment. One thread, unless --threads says otherwise (0: all cores).\n"
    "With --backend overlay: images a second of processor time, beside the scalar kernels.",
    run
};
