/* test_topology.c -- the text form: what is accepted, how it prints, what each mistake is told. */
#include "net/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int parse(bnn_topology *t, const char *text, bnn_error *err)
{
    return bnn_topology_parse(t, text, strlen(text), err);
}

static void shapes_of_cnv(void **state)
{
    bnn_topology t;
    (void)state;
    assert_int_equal(parse(&t, "input 32x32x3 uint8\nconv 64 3x3 w1 a1\nconv 64 3x3 w1 a1\nmaxpool 2x2\n"
                               "dense <=64 w1 scores\n", NULL), BNN_OK);
    assert_int_equal(t.layers, 4);
    assert_int_equal(t.layer[0].MW, 27);
    assert_int_equal(t.layer[0].input_bits, 8);
    assert_int_equal(t.layer[1].MW, 576);
    assert_int_equal(t.layer[2].out.height, 14);
    assert_int_equal(t.layer[3].MW, 14 * 14 * 64);
    assert_int_equal(bnn_topology_set_rows(&t, 10, NULL), BNN_OK);
    assert_int_equal(t.layer[3].MH, 10);
    assert_int_equal(bnn_topology_set_rows(&t, 9, NULL), BNN_ESHAPE);
}

static void prints_what_it_parsed(void **state)
{
    static const char text[] = "input 9x12x1 bit\nconv 5 2x2 w2 a2\nmaxpool 2x2\ndense 7 w1 a1\ndense 3 w2 bits\n";
    bnn_topology t, again;
    char out[400];
    (void)state;
    assert_int_equal(parse(&t, "# not square\r\ninput 9x12x1 bit\r\n\nconv 5 2x2 w2 a2 # c\nmaxpool 2x2\ndense 7 w1 a1\ndense 3 w2 bits", NULL), BNN_ESHAPE);
    assert_int_equal(parse(&t, "input 9x13x1 bit\r\n\nconv 5 2x2 w2 a2 # c\nmaxpool 2x2\ndense 7 w1 a1\ndense 3 w2 bits", NULL), BNN_OK);
    assert_int_equal(bnn_topology_print(&t, out, sizeof out), strlen(text));
    assert_int_equal(parse(&again, out, NULL), BNN_OK);
    assert_true(bnn_topology_equal(&t, &again));
}

static void mistakes_are_told_with_line_and_shapes(void **state)
{
    static const struct { const char *text, *message; } wrong[] = {
        { "", "topology of 0 layers without an end; expected a last layer such as 'dense 10 w1 scores'" },
        { "dense 10 w1 scores", "topology line 1: dense before the input; expected 'input HEIGHTxWIDTHxCHANNELS uint8|bit'" },
        { "input 28x28 bit", "topology line 1: input; expected 'input HEIGHTxWIDTHxCHANNELS uint8|bit'" },
        { "input 2x2x1 bit\nconv 8 3x3 w1 a1", "topology line 2: conv 3x3 on a 2x2x1 map; expected a map of at least 3x3" },
        { "input 5x4x1 bit\nconv 8 1x1 w1 a1\nmaxpool 2x2", "topology line 3: maxpool 2x2 on a 5x4x8 map; expected even height and width" },
        { "input 5x4x1 bit\nconv 8 8x8 w1 a1", "topology line 2: window '8x8'; expected KxK with K from 1 to 7" },
        { "input 5x4x1 bit\ndense 8 w3 a1", "topology line 2: weights 'w3'; expected w1 or w2" },
        { "input 5x4x1 bit\ndense 1001 w1 scores", "topology line 2: 1001 rows at the end; expected 1 to 1000 classes" },
        { "input 5x4x1 bit\ndense 10 w1 scores\ndense 10 w1 scores", "topology line 3: a layer after the scores; expected none" },
        { "input 4096x1025x1 bit\ndense 10 w1 scores", "topology line 2: 4198400 inputs a neuron (dense on 4096x1025x1); expected at most 4194304" },
        { "input 4096x4096x65 bit\ndense 10 w1 scores", "topology line 1: a 4096x4096x65 map; expected at most 2^30 values" },
        { "input 4096x4096x1 bit\nconv 65 1x1 w1 a1", "topology line 2: a 4096x4096x65 map; expected at most 2^30 values" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bnn_topology t;
        bnn_error err;
        assert_true(parse(&t, wrong[i].text, &err) < 0);
        assert_string_equal(err.message, wrong[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_of_cnv),
        cmocka_unit_test(prints_what_it_parsed),
        cmocka_unit_test(mistakes_are_told_with_line_and_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
