/* test_fold.c -- thresholds decide as the float expression does, at every sum there is. */
#include "train/graph.h"
#include "train/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void decides_alike(float mean, float scale, float beta, float step, int32_t limit)
{
    const int sign = scale < 0 ? -1 : 1;
    const int32_t t = bnn_fold_threshold(mean, scale, beta, step, sign, limit);
    assert_in_range(t + limit + 1, 1, 2 * limit + 2);
    for (int32_t acc = -limit; acc <= limit; acc++) {
        const bool fires = bnn_norm_at((float)acc, mean, scale, beta) >= step;
        assert_int_equal(sign * acc >= t, fires);
    }
}

/* Every width up to 40, and values that meet the steps exactly, at sums and
 * between them, from both sides, never and always. */
static void every_sum_of_small_layers(void **state)
{
    static const float mean[] = { 0, 1, -1, 2.5f, -7, 0.1f, 39, -41, 1e6f }, beta[] = { 0, 0.5f, -0.5f, 1, 3, -0.1f, 1e-7f },
                       scale[] = { 1, -1, 0.5f, -0.5f, 0, -0.0f, 0.1f, -0.1f, 1e-30f, -1e-30f, 1e30f, -1e30f, 0.33333f },
                       step[] = { 0, -0.5f, 0.5f };
    (void)state;
    for (int32_t limit = 1; limit <= 40; limit++)
        for (size_t a = 0; a < sizeof mean / sizeof *mean; a++)
            for (size_t b = 0; b < sizeof scale / sizeof *scale; b++)
                for (size_t c = 0; c < sizeof beta / sizeof *beta; c++)
                    for (size_t d = 0; d < sizeof step / sizeof *step; d++)
                        decides_alike(mean[a], scale[b], beta[c], step[d], limit);
}

static void random_neurons_of_wide_layers(void **state)
{
    bnn_random r = bnn_random_at(1, BNN_FOR_WEIGHTS, 0);
    (void)state;
    for (int i = 0; i < 2000; i++) {
        const float mean = 300 * bnn_random_unit(&r), scale = 0.1f * bnn_random_unit(&r), beta = 3 * bnn_random_unit(&r);
        decides_alike(mean, scale, beta, 0.5f * (float)((int)bnn_random_below(&r, 3) - 1), 1152);
    }
}

/* The float graph, written out once more for one dense layer, against the folded one. */
static void a_layer_with_flips_zeros_and_ternary(void **state)
{
    static const char text[] = "input 1x9x1 bit\ndense 64 w2 a2\ndense 3 w1 scores\n";
    bnn_topology t;
    bnn_graph g;
    bnn_network *net;
    bnn_rule rule;
    bnn_random r = bnn_random_at(7, BNN_FOR_WEIGHTS, 0);
    (void)state;
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_graph_new(&g, &t, NULL), BNN_OK);
    for (uint32_t i = 0; i < 64; i++) {
        g.layer[0].mean[i]  = (float)((int)bnn_random_below(&r, 5) - 2);
        g.layer[0].scale[i] = 0.25f * (float)((int)bnn_random_below(&r, 5) - 2); /* zero and negative too */
        g.layer[0].beta[i]  = 0.25f * (float)((int)bnn_random_below(&r, 5) - 2); /* ties with the steps */
        for (uint32_t s = 0; s < 9; s++)
            g.layer[0].weights[i * 9 + s] = (int8_t)((int)bnn_random_below(&r, 3) - 1);
    }
    memset(g.layer[1].weights, 1, 3 * 64);
    bnn_rule_default(&rule, &t);
    assert_int_equal(bnn_fold(&net, &g, &rule, 3, NULL), BNN_OK);
    assert_int_equal(bnn_network_finish(net, NULL), BNN_OK);
    for (uint32_t x = 0; x < 512; x++) /* every input there is */
        for (uint32_t i = 0; i < 64; i++) {
            int acc = 0, folded = 0;
            for (uint32_t s = 0; s < 9; s++) {
                const int bit = x >> s & 1 ? 1 : -1;
                acc += bit * g.layer[0].weights[i * 9 + s];
                folded += bit * bnn_weight_at(&t.layer[0], &net->matrix[0], i, s);
            }
            const float z = bnn_norm_at((float)acc, g.layer[0].mean[i], g.layer[0].scale[i], g.layer[0].beta[i]);
            const int32_t *T = net->matrix[0].thresholds + 2 * i;
            assert_int_equal(-1 + (z >= -0.5f) + (z >= 0.5f), -1 + (folded >= T[0]) + (folded >= T[1]));
        }
    bnn_network_close(net);
    bnn_graph_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sum_of_small_layers),
        cmocka_unit_test(random_neurons_of_wide_layers),
        cmocka_unit_test(a_layer_with_flips_zeros_and_ternary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
