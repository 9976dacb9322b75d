/* test_error.c -- messages are one line that fits, and what is wrong is never what is cut off. */
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A path of `length` bytes: slashes, and characters of two bytes. */
static void long_path(char *path, size_t length)
{
    memset(path, '/', length);
    for (size_t i = 1; i + 1 < length; i += 3)
        memcpy(path + i, "\xc3\xbc", 2);
    path[length] = 0;
}

static bool whole_characters(const char *s)
{
    for (; *s; s++)
        if (*s == '\xc3' ? *++s != '\xbc' : *s == '\xbc')
            return false;
    return true;
}

static void what_fits_stays(void **state)
{
    bnn_error err;
    (void)state;
    assert_int_equal(bnn_fail(&err, BNN_EMAGIC, "%s: not a picture", "a\nb"), BNN_EMAGIC);
    assert_string_equal(err.message, "a?b: not a picture");
    assert_int_equal(bnn_fail_prefix(&err, "folder"), BNN_EMAGIC);
    assert_string_equal(err.message, "folder: a?b: not a picture");
}

static void long_paths_lose_their_middle(void **state)
{
    static const char reason[] = "end.png: 17 bytes; expected 18";
    char path[4096];
    bnn_error err;
    (void)state;
    for (size_t length = 440; length < 480; length++) {
        const size_t whole = length + strlen(reason);
        long_path(path, length);
        bnn_fail_at(&err, BNN_ECORRUPT, 17, "%s%s", path, reason);
        assert_true(err.code == BNN_ECORRUPT && err.offset == 17);
        assert_true(strlen(err.message) == whole || whole >= sizeof err.message);
        assert_true((strstr(err.message, "...") != NULL) == (whole >= sizeof err.message));
        assert_string_equal(err.message + strlen(err.message) - strlen(reason), reason);
        assert_true(whole_characters(err.message));
    }
    long_path(path, sizeof path - 1);
    bnn_fail(&err, BNN_EIO, "%s%s", path, reason);
    bnn_fail_prefix(&err, path);
    assert_true(strlen(err.message) > sizeof err.message - 8);
    assert_string_equal(err.message + strlen(err.message) - strlen(reason), reason);
    assert_memory_equal(err.message, path, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays),
        cmocka_unit_test(long_paths_lose_their_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
