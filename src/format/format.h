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

extern const bnn_format bnn_format_network_file; /* network_file.c: ours */
extern const bnn_format bnn_format_pynq;         /* pynq.c: BNN-PYNQ parameter folders */
extern const bnn_format bnn_format_lasagne;      /* lasagne.c: trained archives of the original's scripts */

/* Our network file in memory; free *out with bnn_free. The same network gives the same bytes. */
int bnn_network_write(uint8_t **out, size_t *size, const bnn_network *net, bnn_error *err);

/* Gives a network read from our file the origin that its metadata names. A
 * name that is not known, or of another topology, is ECORRUPT. */
int bnn_origin_find(const bnn_origin **out, const char *name, const bnn_topology *t, bnn_error *err);

#endif
