/* text.h -- reading small texts word by word, and printing into bounded buffers. */
#ifndef BNN_BASE_TEXT_H
#define BNN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of a text that somebody else owns. */
typedef struct bnn_span { const char *at; size_t size; } bnn_span;

/* Takes the next line off `text`, without its end (LF or CRLF) and without a
 * '#' comment; false at the end of the text. */
bool bnn_next_line(bnn_span *text, bnn_span *line);
/* Takes the next word (between blanks) off `line`; false when there is none. */
bool bnn_next_word(bnn_span *line, bnn_span *word);

bool bnn_span_is(bnn_span s, const char *text);
bool bnn_span_starts(bnn_span s, const char *prefix);
bnn_span bnn_span_skip(bnn_span s, size_t n);
/* For messages: "%.*s" with BNN_SPAN(s), cut at 40 characters. */
#define BNN_SPAN(s) (int)((s).size < 40 ? (s).size : 40), (s).at

/* A decimal number of at most 9 digits, all of `s`. */
bool bnn_span_number(bnn_span s, uint32_t *out);
/* Numbers between separators: "28x28x1" is 3 with 'x'. Returns how many, 0 when malformed or over `room`. */
size_t bnn_span_numbers(bnn_span s, char separator, uint32_t *out, size_t room);

/* Appends formatted text; `used` counts what would have been written, as snprintf does. */
typedef struct bnn_printer { char *out; size_t size, used; } bnn_printer;
void bnn_print(bnn_printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
