/* error.c -- codes to text, and the one place that formats messages. */
#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* strerror is not thread safe everywhere, strerror_r is; POSIX's returns an
 * int, GNU's (with _GNU_SOURCE) the text, which need not be in `buffer`. */
static void errno_text(char *out, size_t size, int number)
{
    char buffer[128] = "";
#ifdef __GLIBC__
    const char *text = strerror_r(number, buffer, sizeof buffer);
#else
    const char *text = strerror_r(number, buffer, sizeof buffer) == 0 ? buffer : "unknown error";
#endif
    snprintf(out, size, "%s", text);
}

/* File names may hold anything; a message is one line of printable text. */
static void make_one_line(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

static bool within_character(char c) /* of UTF-8 */
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* What is too long loses its middle: mostly that of a path, since what is wrong comes last. */
static void shorten(char *out, size_t size, const char *text)
{
    const size_t length = strlen(text);
    if (length < size) {
        memcpy(out, text, length + 1);
        return;
    }
    size_t head = size / 4, tail = length - (size - sizeof "..." - head);
    while (within_character(text[head]))
        head--;
    while (within_character(text[tail]))
        tail++;
    snprintf(out, size, "%.*s...%s", (int)head, text, text + tail);
}

static int fail(bnn_error *err, int code, uint64_t offset, const char *fmt, va_list args)
{
    if (!err)
        return code;
    char text[PATH_MAX + sizeof err->message + 8]; /* a path before a message; the arguments may point into err */
    vsnprintf(text, sizeof text, fmt, args);
    make_one_line(text);
    err->code   = code;
    err->offset = offset;
    shorten(err->message, sizeof err->message, text);
    return code;
}

int bnn_fail(bnn_error *err, int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail(err, code, 0, fmt, args);
    va_end(args);
    return code;
}

int bnn_fail_at(bnn_error *err, int code, uint64_t offset, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail(err, code, offset, fmt, args);
    va_end(args);
    return code;
}

int bnn_fail_memory(bnn_error *err, size_t bytes)
{
    return bnn_fail(err, BNN_ENOMEM, "not enough memory: %zu bytes asked for", bytes);
}

int bnn_fail_errno(bnn_error *err, const char *what, const char *path)
{
    char text[128];
    errno_text(text, sizeof text, errno);
    return bnn_fail(err, errno == ENOMEM ? BNN_ENOMEM : BNN_EIO, "%s: %s: %s", path, what, text);
}

int bnn_fail_prefix(bnn_error *err, const char *prefix)
{
    if (!err)
        return BNN_EINVAL;
    const uint64_t offset = err->offset;
    bnn_fail(err, err->code, "%s: %s", prefix, err->message);
    err->offset = offset;
    return err->code;
}

const char *bnn_strerror(int code)
{
    switch (code) {
    case BNN_OK: return "ok";
#define X(name, value, text) case value: return text;
    BNN_ERROR_MAP(X)
#undef X
    default: return "unknown error";
    }
}

const char *bnn_err_name(int code)
{
    switch (code) {
    case BNN_OK: return "OK";
#define X(name, value, text) case value: return #name;
    BNN_ERROR_MAP(X)
#undef X
    default: return "EUNKNOWN";
    }
}
