/* format.h -- network files: one file a format, one table.
 *
 * To add a format: write src/format/NAME.c with a bnn_format of a few
 * functions, add it to the table in format.c, add a fuzz target in tests/fuzz,
 * and a page or section in docs/format.md.
 */
#ifndef BNN_FORMAT_FORMAT_H
#define BNN_FORMAT_FORMAT_H

#include "net/network.h"

typedef struct bnn_format {
    const char *name; /* "bnn", "bnn-pynq" */
    /* Does `path` (a file or a folder) look like this format? By content. */
    bool (*matches)(const char *path);
    int  (*open)(bnn_network **out, const char *path, const bnn_open_options *options, bnn_error *err);
} bnn_format;

extern const bnn_format bnn_format_safetensors; /* safetensors.c: our network file */
extern const bnn_format bnn_format_pynq;        /* pynq.c: BNN-PYNQ parameter folders */

/* Gives a network read from our file the origin that its metadata names; a
 * name that is not known is ECORRUPT. */
int bnn_origin_find(const bnn_origin **out, const char *name, bnn_error *err);

#endif
