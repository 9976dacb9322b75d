/* output.h -- standard output that notices when it fails, and a progress bar. */
#ifndef BNN_TOOLS_OUTPUT_H
#define BNN_TOOLS_OUTPUT_H

#include "tool.h"

#include <jansson.h>
#include <time.h>

/* To standard output. The first failure is kept for tool_flush; what is
 * printed after it is dropped, so long loops call tool_flush now and then. */
void tool_print(const char *format, ...) TOOL_PRINTF(1, 2);
void tool_write(const void *data, size_t size);
/* Text from a file, or a file's name: control characters as '?', so that a
 * line stays one line and no terminal obeys it. */
void tool_print_text(const char *text, size_t size);
void tool_print_name(const char *name);
/* EIO when anything printed so far did not arrive. */
int  tool_flush(bnn_error *err);

/* One JSON document and a newline; consumes the reference to `value`. */
void    tool_print_json(json_t *value, size_t flags);
/* A JSON string of any bytes: those that are not UTF-8 become U+FFFD. */
json_t *tool_json_text(const char *text);

/* A bar on standard error, shown only on a terminal and after a second. */
typedef struct tool_progress {
    const char *what;
    double      started, drawn; /* seconds; drawn = 0: not yet */
    int         terminal;
} tool_progress;

tool_progress tool_progress_start(const char *what);
void          tool_progress_show(tool_progress *p, uint64_t done, uint64_t total);
void          tool_progress_end(tool_progress *p); /* wipes it */

double tool_seconds(void); /* monotonic */

/* "168,000": a count with its thousands apart. */
typedef struct tool_count { char text[32]; } tool_count;
tool_count tool_grouped(double n);

#endif
