/* text.c -- lines, words, numbers. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool bnn_next_line(bnn_span *text, bnn_span *line)
{
    if (text->size == 0)
        return false;
    const char *end = memchr(text->at, '\n', text->size);
    const size_t size = end ? (size_t)(end - text->at) : text->size;
    *line = (bnn_span){ text->at, size };
    *text = bnn_span_skip(*text, end ? size + 1 : size);
    const char *comment = memchr(line->at, '#', line->size);
    if (comment)
        line->size = (size_t)(comment - line->at);
    if (line->size > 0 && line->at[line->size - 1] == '\r')
        line->size--;
    return true;
}

bool bnn_next_word(bnn_span *line, bnn_span *word)
{
    size_t a = 0, b;
    while (a < line->size && is_blank(line->at[a]))
        a++;
    for (b = a; b < line->size && !is_blank(line->at[b]);)
        b++;
    *word = (bnn_span){ line->at + a, b - a };
    *line = bnn_span_skip(*line, b);
    return word->size > 0;
}

bool bnn_span_is(bnn_span s, const char *text)
{
    return strlen(text) == s.size && memcmp(s.at, text, s.size) == 0;
}

bool bnn_span_starts(bnn_span s, const char *prefix)
{
    const size_t n = strlen(prefix);
    return s.size >= n && memcmp(s.at, prefix, n) == 0;
}

bnn_span bnn_span_skip(bnn_span s, size_t n)
{
    return (bnn_span){ s.at + n, s.size - n };
}

bool bnn_span_number(bnn_span s, uint32_t *out)
{
    uint32_t v = 0;
    if (s.size == 0 || s.size > 9)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        v = 10 * v + (uint32_t)(s.at[i] - '0');
    }
    *out = v;
    return true;
}

size_t bnn_span_numbers(bnn_span s, char separator, uint32_t *out, size_t room)
{
    for (size_t n = 0; n < room; n++) {
        const char *end = memchr(s.at, separator, s.size);
        const size_t size = end ? (size_t)(end - s.at) : s.size;
        if (!bnn_span_number((bnn_span){ s.at, size }, &out[n]))
            return 0;
        if (!end)
            return n + 1;
        s = bnn_span_skip(s, size + 1);
    }
    return 0;
}

void bnn_print(bnn_printer *p, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const size_t at = p->used < p->size ? p->used : p->size;
    const int n = vsnprintf(p->out ? p->out + at : NULL, p->out ? p->size - at : 0, fmt, args);
    va_end(args);
    if (n > 0)
        p->used += (size_t)n;
}
