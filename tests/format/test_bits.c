/* test_bits.c -- output thresholds against every choice there is, where that can be tried. */
#include "format/pynq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 60, RANGE = 12 };

static const char lfc[] = "input 28x28x1 bit\ndense 1024 w1 a1\ndense 1024 w1 a1\ndense 1024 w1 a1\n";

static bnn_network *make_network(const char *end, uint32_t classes)
{
    char text[256];
    bnn_topology t;
    bnn_network *net;
    snprintf(text, sizeof text, "%sdense %u w1 %s\n", lfc, classes, end);
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_network_new(&net, &t, NULL), BNN_OK);
    assert_int_equal(bnn_network_finish(net, NULL), BNN_OK);
    return net;
}

/* The label of the original: the highest bit. */
static uint16_t decode(const int32_t *scores, const int32_t *t, uint32_t classes)
{
    uint16_t label = 0;
    for (uint32_t k = 1; k < classes; k++)
        if (scores[k] >= t[k])
            label = (uint16_t)k;
    return label;
}

static size_t right_with(const int32_t *scores, const uint16_t *labels, const int32_t *t, uint32_t classes)
{
    size_t right = 0;
    for (size_t i = 0; i < COUNT; i++)
        right += decode(scores + i * classes, t, classes) == labels[i];
    return right;
}

/* Scores of a class are higher, more or less, on images of it. */
static void draw(int32_t *scores, uint16_t *labels, uint32_t classes)
{
    for (size_t i = 0; i < COUNT; i++) {
        labels[i] = (uint16_t)((unsigned)rand() % classes);
        for (uint32_t k = 0; k < classes; k++)
            scores[i * classes + k] = rand() % RANGE - RANGE / 2 + (labels[i] == k ? rand() % 6 : 0);
    }
}

static size_t best_of_all(const int32_t *scores, const uint16_t *labels)
{
    size_t best = 0;
    int32_t t[4] = { 0 };
    for (t[1] = -RANGE; t[1] <= RANGE; t[1]++)
        for (t[2] = -RANGE; t[2] <= RANGE; t[2]++)
            for (t[3] = -RANGE; t[3] <= RANGE; t[3]++) {
                const size_t right = right_with(scores, labels, t, 4);
                best = right > best ? right : best;
            }
    return best;
}

static void chooses_the_best(void **state)
{
    (void)state;
    int32_t scores[COUNT * 4];
    uint16_t labels[COUNT];
    bnn_network *net = make_network("scores", 4), *bits;
    for (unsigned seed = 1; seed <= 20; seed++) {
        size_t correct = 0;
        srand(seed);
        draw(scores, labels, 4);
        assert_int_equal(bnn_network_choose_bits(&bits, net, scores, labels, COUNT, &correct, NULL), BNN_OK);
        const bnn_matrix *last = &bits->matrix[3];
        assert_int_equal(correct, best_of_all(scores, labels));
        assert_int_equal(correct, right_with(scores, labels, last->thresholds, 4));
        assert_int_equal(bits->classes, 4);
        assert_true(last->thresholds[0] > 1024); /* never fires: 0 is the answer when nothing does */
        assert_true(last->thresholds[4] > 1024 && last->thresholds[63] > 1024);
        bnn_network_close(bits);
    }
    bnn_network_close(net);
}

/* Of thresholds that are equally good, the middle: 0 and 10 are told apart by 5. */
static void stays_away_from_the_scores(void **state)
{
    (void)state;
    const int32_t scores[4] = { 0, 0, 0, 10 }; /* two images, two classes */
    const uint16_t labels[2] = { 0, 1 };
    bnn_network *net = make_network("scores", 2), *bits;
    assert_int_equal(bnn_network_choose_bits(&bits, net, scores, labels, 2, NULL, NULL), BNN_OK);
    assert_in_range(bits->matrix[3].thresholds[1], 5, 6);
    bnn_network_close(bits);
    bnn_network_close(net);
}

/* Scores of bits are less their thresholds already. */
static void adds_to_thresholds_that_are_there(void **state)
{
    (void)state;
    const int32_t scores[4] = { 0, 0, 0, 10 };
    const uint16_t labels[2] = { 0, 1 };
    bnn_network *net = make_network("bits", 2), *bits;
    net->matrix[3].thresholds[1] = 100;
    assert_int_equal(bnn_network_choose_bits(&bits, net, scores, labels, 2, NULL, NULL), BNN_OK);
    assert_in_range(bits->matrix[3].thresholds[1], 105, 106);
    bnn_network_close(bits);
    bnn_network_close(net);
}

static void tells_what_it_cannot_do(void **state)
{
    (void)state;
    const int32_t scores[2] = { 0 };
    uint16_t label = 2;
    bnn_error err;
    bnn_network *net = make_network("scores", 2), *bits = NULL;
    assert_int_equal(bnn_network_choose_bits(&bits, net, scores, &label, 1, NULL, &err), BNN_EINVAL);
    assert_string_equal(err.message, "image 0 has label 2; the network has classes 0 to 1");
    assert_int_equal(bnn_network_choose_bits(&bits, net, scores, &label, 0, NULL, &err), BNN_EINVAL);
    assert_null(bits);
    bnn_network_close(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_best),
        cmocka_unit_test(stays_away_from_the_scores),
        cmocka_unit_test(adds_to_thresholds_that_are_there),
        cmocka_unit_test(tells_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
