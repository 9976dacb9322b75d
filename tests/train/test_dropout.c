/* test_dropout.c -- what a step drops: how much, what is put there, and that no gradient passes it. */
#include "train/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 20000 };

static bnn_drop quarter(uint64_t seed) { return (bnn_drop){ bnn_random_at(seed, BNN_FOR_DROPOUT, 7), 16384, 0 }; }

/* What is dropped forward is what gets no gradient backward. */
static void drops_the_same_backward(void **state)
{
    static int8_t v[N];
    static float d[N];
    int dropped = 0;
    (void)state;
    for (int i = 0; i < N; i++) {
        v[i] = 1;
        d[i] = 1;
    }
    bnn_drop_values(quarter(1), v, 2, N);
    bnn_drop_gradient(quarter(1), d, N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(v[i], d[i] == 0 ? 0 : 1);
        dropped += v[i] == 0;
    }
    assert_in_range(dropped, N / 4 - 300, N / 4 + 300); /* 5 standard deviations */
}

/* One bit has no 0: half of what is dropped becomes each of -1 and +1. */
static void one_bit_is_a_coin(void **state)
{
    static int8_t v[2][N];
    int turned[2] = { 0, 0 };
    (void)state;
    for (int i = 0; i < N; i++) {
        v[0][i] = 1;
        v[1][i] = -1;
    }
    bnn_drop_values(quarter(2), v[0], 1, N);
    bnn_drop_values(quarter(2), v[1], 1, N);
    for (int i = 0; i < N; i++) {
        turned[0] += v[0][i] == -1;
        turned[1] += v[1][i] == 1;
        assert_true(v[0][i] == 1 || v[0][i] == -1);
        assert_false(v[0][i] == -1 && v[1][i] == 1); /* either the coin decided both, or nothing was dropped */
    }
    for (int i = 0; i < 2; i++)
        assert_in_range(turned[i], N / 8 - 240, N / 8 + 240);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_the_same_backward),
        cmocka_unit_test(one_bit_is_a_coin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
