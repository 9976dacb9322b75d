/* curves.h -- the record of a training run: a row an epoch, as a table (CSV) and a drawing (SVG). */
#ifndef BNN_TOOLS_CURVES_H
#define BNN_TOOLS_CURVES_H

#include "tool.h"

typedef struct tool_epoch {
    uint32_t epoch;
    double   loss, accuracy, validation; /* validation -1 = none */
    double   learning_rate;
} tool_epoch;

typedef struct tool_curves {
    tool_epoch *row;
    size_t      rows, room;
} tool_curves;

/* Appends; rows of this epoch and later, left from before an interruption, go. */
int  tool_curves_add(tool_curves *c, const tool_epoch *e, bnn_error *err);
/* Reads back a table that tool_curves_write wrote; a file that is missing or another is empty. */
int  tool_curves_read(tool_curves *c, const char *csv, bnn_error *err);
/* Both files, each whole or not at all. EIO. */
int  tool_curves_write(const tool_curves *c, const char *csv, const char *svg, bnn_error *err);
void tool_curves_free(tool_curves *c);

#endif
