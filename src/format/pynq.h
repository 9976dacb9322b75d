/* pynq.h -- BNN-PYNQ parameter folders: what the files of the format share.
 *
 *     pynq_overlay.c  the five overlays, their foldings, and the arithmetic between words and thresholds
 *     pynq.c          reading a folder
 *     pynq_write.c    the canonical content of each file, and writing a folder
 *     pynq_rest.c     what the canonical form cannot hold, so that a folder is written again byte for byte
 *     pynq_bits.c     output thresholds for overlays that end in bits
 *     pynq_decode.c   the original's ways from scores to a label
 *     finnthesizer.c  the files that the original's converter makes of a trained archive (lasagne.h)
 *
 * A folder has files of 64-bit little-endian words: <L>-<P>-weights.bin and
 * <L>-<P>-thres.bin for layer L (those with weights, from 0) and processing
 * element P; net/folding.h says who is where. classes.txt has a name a line.
 */
#ifndef BNN_FORMAT_PYNQ_H
#define BNN_FORMAT_PYNQ_H

#include "base/file.h"
#include "net/folding.h"
#include "net/network.h"

#include <stdio.h>

enum { BNN_PYNQ_MAX_LAYERS = 9, BNN_PYNQ_ROWS = 64, BNN_PYNQ_NAME = 40 };

/* What the hardware compares with a threshold (strictly: it fires when acc > T). */
enum bnn_pynq_domain {
    BNN_PYNQ_POPCOUNT, /* equal bits over the padded width */
    BNN_PYNQ_DOT,      /* signed sum over the padded width */
    BNN_PYNQ_FIXED,    /* CNV layer 0: twice the signed sum, in 24 bits */
};

typedef struct bnn_pynq_layer {
    uint32_t             index; /* in the topology */
    uint32_t             nTH;   /* thresholds a neuron: 0, 1 or 2 */
    bnn_fold             fold;
    enum bnn_pynq_domain domain;
} bnn_pynq_layer;

/* One of the five overlays in one of the two variants, worked out. */
typedef struct bnn_pynq_overlay {
    const char     *name;       /* "cnvW1A1" */
    const char     *input_rule; /* what the original does to a picture */
    bool            workshop;   /* the 2017 variant: unsigned thresholds, truncated inputs */
    bnn_topology    topology;   /* ends in 64 rows: bits (LFC) or scores (CNV) */
    uint32_t        layers;
    bnn_pynq_layer  layer[BNN_PYNQ_MAX_LAYERS];
    const bnn_origin *origin;
} bnn_pynq_overlay;

/* `variant` is NULL, "xilinx" or "workshop". EINVAL for another name or a
 * network that the variant does not have. */
int bnn_pynq_overlay_find(bnn_pynq_overlay *out, const char *name, const char *variant, bnn_error *err);
/* The overlay of a topology with 1 to 64 rows at its end, in bits or scores. ESHAPE when there is none. */
int bnn_pynq_overlay_of(bnn_pynq_overlay *out, const bnn_topology *t, const char *variant, bnn_error *err);
/* Names of the five, NULL past the end. */
const char *bnn_pynq_overlay_name(size_t index);

/* The canonical threshold (fires when acc >= it, acc over the true width) of a
 * word. `padding` is the sum that the padding synapses add to every dot
 * product: their inputs are -1, so -1 for a weight +1. */
int32_t bnn_pynq_threshold_read(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, uint64_t word, int32_t padding);
/* The word for a canonical threshold, the padding weights being +1 (w1) or 0
 * (w2). *exact becomes false when the word cannot say it and some sum tells. */
uint64_t bnn_pynq_threshold_write(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, int32_t threshold, bool *exact);

static inline const bnn_layer *bnn_pynq_shape(const bnn_pynq_overlay *o, const bnn_pynq_layer *l)
{
    return &o->topology.layer[l->index];
}

/* "3-12-weights.bin", "3-12-thres.bin" */
static inline void bnn_pynq_file_name(char out[BNN_PYNQ_NAME], unsigned layer, unsigned pe, bool thresholds)
{
    snprintf(out, BNN_PYNQ_NAME, "%u-%u-%s.bin", layer, pe, thresholds ? "thres" : "weights");
}

/* The files of a folder: on the disk, or in memory before there is a folder. */
typedef struct bnn_pynq_file { char name[BNN_PYNQ_NAME]; uint8_t *data; size_t size; } bnn_pynq_file;
typedef struct bnn_pynq_source {
    const char          *path; /* of the folder, or for messages */
    const bnn_pynq_file *file; /* in memory, sorted by name; NULL = on the disk */
    size_t               files;
} bnn_pynq_source;

int bnn_pynq_source_open(bnn_file *out, const bnn_pynq_source *s, const char *name, bnn_error *err);
/* Reads a network of overlay `o`; NULL = the one that options, path or files tell. */
int bnn_pynq_read(bnn_network **out, const bnn_pynq_overlay *o, const bnn_pynq_source *source, const bnn_open_options *options,
                  bnn_error *err);

/* Content that this library gives a .bin file of a folder of `net`: what the
 * original's converter writes for the same numbers. *size is 0 for other
 * names. *exact as in bnn_pynq_threshold_write. Frozen: network files hold
 * differences to it. Free *out with bnn_free. */
int bnn_pynq_content(uint8_t **out, size_t *size, const bnn_pynq_overlay *o, const bnn_network *net, const char *name,
                     bool *exact, bnn_error *err);

/* The rest: how the files of the folder that a network came from differ from bnn_pynq_content. */
#define BNN_PYNQ_REST "bnn-pynq.rest"

typedef struct bnn_pynq_rest_file {
    char           name[256];
    uint32_t       size, crc, runs;
    const uint8_t *run; /* runs x (u32 at, u32 length, bytes) */
} bnn_pynq_rest_file;

typedef struct bnn_pynq_rest { bnn_pynq_rest_file *file; size_t files; } bnn_pynq_rest;

/* Notes it in `net`, as an extra. */
int  bnn_pynq_rest_keep(bnn_network *net, const bnn_pynq_overlay *o, const bnn_pynq_source *source, bnn_error *err);
/* Views into the extra. ECORRUPT. */
int  bnn_pynq_rest_open(bnn_pynq_rest *out, const bnn_extra *extra, bnn_error *err);
void bnn_pynq_rest_close(bnn_pynq_rest *rest);
const bnn_pynq_rest_file *bnn_pynq_rest_find(const bnn_pynq_rest *rest, const char *name);
/* Replaces a canonical content by the file's bytes. ECORRUPT when they are not what was noted. */
int  bnn_pynq_rest_apply(const bnn_pynq_rest_file *file, uint8_t **content, size_t *size, bnn_error *err);

/* pynq_decode.c: the decode rules and raw domain of an overlay. */
const bnn_origin *bnn_pynq_origin(const char *overlay, bool workshop);

#endif
