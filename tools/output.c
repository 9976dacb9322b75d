/* output.c -- standard output, JSON, progress. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int output_errno; /* of the first write that failed; standard output is one, so is this */

static void note_failure(int failed)
{
    if (failed && !output_errno)
        output_errno = errno ? errno : EIO;
}

void tool_print(const char *format, ...)
{
    va_list args;
    if (output_errno)
        return;
    va_start(args, format);
    note_failure(vprintf(format, args) < 0);
    va_end(args);
}

void tool_write(const void *data, size_t size)
{
    if (!output_errno)
        note_failure(fwrite(data, 1, size, stdout) != size);
}

void tool_print_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        tool_write(c < 0x20 || c == 0x7f ? "?" : text + i, 1);
    }
}

void tool_print_name(const char *name)
{
    tool_print_text(name, strlen(name));
}

int tool_flush(bnn_error *err)
{
    if (!output_errno)
        note_failure(fflush(stdout) != 0);
    if (output_errno)
        return tool_fail(err, BNN_EIO, "standard output: cannot write: %s", strerror(output_errno));
    return BNN_OK;
}

tool_count tool_grouped(double n)
{
    char digits[24];
    tool_count out;
    char *to = out.text;
    const int length = snprintf(digits, sizeof digits, "%.0f", n < 1e18 ? n : 1e18);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

/* ------------------------------------------------------------- JSON -- */

static int to_output(const char *data, size_t size, void *user)
{
    (void)user;
    tool_write(data, size);
    return 0;
}

void tool_print_json(json_t *value, size_t flags)
{
    json_dump_callback(value, to_output, NULL, flags | JSON_REAL_PRECISION(15));
    json_decref(value);
    tool_print("\n");
}

/* Length of the UTF-8 sequence at `s`, 0 when it is none (jansson checks the rest). */
static size_t sequence(const char *s)
{
    for (size_t n = 1; n <= 4; n++) {
        json_t *j = json_stringn(s, n);
        if (j) {
            json_decref(j);
            return n;
        }
        if (s[n] == '\0')
            break;
    }
    return 0;
}

json_t *tool_json_text(const char *text)
{
    json_t *j = json_string(text);
    if (j)
        return j;
    char   out[3 * 4096 + 1];
    size_t used = 0;
    while (*text && used + 4 < sizeof out) {
        const size_t n = sequence(text);
        memcpy(out + used, n ? text : "\xef\xbf\xbd", n ? n : 3);
        used += n ? n : 3;
        text += n ? n : 1;
    }
    return json_stringn(out, used);
}

/* --------------------------------------------------------- progress -- */

double tool_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

tool_progress tool_progress_start(const char *what)
{
    return (tool_progress){ .what = what, .started = tool_seconds(), .terminal = isatty(STDERR_FILENO) };
}

void tool_progress_show(tool_progress *p, uint64_t done, uint64_t total)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################";
    const double now = tool_seconds(), spent = now - p->started;
    if (!p->terminal || spent < 1 || now - p->drawn < 0.1 || done == 0)
        return;
    const double part = (double)done / (double)total;
    p->drawn = now;
    fprintf(stderr, "\r%s [%-*.*s] %3.0f %%, %llu of %llu, %.0f s left \033[K", p->what, WIDTH, (int)(part * WIDTH), full,
            100 * part, (unsigned long long)done, (unsigned long long)total, spent / part - spent);
    fflush(stderr);
}

void tool_progress_end(tool_progress *p)
{
    if (p->drawn > 0)
        fputs("\r\033[K", stderr);
    p->drawn = 0;
}
