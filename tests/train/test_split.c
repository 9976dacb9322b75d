/* test_split.c -- what is kept out for validation, and windows in pictures larger than the input. */
#include "train/augment.h"
#include "train/split.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { COUNT = 400 };

/* Pictures of one pixel, which is their number modulo 256. */
static bnn_samples numbered(void)
{
    bnn_samples s = { bnn_alloc(COUNT, 1), bnn_alloc(COUNT, sizeof(uint16_t)), COUNT, 1, { 1, 1, 1 } };
    for (int i = 0; i < COUNT; i++) {
        s.images[i] = (uint8_t)i;
        s.labels[i] = (uint16_t)(i / 100);
    }
    return s;
}

/* Groups of ten, of which one in ten goes, whole and at even distances. */
static void groups_stay_together(void **state)
{
    uint32_t groups[COUNT];
    bnn_samples s = numbered(), kept;
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        groups[i] = i / 10 * 10;
    assert_int_equal(bnn_samples_keep_out(&s, &kept, COUNT / 10, groups, NULL), BNN_OK);
    assert_int_equal(kept.count, 40);
    assert_int_equal(s.count, 360);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(kept.images[i], (uint8_t)(i / 10 * 100 + 40 + i % 10));
    bnn_samples_free(&s);
    bnn_samples_free(&kept);
}

/* Images of one group may be anywhere in the set. */
static void groups_may_be_scattered(void **state)
{
    uint32_t groups[COUNT];
    bnn_samples s = numbered(), kept;
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++)
        groups[i] = i % 4;
    assert_int_equal(bnn_samples_keep_out(&s, &kept, 100, groups, NULL), BNN_OK);
    assert_int_equal(kept.count, 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(kept.images[i], (uint8_t)(4 * i + 1)); /* group 1: the first by which half of it is due */
    bnn_samples_free(&s);
    bnn_samples_free(&kept);
}

static void bad_groups_are_refused(void **state)
{
    uint32_t groups[COUNT] = { 0 };
    bnn_samples s = numbered(), kept;
    bnn_error err;
    (void)state;
    assert_int_equal(bnn_samples_keep_out(&s, &kept, 40, groups, &err), BNN_EINVAL);
    assert_string_equal(err.message, "0 of 400 images kept out for validation, in whole groups; expected some to stay and some to go");
    groups[3] = COUNT;
    assert_int_equal(bnn_samples_keep_out(&s, &kept, 40, groups, &err), BNN_EINVAL);
    assert_string_equal(err.message, "image 3 is of group 400; expected less than the 400 images");
    bnn_samples_free(&s);
}

static const bnn_shape large = { 9, 12, 3 }, small = { 5, 6, 3 };

static void fill(uint8_t *picture)
{
    bnn_random r = bnn_random_at(1, BNN_FOR_WEIGHTS, 0);
    for (size_t i = 0; i < bnn_shape_size(large); i++)
        picture[i] = (uint8_t)bnn_random_next(&r);
}

/* Where in `in` the window lies, as y * 100 + x; -1 = nowhere. */
static int place_of(const uint8_t *in, const uint8_t *window)
{
    for (uint32_t top = 0; top + small.height <= large.height; top++)
        for (uint32_t left = 0; left + small.width <= large.width; left++) {
            uint32_t y = 0;
            while (y < small.height && memcmp(in + ((top + y) * large.width + left) * 3, window + y * small.width * 3, small.width * 3) == 0)
                y++;
            if (y == small.height)
                return (int)(top * 100 + left);
        }
    return -1;
}

static void window_moves_within_the_picture(void **state)
{
    uint8_t in[9 * 12 * 3], out[5 * 6 * 3], centre[5 * 6 * 3];
    int seen[405] = { 0 };
    bnn_augment a;
    (void)state;
    fill(in);
    bnn_samples_centre(large, in, small, centre);
    assert_int_equal(place_of(in, centre), 203);
    bnn_random r = bnn_random_at(2, BNN_FOR_AUGMENT, 0);
    assert_int_equal(bnn_augment_parse(&a, "none", NULL), BNN_OK);
    bnn_augment_apply(&a, &r, large, in, small, out);
    assert_memory_equal(out, centre, sizeof out);
    assert_int_equal(bnn_augment_parse(&a, "shift=1", NULL), BNN_OK);
    for (int i = 0; i < 200; i++) {
        bnn_augment_apply(&a, &r, large, in, small, out);
        assert_true(place_of(in, out) >= 0);
        seen[place_of(in, out)] = 1;
    }
    for (int y = 1; y <= 3; y++)
        for (int x = 2; x <= 4; x++)
            assert_true(seen[y * 100 + x]);
}

/* Where nothing but the picture's middle is bright, a turned and enlarged window still has it in its middle. */
static void turns_about_the_centre(void **state)
{
    const bnn_shape from = { 9, 9, 1 }, to = { 5, 5, 1 };
    uint8_t in[81] = { 0 }, out[25];
    bnn_augment a;
    (void)state;
    in[4 * 9 + 4] = 255;
    assert_int_equal(bnn_augment_parse(&a, "rotate=180 scale=20", NULL), BNN_OK);
    bnn_random r = bnn_random_at(4, BNN_FOR_AUGMENT, 0);
    for (int k = 0; k < 20; k++) {
        bnn_augment_apply(&a, &r, from, in, to, out);
        assert_int_equal(out[12], 255);
    }
}

/* Equal pixels stay equal, brighter ones do not become darker. */
static void light_keeps_order(void **state)
{
    const bnn_shape s = { 16, 16, 1 };
    uint8_t in[256], out[256], different = 0;
    bnn_augment a;
    char text[64];
    (void)state;
    for (int i = 0; i < 256; i++)
        in[i] = (uint8_t)i;
    assert_int_equal(bnn_augment_parse(&a, "light=40", NULL), BNN_OK);
    bnn_augment_print(&a, text, sizeof text);
    assert_string_equal(text, "light=40");
    bnn_random r = bnn_random_at(3, BNN_FOR_AUGMENT, 0);
    for (int k = 0; k < 20; k++) {
        bnn_augment_apply(&a, &r, s, in, s, out);
        for (int i = 1; i < 256; i++)
            assert_true(out[i] >= out[i - 1]);
        different |= memcmp(in, out, 256) != 0;
    }
    assert_true(different);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_stay_together),
        cmocka_unit_test(groups_may_be_scattered),
        cmocka_unit_test(bad_groups_are_refused),
        cmocka_unit_test(window_moves_within_the_picture),
        cmocka_unit_test(turns_about_the_centre),
        cmocka_unit_test(light_keeps_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
