/* test_overlay.c -- an overlay against the scalar kernels and against its estimate.
 *
 *     test_overlay TOPOLOGY FOLDING IMAGES window|registers|back STALL
 *
 * A network with drawn parameters runs on the simulated overlay. Every layer
 * of every image, and the scores of all in one batch, must equal the scalar
 * kernels'; interval and latency must equal the cycle model's, to the cycle
 * (when the ports are not held up: STALL 0).
 */
#include "bnn/overlay.h"
#include "drawn_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int skip_or_fail(const char *what, int rc, const bnn_error *err)
{
    printf("%s: %s\n", what, err->message);
    return rc == BNN_EBACKEND && strstr(err->message, "not installed") ? 77 : 1;
}

/* -------------------------------------------------------------- compare -- */

struct test { bnn_network *net; bnn_runtime *scalar, *overlay; uint8_t *images; size_t count; };

static int compare(const char *what, uint32_t layer, const int32_t *given, const int32_t *expected, size_t n, size_t each)
{
    for (size_t i = 0; i < n; i++)
        if (given[i] != expected[i]) {
            printf("%s %d: image %zu, value %zu: %d; expected %d\n", what, (int)layer, i / each, i % each, given[i], expected[i]);
            return 1;
        }
    return 0;
}

static int compare_layer(const struct test *t, uint32_t layer)
{
    bnn_error err = { 0 };
    bnn_layer_info l;
    bnn_network_info info;
    bnn_network_get_info(t->net, &info);
    const bnn_shape s = layer == UINT32_MAX ? info.input : bnn_network_get_layer(t->net, layer, &l) == BNN_OK ? l.output : info.input;
    const size_t each = bnn_shape_size(s), size = t->count * each * sizeof(int32_t);
    int32_t *a = malloc(size), *b = malloc(size);
    int bad = bnn_trace(t->scalar, t->images, t->count, layer, a, size, &err) || bnn_trace(t->overlay, t->images, t->count, layer, b, size, &err);
    if (bad)
        printf("trace: %s\n", err.message);
    else
        bad = compare("layer", layer, b, a, t->count * each, each);
    free(a);
    free(b);
    return bad;
}

static int compare_scores(const struct test *t)
{
    bnn_error err = { 0 };
    bnn_network_info info;
    bnn_network_get_info(t->net, &info);
    int32_t *a = malloc(t->count * info.rows * sizeof *a), *b = malloc(t->count * info.rows * sizeof *b);
    int bad = bnn_run(t->scalar, t->images, t->count, a, NULL, &err) || bnn_run(t->overlay, t->images, t->count, b, NULL, &err);
    if (bad)
        printf("run: %s\n", err.message);
    else
        bad = compare("scores", 0, b, a, t->count * info.rows, info.rows);
    free(a);
    free(b);
    return bad;
}

static int compare_cycles(const struct test *t, bnn_overlay *o)
{
    bnn_error err;
    bnn_overlay_estimate e;
    bnn_stats s;
    if (bnn_overlay_get_estimate(o, &e, &err)) {
        printf("%s\n", err.message);
        return 1;
    }
    bnn_runtime_get_stats(t->overlay, &s);
    printf("interval %.2f, latency %llu; estimate %llu, %llu; starved %llu, waited %llu\n", s.interval_cycles,
           (unsigned long long)s.latency_cycles, (unsigned long long)e.initiation_interval_cycles, (unsigned long long)e.latency_cycles,
           (unsigned long long)s.starved_cycles, (unsigned long long)s.waiting_cycles);
    return s.interval_cycles != (double)e.initiation_interval_cycles || s.latency_cycles != e.latency_cycles;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        return 2;
    const char *cache = getenv("BNN_TEST_CACHE"), *folding = strcmp(argv[2], "-") == 0 ? NULL : argv[2];
    const uint32_t stall = (uint32_t)atoi(argv[5]);
    bnn_error err = { 0 };
    bnn_overlay *o;
    char object[4096];
    int rc = bnn_overlay_open(&o, argv[1], folding, NULL, &err);
    if (rc == BNN_OK)
        rc = bnn_overlay_build(o, cache ? cache : "cache", 0, object, sizeof object, &err);
    if (rc != BNN_OK)
        return skip_or_fail("build", rc, &err);
    struct test t = { .count = (size_t)atoi(argv[3]) };
    bnn_options scalar, overlay;
    bnn_options_default(&scalar);
    bnn_options_default(&overlay);
    scalar.backend = "cpu";
    scalar.cpu     = "scalar";
    overlay.backend       = "overlay";
    overlay.overlay       = object;
    overlay.overlay_load  = argv[4];
    overlay.overlay_stall = stall;
    overlay.overlay_seed  = 7;
    if (drawn_network(&t.net, argv[1], &err) || bnn_runtime_open(&t.scalar, t.net, &scalar, &err) || bnn_runtime_open(&t.overlay, t.net, &overlay, &err)) {
        printf("open: %s\n", err.message);
        return 1;
    }
    const size_t pixels = bnn_shape_size(t.net->topology.input);
    t.images = malloc(t.count * pixels);
    draw_images(t.images, pixels, t.count);
    int bad = 0;
    for (uint32_t l = 0; l <= t.net->topology.layers && !bad; l++)
        bad = compare_layer(&t, l - 1); /* l - 1 of 0 is UINT32_MAX: the input */
    bad = bad || compare_scores(&t) || (compare_cycles(&t, o) && stall == 0);
    free(t.images);
    bnn_runtime_close(t.overlay);
    bnn_runtime_close(t.scalar);
    bnn_network_close(t.net);
    bnn_overlay_close(o);
    return bad;
}
