/* test_decode.c -- from scores to labels as the original's host code does it, corner by corner. */
#include "format/format.h"
#include "format/pynq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The label that a rule of an overlay gives. */
static uint32_t label(const char *overlay, const char *variant, const char *rule, const int32_t *scores, uint32_t classes)
{
    bnn_pynq_overlay o;
    assert_int_equal(bnn_pynq_overlay_find(&o, overlay, variant, NULL), BNN_OK);
    for (size_t i = 0; o.origin->decode[i]; i++)
        if (strcmp(o.origin->decode[i]->name, rule) == 0)
            return o.origin->decode[i]->label(scores, classes, bnn_topology_last(&o.topology));
    fail_msg("no rule %s", rule);
    return 0;
}

/* Of an LFC whose rows fire where `word` has a 1. */
static uint32_t label_of_word(const char *variant, const char *rule, uint64_t word, uint32_t classes)
{
    int32_t scores[64];
    for (int i = 0; i < 64; i++)
        scores[i] = word >> i & 1 ? i % 3 : -1 - i % 3; /* a score of 0 fires */
    return label("lfcW1A1", variant, rule, scores, classes);
}

static void lfc_multi_is_the_highest_row_that_fired(void **state)
{
    (void)state;
    assert_int_equal(label_of_word(NULL, "multi", 0, 10), 0);
    assert_int_equal(label_of_word(NULL, "multi", 1, 10), 0);
    assert_int_equal(label_of_word(NULL, "multi", 0x29, 10), 5);
    assert_int_equal(label_of_word(NULL, "multi", 0x40f, 10), 3); /* row 10 takes no part */
    assert_int_equal(label_of_word(NULL, "multi", 0x40f, 11), 10);
    assert_int_equal(label_of_word("workshop", "multi", 0x29, 10), 5);
}

static void lfc_multi_rounds_in_double(void **state)
{
    (void)state;
    assert_int_equal(label_of_word(NULL, "multi", ((uint64_t)1 << 48) - 1, 48), 47);
    assert_int_equal(label_of_word(NULL, "multi", ((uint64_t)1 << 49) - 1, 49), 49); /* one past the last class */
    assert_int_equal(label_of_word(NULL, "multi", ((uint64_t)1 << 49) - 4, 49), 48);
    assert_int_equal(label_of_word(NULL, "multi", ~(uint64_t)0, 64), 64);
}

static void lfc_single_rounds_up_when_two_neighbours_fired(void **state)
{
    (void)state;
    assert_int_equal(label_of_word(NULL, "single", 0, 10), 0);
    assert_int_equal(label_of_word(NULL, "single", 0x20, 10), 5);
    assert_int_equal(label_of_word(NULL, "single", 0x21, 10), 5);
    assert_int_equal(label_of_word(NULL, "single", 0x30, 10), 6);
    assert_int_equal(label_of_word(NULL, "single", 0x300, 10), 10); /* out of range, as the original */
    assert_int_equal(label_of_word(NULL, "single", 0x2d, 10), 5);   /* 45 < 32 sqrt(2) = 45.25 */
    assert_int_equal(label_of_word(NULL, "single", 0x2e, 10), 6);
    assert_int_equal(label_of_word(NULL, "single", (uint64_t)3 << 62, 64), 0); /* 64: none of the 64 results is set */
    assert_int_equal(label_of_word("workshop", "single", 0x30, 10), 5);
}

static void cnv_multi_wants_a_positive_score(void **state)
{
    static const int32_t negative[] = { -9, -3, -5, -3 }, mixed[] = { -1, 4, 7, 7 }, lowest[] = { -512, -512, -512, -510 };
    (void)state;
    assert_int_equal(label("cnvW1A2", NULL, "multi", negative, 4), 0);
    assert_int_equal(label("cnvW1A2", NULL, "single", negative, 4), 1);
    assert_int_equal(label("cnvW2A2", NULL, "multi", mixed, 4), 2);
    assert_int_equal(label("cnvW2A2", NULL, "multi", mixed, 2), 1);
    assert_int_equal(label("cnvW1A1", NULL, "multi", negative, 4), 1); /* popcounts are above 0 */
    assert_int_equal(label("cnvW1A1", NULL, "multi", lowest, 4), 3);
    assert_int_equal(label("cnvW1A1", NULL, "multi", lowest, 3), 0);
    assert_int_equal(label("cnvW1A1", "workshop", "single", negative, 4), 1);
}

static void margin_is_the_largest_score(void **state)
{
    static const int32_t scores[] = { -7, -2, -2, -9 };
    (void)state;
    assert_int_equal(label("lfcW1A1", NULL, "margin", scores, 4), 1);
    assert_int_equal(label("lfcW1A2", NULL, "margin", scores, 4), 1);
    assert_int_equal(label("cnvW1A1", NULL, "margin", scores, 4), 1);
}

static void raw_scores_are_in_the_hardwares_domain(void **state)
{
    bnn_pynq_overlay o;
    (void)state;
    assert_int_equal(bnn_pynq_overlay_find(&o, "cnvW1A1", NULL, NULL), BNN_OK);
    assert_int_equal(o.origin->raw(-512, bnn_topology_last(&o.topology)), 0);
    assert_int_equal(o.origin->raw(2, bnn_topology_last(&o.topology)), 257);
    assert_int_equal(bnn_pynq_overlay_find(&o, "cnvW1A2", NULL, NULL), BNN_OK);
    assert_null(o.origin->raw); /* signed sums are what our scores are */
}

/* Thresholds at and over the edges of their words (see pynq_overlay.c for the formulas). */
static void words_to_thresholds_and_back(void **state)
{
    static const struct { const char *overlay, *variant; int layer; uint64_t word; int32_t padding, threshold; } cases[] = {
        { "lfcW1A1", NULL, 1, 512, 0, 2 },                  { "lfcW1A1", NULL, 1, 65535, 0, -1024 },
        { "lfcW1A1", "workshop", 1, 65535, 0, 130048 },     { "lfcW1A1", NULL, 0, 400, -48, 18 },
        { "lfcW1A1", NULL, 0, 400, 48, -78 },               { "lfcW1A2", NULL, 0, 10, -48, 59 },
        { "lfcW1A2", NULL, 1, (uint64_t)-3, 0, -2 },        { "cnvW1A1", NULL, 0, 7, 0, 4 },
        { "cnvW1A1", NULL, 0, (uint64_t)-7, 0, -3 },        { "cnvW1A1", NULL, 0, 0xffffff, 0, 0 },
        { "cnvW1A1", NULL, 0, 0x17fffff, 0, 4194304 },      { "cnvW2A2", NULL, 7, 32767, 0, 32768 },
        { "cnvW2A2", NULL, 7, 32768, 0, -32767 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bnn_pynq_overlay o;
        bool exact = true;
        assert_int_equal(bnn_pynq_overlay_find(&o, cases[i].overlay, cases[i].variant, NULL), BNN_OK);
        const bnn_pynq_layer *l = &o.layer[cases[i].layer];
        assert_int_equal(bnn_pynq_threshold_read(&o, l, cases[i].word, cases[i].padding), cases[i].threshold);
        if (cases[i].padding > 0)
            continue; /* written folders have padding weights +1 */
        const uint64_t again = bnn_pynq_threshold_write(&o, l, cases[i].threshold, &exact);
        assert_int_equal(bnn_pynq_threshold_read(&o, l, again, cases[i].padding), cases[i].threshold);
        assert_true(exact);
    }
}

static void an_origin_fits_its_topology_only(void **state)
{
    bnn_pynq_overlay o;
    const bnn_origin *found = NULL;
    bnn_error err;
    (void)state;
    assert_int_equal(bnn_pynq_overlay_find(&o, "lfcW1A1", NULL, NULL), BNN_OK);
    assert_int_equal(bnn_origin_find(&found, "bnn-pynq lfcW1A1 workshop", &o.topology, NULL), BNN_OK);
    assert_string_equal(found->name, "bnn-pynq lfcW1A1 workshop");
    assert_int_equal(bnn_origin_find(&found, "bnn-pynq cnvW1A1 xilinx", &o.topology, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "origin 'bnn-pynq cnvW1A1 xilinx' with another topology");
    assert_int_equal(bnn_origin_find(&found, "elsewhere", &o.topology, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "origin 'elsewhere' is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lfc_multi_is_the_highest_row_that_fired),
        cmocka_unit_test(lfc_multi_rounds_in_double),
        cmocka_unit_test(lfc_single_rounds_up_when_two_neighbours_fired),
        cmocka_unit_test(cnv_multi_wants_a_positive_score),
        cmocka_unit_test(margin_is_the_largest_score),
        cmocka_unit_test(raw_scores_are_in_the_hardwares_domain),
        cmocka_unit_test(words_to_thresholds_and_back),
        cmocka_unit_test(an_origin_fits_its_topology_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
