/* test_folding.c -- the letters, who is where, the text form, and what each mistake is told. */
#include "net/folding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static bnn_topology topology(const char *text)
{
    bnn_topology t;
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    return t;
}

static int parse(bnn_folding *out, const bnn_topology *t, const char *text, bnn_error *err)
{
    return bnn_folding_parse(out, t, text, strlen(text), err);
}

static void lfc_layer_0_is_padded_to_832(void **state)
{
    const bnn_topology t = topology("input 28x28x1 bit\ndense 1024 w1 a1\ndense 10 w1 scores\n");
    bnn_fold f;
    (void)state;
    assert_int_equal(bnn_fold_set(&f, &t.layer[0], 32, 64, NULL), BNN_OK);
    assert_int_equal(f.MW, 832);
    assert_int_equal(f.MH, 1024);
    assert_int_equal(f.SF, 13);
    assert_int_equal(f.NF, 32);
    assert_int_equal(f.WMEM, 416);
    assert_int_equal(f.TMEM, 32);
    assert_int_equal(bnn_fold_cycles(&f, &t.layer[0]), 416);
    assert_int_equal(bnn_fold_set(&f, &t.layer[1], 4, 8, NULL), BNN_OK);
    assert_int_equal(f.MH, 12); /* 10 rows on 4 PEs */
}

static void cycles_count_every_position_of_a_conv(void **state)
{
    const bnn_topology t = topology("input 32x32x3 uint8\nconv 64 3x3 w1 a1\ndense 10 w1 scores\n");
    bnn_fold f;
    (void)state;
    assert_int_equal(bnn_fold_set(&f, &t.layer[0], 16, 3, NULL), BNN_OK);
    assert_int_equal(bnn_fold_cycles(&f, &t.layer[0]), 30 * 30 * 4 * 9);
}

static void places_and_their_inverse(void **state)
{
    const bnn_topology t = topology("input 28x28x1 bit\ndense 1024 w1 a2\ndense 10 w1 scores\n");
    bnn_fold f;
    (void)state;
    assert_int_equal(bnn_fold_set(&f, &t.layer[0], 32, 64, NULL), BNN_OK);
    const bnn_place w = bnn_place_of_weight(&f, 77, 130); /* 77 = 2 * 32 + 13; 130 = 2 * 64 + 2 */
    assert_int_equal(w.pe, 13);
    assert_int_equal(w.word, 2 * 13 + 2);
    assert_int_equal(w.lane, 2);
    assert_int_equal(bnn_place_of_threshold(&f, 77, 1, 2).word, 5);
    for (uint32_t n = 0; n < f.MH; n += 31)
        for (uint32_t s = 0; s < f.MW; s += 7) {
            const bnn_place at = bnn_place_of_weight(&f, n, s);
            assert_int_equal(bnn_neuron_at(&f, at.pe, at.word), n);
            assert_int_equal(bnn_synapse_at(&f, at.word, at.lane), s);
        }
}

static void prints_what_it_parsed(void **state)
{
    static const char text[] = "pe 16 simd 3\npe 5 simd 20\n";
    const bnn_topology t = topology("input 6x6x1 bit\nconv 16 3x3 w1 a1\nmaxpool 2x2\ndense 10 w1 scores\n");
    bnn_folding f;
    char out[100];
    (void)state;
    assert_int_equal(parse(&f, &t, "# two layers\r\n\n pe 16  simd 3 # conv\npe 5 simd 20", NULL), BNN_OK);
    assert_int_equal(f.layer[1].PE, 0);
    assert_int_equal(f.layer[2].MW, 80);
    assert_int_equal(bnn_folding_print(&f, out, sizeof out), strlen(text));
    assert_string_equal(out, text);
}

static void mistakes_are_told_with_their_line(void **state)
{
    static const struct { const char *text, *message; } wrong[] = {
        { "pe 3 simd 8", "folding ends before layer 1 of 2; expected a line for each layer with weights" },
        { "pe 3 simd 8\npe 1", "folding line 2: 'pe 1'; expected 'pe P simd S'" },
        { "pe 3 simd 8 9", "folding line 1: 'pe 3 simd 8 9'; expected 'pe P simd S'" },
        { "\npe 17 simd 8", "folding line 2: pe 17 for 16 neurons; expected 1 to 16" },
        { "pe 0 simd 8", "folding line 1: pe 0 for 16 neurons; expected 1 to 16" },
        { "pe 4 simd 37", "folding line 1: simd 37 for 36 synapses; expected 1 to 36" },
        { "pe 1 simd 1\npe 1 simd 1\npe 1 simd 1", "folding line 3: one more than the topology has layers with weights" },
    };
    const bnn_topology t = topology("input 6x6x1 bit\ndense 16 w1 a1\ndense 10 w1 scores\n");
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bnn_folding f;
        bnn_error err;
        assert_true(parse(&f, &t, wrong[i].text, &err) < 0);
        assert_string_equal(err.message, wrong[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lfc_layer_0_is_padded_to_832), cmocka_unit_test(cycles_count_every_position_of_a_conv),
        cmocka_unit_test(places_and_their_inverse),     cmocka_unit_test(prints_what_it_parsed),
        cmocka_unit_test(mistakes_are_told_with_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
