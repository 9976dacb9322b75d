/* test_cpu.c -- backend cpu: scalar against the definition, every level against scalar.
 *
 * The definition is bnn_weight_at and the rule of net/network.h, one weight at
 * a time: nothing of the kernels, not even their packing, takes part in it.
 */
#include "random_network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { NETWORKS = 60, IMAGES = 21 };

static bnn_runtime *open_level(const bnn_network *net, const char *cpu, uint32_t threads)
{
    bnn_options o;
    bnn_error err;
    bnn_runtime *run = NULL;
    bnn_options_default(&o);
    o.backend = "cpu";
    o.cpu     = cpu;
    o.threads = threads;
    if (bnn_runtime_open(&run, net, &o, &err) != BNN_OK)
        fail_msg("%s", err.message);
    return run;
}

/* ----------------------------------------------------------- definition -- */

/* Values of the packed input: -1, +1, or q. */
static void define_input(const bnn_network *net, const uint8_t *pixels, int32_t *out)
{
    const size_t size = bnn_shape_size(net->topology.input);
    const unsigned level = net->topology.input_bits == 1 ? bnn_rule_level(&net->rule, pixels) : 0;
    for (size_t i = 0; i < size; i++)
        out[i] = net->topology.input_bits == 8 ? bnn_rule_q(&net->rule, pixels[i]) : pixels[i] >= level ? 1 : -1;
}

static int32_t define_sum(const bnn_layer *l, const bnn_matrix *m, const int32_t *x, uint32_t oy, uint32_t ox, uint32_t row)
{
    const uint32_t kw = l->kind == BNN_CONV ? l->kernel : l->in.width, C = l->in.channels;
    int32_t sum = 0;
    for (uint32_t s = 0; s < l->MW; s++) {
        const uint32_t pixel = s / C, y = oy + pixel / kw, xx = ox + pixel % kw;
        sum += bnn_weight_at(l, m, row, s) * x[((size_t)y * l->in.width + xx) * C + s % C];
    }
    return sum;
}

static int32_t define_output(const bnn_layer *l, const bnn_matrix *m, int32_t sum, uint32_t row)
{
    const int32_t *t = m->thresholds + (size_t)row * l->thresholds;
    if (l->thresholds == 1)
        return sum >= t[0] ? 1 : -1;
    return l->thresholds == 2 ? -1 + (sum >= t[0]) + (sum >= t[1]) : sum;
}

static int32_t define_maximum(const bnn_layer *l, const int32_t *x, uint32_t oy, uint32_t ox, uint32_t c)
{
    int32_t most = INT32_MIN;
    for (uint32_t k = 0; k < 4; k++) {
        const int32_t v = x[((2 * oy + k / 2) * (size_t)l->in.width + 2 * ox + k % 2) * l->in.channels + c];
        most = v > most ? v : most;
    }
    return most;
}

static void define_layer(const bnn_network *net, uint32_t i, const int32_t *x, int32_t *out)
{
    const bnn_layer *l = &net->topology.layer[i];
    for (uint32_t y = 0; y < l->out.height; y++)
        for (uint32_t xx = 0; xx < l->out.width; xx++)
            for (uint32_t c = 0; c < l->out.channels; c++)
                *out++ = l->kind == BNN_MAXPOOL ? define_maximum(l, x, y, xx, c)
                                                : define_output(l, &net->matrix[i], define_sum(l, &net->matrix[i], x, y, xx, c), c);
}

static size_t largest_map(const bnn_topology *t)
{
    size_t most = bnn_shape_size(t->input);
    for (uint32_t i = 0; i < t->layers; i++)
        most = bnn_shape_size(t->layer[i].out) > most ? bnn_shape_size(t->layer[i].out) : most;
    return most;
}

static void scalar_is_the_definition(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        random_state r = { seed };
        bnn_network *net = random_network(&r);
        const bnn_topology *t = &net->topology;
        const size_t most = largest_map(t);
        uint8_t *pixels = random_images(&r, net, 1);
        int32_t *x = calloc(most, sizeof *x), *want = calloc(most, sizeof *x), *got = calloc(most, sizeof *x);
        bnn_runtime *run = open_level(net, "scalar", 1);
        for (uint32_t i = UINT32_MAX; i == UINT32_MAX || i < t->layers; i++) {
            const size_t size = bnn_shape_size(i == UINT32_MAX ? t->input : t->layer[i].out) * sizeof *got;
            if (i == UINT32_MAX)
                define_input(net, pixels, want);
            else
                define_layer(net, i, x, want);
            assert_int_equal(bnn_trace(run, pixels, 1, i, got, size, NULL), BNN_OK);
            if (memcmp(want, got, size) != 0)
                fail_msg("seed %u, layer %d: scalar differs from the definition of\n%s", (unsigned)seed, (int)i,
                         bnn_network_text(net, "topology"));
            memcpy(x, want, size);
        }
        bnn_runtime_close(run);
        free(got);
        free(want);
        free(x);
        bnn_free(pixels);
        bnn_network_close(net);
    }
}

/* --------------------------------------------------------------- levels -- */

/* Scores and all traces of a runtime, one after the other; free with free(). */
static int32_t *everything(bnn_runtime *run, const bnn_network *net, const uint8_t *images, size_t count, size_t *size)
{
    const bnn_topology *t = &net->topology;
    size_t values = bnn_topology_last(t)->MH + bnn_shape_size(t->input);
    for (uint32_t i = 0; i < t->layers; i++)
        values += bnn_shape_size(t->layer[i].out);
    *size = values * count * sizeof(int32_t);
    int32_t *out = calloc(values * count, sizeof *out), *at = out;
    assert_int_equal(bnn_run(run, images, count, at, NULL, NULL), BNN_OK);
    at += count * bnn_topology_last(t)->MH;
    for (uint32_t i = UINT32_MAX; i == UINT32_MAX || i < t->layers; i++) {
        const size_t n = count * bnn_shape_size(i == UINT32_MAX ? t->input : t->layer[i].out);
        assert_int_equal(bnn_trace(run, images, count, i, at, n * sizeof *at, NULL), BNN_OK);
        at += n;
    }
    return out;
}

static void compare_level(const bnn_network *net, const char *cpu, uint32_t threads, const uint8_t *images, const int32_t *want, uint64_t seed)
{
    size_t size;
    bnn_runtime *run = open_level(net, cpu, threads);
    int32_t *got = everything(run, net, images, IMAGES, &size);
    if (memcmp(want, got, size) != 0)
        fail_msg("seed %u: %s differs from scalar on\n%s", (unsigned)seed, cpu, bnn_network_text(net, "topology"));
    free(got);
    bnn_runtime_close(run);
}

static void every_level_is_scalar(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        random_state r = { seed };
        bnn_network *net = random_network(&r);
        uint8_t *images = random_images(&r, net, IMAGES);
        bnn_runtime *run = open_level(net, "scalar", 1);
        bnn_backend_info level;
        size_t size;
        int32_t *want = everything(run, net, images, IMAGES, &size);
        for (size_t i = 0; bnn_cpu_level_at(i, &level) == BNN_OK; i++)
            if (!level.missing)
                compare_level(net, level.name, 1 + (uint32_t)(seed % 3), images, want, seed);
        compare_level(net, "auto", 2, images, want, seed);
        free(want);
        bnn_runtime_close(run);
        bnn_free(images);
        bnn_network_close(net);
    }
}

static void one_image_is_its_part_of_a_batch(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 130; seed++) {
        random_state r = { seed };
        bnn_network *net = random_network(&r);
        uint8_t *images = random_images(&r, net, IMAGES);
        const size_t pixels = bnn_shape_size(net->topology.input), rows = bnn_topology_last(&net->topology)->MH;
        int32_t *batch = calloc(IMAGES * rows, sizeof *batch), *one = calloc(rows, sizeof *one);
        bnn_runtime *run = open_level(net, NULL, 2);
        assert_int_equal(bnn_run(run, images, IMAGES, batch, NULL, NULL), BNN_OK);
        for (size_t i = 0; i < IMAGES; i++) {
            assert_int_equal(bnn_run(run, images + i * pixels, 1, one, NULL, NULL), BNN_OK);
            assert_memory_equal(one, batch + i * rows, rows * sizeof *one);
        }
        bnn_runtime_close(run);
        free(one);
        free(batch);
        bnn_free(images);
        bnn_network_close(net);
    }
}

/* Maps of 32 MB: a runtime must not hold eight images of them. */
static void large_maps_take_the_memory_of_one_image(void **state)
{
    static const char text[] = "input 2048x2048x1 bit\nconv 2 1x1 w1 a1\nmaxpool 2x2\nmaxpool 2x2\nmaxpool 2x2\ndense 2 w1 scores\n";
    bnn_topology t;
    bnn_network *net;
    bnn_error err;
    struct rusage before, after;
    (void)state;
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), &err), BNN_OK);
    assert_int_equal(bnn_network_new(&net, &t, &err), BNN_OK);
    assert_int_equal(bnn_network_finish(net, &err), BNN_OK);
    getrusage(RUSAGE_SELF, &before);
    bnn_runtime *run = open_level(net, "scalar", 1);
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 300 * 1024); /* in KiB */
    bnn_runtime_close(run);
    bnn_network_close(net);
}

static void missing_levels_say_why(void **state)
{
    random_state r = { 1 };
    bnn_network *net = random_network(&r);
    bnn_backend_info level;
    bnn_runtime *run = NULL;
    bnn_options o;
    bnn_error err;
    (void)state;
    bnn_options_default(&o);
    for (size_t i = 0; bnn_cpu_level_at(i, &level) == BNN_OK; i++) {
        o.cpu = level.name;
        if (!level.missing)
            continue;
        assert_int_equal(bnn_runtime_open(&run, net, &o, &err), BNN_EBACKEND);
        assert_non_null(strstr(err.message, level.missing));
    }
    o.cpu = "sse2";
    assert_int_equal(bnn_runtime_open(&run, net, &o, &err), BNN_EBACKEND);
    assert_string_equal(err.message, "cpu level 'sse2'; \"bnn info --cpu\" lists what this machine has");
    bnn_network_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_is_the_definition),
        cmocka_unit_test(every_level_is_scalar),
        cmocka_unit_test(one_image_is_its_part_of_a_batch),
        cmocka_unit_test(large_maps_take_the_memory_of_one_image),
        cmocka_unit_test(missing_levels_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
