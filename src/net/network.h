/* network.h -- a network: topology, parameters, input rule, names, provenance.
 *
 * Built by a reader or by the trainer, then immutable:
 *
 *     bnn_network_new -> fill matrix[], rule, names, texts -> bnn_network_finish
 *
 * Canonical arithmetic (the only one inside the library):
 *   weights      plane 0: bit 1 = +1; w1: bit 0 = -1. w2 has a plane 1, "nonzero":
 *                value = plane1 ? (plane0 ? +1 : -1) : 0; plane 0 is 0 where plane 1 is.
 *   activations  the same two planes.
 *   acc          signed dot product over the MW true synapses, int32.
 *   a1           +1 if acc >= T, else -1.
 *   a2           -1 + (acc >= T0) + (acc >= T1); T0 and T1 in any order.
 *   score        acc of the last layer, or acc - T where it has a threshold.
 */
#ifndef BNN_NET_NETWORK_H
#define BNN_NET_NETWORK_H

#include "net/rule.h"
#include "net/topology.h"

/* Parameters of one layer (both NULL for maxpool). */
typedef struct bnn_matrix {
    uint64_t *weights;    /* [MH][weight_bits][bnn_row_words]: bit s % 64 of word s / 64 is synapse s; padding 0 */
    int32_t  *thresholds; /* [MH][thresholds] */
} bnn_matrix;

enum {
    BNN_THRESHOLD_LIMIT = 1 << 30, /* |T| is at most this, so acc - T fits */
    BNN_MAX_TEXTS       = 1024,    /* of provenance */
};

/* From scores to a label. The core has one, argmax; formats bring others
 * (format/pynq_decode.c). `classes` of the `rows` scores take part. */
typedef struct bnn_decode {
    const char *name;
    uint32_t  (*label)(const int32_t *scores, uint32_t classes, const bnn_layer *last);
} bnn_decode;

extern const bnn_decode bnn_decode_argmax; /* the largest score, the first of equals */

/* What an origin adds to a network: its decode rules, and its domain of raw
 * outputs. NULL pointers = the core's. */
typedef struct bnn_origin {
    const char              *name;   /* as in the file's metadata, such as "bnn-pynq cnvW1A1 xilinx" */
    const bnn_decode *const *decode; /* NULL-terminated; the first is the default */
    int32_t                (*raw)(int32_t score, const bnn_layer *last);
} bnn_origin;

/* Opaque bytes that travel with a network so that its first format can be written again. */
typedef struct bnn_extra { char *name; uint8_t *data; size_t size; } bnn_extra;

typedef struct bnn_text { char *key, *value; } bnn_text;

struct bnn_network {
    bnn_topology      topology;
    bnn_matrix       *matrix;   /* [topology.layers] */
    bnn_rule          rule;
    uint32_t          classes;  /* <= rows of the last layer */
    char            **name;     /* [names] class names, UTF-8 */
    uint32_t          names;
    const bnn_origin *origin;   /* static; NULL = ours */
    bnn_extra        *extra;
    size_t            extras;
    bnn_text         *text;     /* provenance, sorted by key */
    size_t            texts;
    char             *topology_text, *rule_text;
    uint32_t          file_version;
    uint64_t          checksum; /* by bnn_network_finish */
};

/* A network with zeroed parameters, the default rule, and all rows as classes. ENOMEM, ESHAPE. */
int  bnn_network_new(bnn_network **out, const bnn_topology *t, bnn_error *err);

int  bnn_network_set_names(bnn_network *net, const char *const *names, uint32_t count, bnn_error *err);
int  bnn_network_set_text(bnn_network *net, const char *key, const char *value, bnn_error *err);
int  bnn_network_add_extra(bnn_network *net, const char *name, const void *data, size_t size, bnn_error *err);
const bnn_extra *bnn_network_find_extra(const bnn_network *net, const char *name);

/* Checks what a parser cannot promise (padding bits 0, planes consistent,
 * thresholds in range, classes within rows, table present), prints the texts,
 * computes the checksum. From here on the network is immutable. ECORRUPT, ESHAPE, ENOMEM. */
int  bnn_network_finish(bnn_network *net, bnn_error *err);

/* Value of a weight: -1, 0 or +1. */
int  bnn_weight_at(const bnn_layer *l, const bnn_matrix *m, uint32_t row, uint32_t synapse);
void bnn_weight_set(const bnn_layer *l, bnn_matrix *m, uint32_t row, uint32_t synapse, int value);

#endif
