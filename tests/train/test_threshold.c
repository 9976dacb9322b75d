/* test_threshold.c -- learned thresholds of the input: what a rule with a table means, and one step of learning. */
#include "train/input.h"
#include "train/threshold.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char *const topology = "input 2x3x1 bit\ndense 4 w1 a1\ndense 2 w1 scores\n";

static void rule_of(bnn_rule *rule, bnn_topology *t, const char *text)
{
    assert_int_equal(bnn_topology_parse(t, topology, strlen(topology), NULL), BNN_OK);
    assert_int_equal(bnn_rule_parse(rule, t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_thresholds_start(rule, NULL), BNN_OK);
}

/* floor(mean x entry / 64), at least 1 and at most 255, one by one and in a row. */
static void scaled_is_a_multiple_of_the_mean(void **state)
{
    const uint8_t pixels[6] = { 0, 100, 200, 255, 40, 10 }; /* mean 605 / 6: 100 */
    const uint8_t table[6] = { 0, 64, 128, 255, 25, 7 };
    const uint8_t expected[6] = { 1, 100, 200, 255, 39, 10 };
    const float bits[6] = { -1, 1, 1, 1, 1, 1 };
    uint8_t room[6];
    float out[6];
    bnn_topology t;
    bnn_rule rule;
    (void)state;
    rule_of(&rule, &t, "threshold scaled");
    memcpy(rule.table, table, sizeof table);
    const unsigned level = bnn_rule_level(&rule, pixels);
    assert_int_equal(level, 100);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(bnn_rule_threshold(&rule, level, i), expected[i]);
    assert_memory_equal(bnn_rule_thresholds(&rule, level, 0, 6, room), expected, 6);
    assert_memory_equal(bnn_rule_thresholds(&rule, level, 2, 3, room), expected + 2, 3);
    bnn_input_values(&rule, pixels, out);
    assert_memory_equal(out, bits, sizeof bits);
    bnn_rule_free(&rule);
}

/* Where the loss falls with the bit the threshold rises, where it rises it falls; pixels
 * out of reach, and those without a gradient, change nothing. */
static void one_step(const char *text)
{
    const uint8_t pixels[2][6] = { { 80, 80, 80, 255, 80, 80 }, { 80, 80, 80, 255, 80, 80 } };
    const float d_input[2][6] = { { 1, -1, 0, 1, 2, 1 }, { 1, -1, 0, 1, -1, -1 } };
    bnn_topology t;
    bnn_rule rule;
    bnn_model *m;
    bnn_pool *pool;
    bnn_thresholds th;
    uint8_t before[6];
    rule_of(&rule, &t, text);
    memset(rule.table, rule.kind == BNN_THRESHOLD_SCALED ? 64 : 100, 6);
    memcpy(before, rule.table, 6);
    assert_int_equal(bnn_pool_open(&pool, 1, NULL), BNN_OK);
    if (bnn_model_new(&m, &t, 2, 2, true, NULL, pool, NULL) != BNN_OK)
        skip();
    assert_int_equal(bnn_thresholds_new(&th, &rule, m, NULL), BNN_OK);
    memcpy(th.pixels, pixels, sizeof pixels);
    memcpy(m->d_input, d_input, sizeof d_input);
    m->steps = 1;
    bnn_thresholds_update(&th, &rule, m, 2, 1);
    assert_true(rule.table[0] > before[0]);
    assert_true(rule.table[1] < before[1]);
    assert_int_equal(rule.table[2], before[2]);
    assert_int_equal(rule.table[3], before[3]);
    assert_true(rule.table[4] > before[4]);
    assert_int_equal(rule.table[5], before[5]);
    bnn_thresholds_free(&th);
    bnn_model_free(m);
    bnn_pool_close(pool);
    bnn_rule_free(&rule);
}

static void table_learns(void **state) { (void)state; one_step("threshold table"); }
static void scaled_learns(void **state) { (void)state; one_step("threshold scaled"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaled_is_a_multiple_of_the_mean),
        cmocka_unit_test(table_learns),
        cmocka_unit_test(scaled_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
