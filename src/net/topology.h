/* topology.h -- the layers of a network and their shapes.
 *
 * Text form, one line a layer ('#' starts a comment):
 *
 *     input 32x32x3 uint8        height x width x channels; uint8 (8 bits) or bit (1 bit)
 *     conv 64 3x3 w1 a1          64 neurons, valid K x K windows, stride 1, K 1..7
 *     maxpool 2x2                halves height and width, which must be even
 *     dense 512 w2 a2            512 neurons on the map flattened in (y, x, channel) order
 *     dense <=64 w1 scores       the last layer: one row a class, here at most 64
 *
 * w1: weights -1, +1; w2: -1, 0, +1. a1, a2: activations likewise, by one or
 * two thresholds. The last layer ends in `scores` (its sums), or in `bits`
 * (thresholded; only imported networks have that).
 *
 * Letters of the field: MW = matrix width (inputs a neuron), MH = matrix
 * height (neurons). A synapse of a window is s = (ky * K + kx) * channels + c.
 */
#ifndef BNN_NET_TOPOLOGY_H
#define BNN_NET_TOPOLOGY_H

#include "base/error.h"

#include <stdbool.h>

/* Limits keep every sum within int32 and every size within memory. */
enum {
    BNN_MAX_LAYERS  = 64,
    BNN_MAX_SIDE    = 4096,      /* height, width */
    BNN_MAX_MAP     = 1 << 30,   /* values of one map */
    BNN_MAX_MH      = 65536,
    BNN_MAX_MW      = 1 << 22,   /* x 128 (8-bit inputs) < 2^31 */
    BNN_MAX_CLASSES = 1000,
    BNN_MAX_WINDOW  = 7,
};
#define BNN_MAX_WEIGHTS ((uint64_t)1 << 31) /* of one layer, in bits */

enum bnn_layer_kind { BNN_DENSE, BNN_CONV, BNN_MAXPOOL };

enum { BNN_BITS_SCORE = 32 }; /* output_bits of a layer that gives its sums */

typedef struct bnn_layer {
    enum bnn_layer_kind kind;
    bnn_shape in, out;
    uint32_t  kernel;      /* K of conv, 2 of maxpool, 0 of dense */
    uint32_t  MW, MH;      /* 0 of maxpool */
    uint32_t  weight_bits; /* 1 or 2; 0 of maxpool */
    uint32_t  input_bits;  /* 1, 2 or 8 */
    uint32_t  output_bits; /* 1, 2 or BNN_BITS_SCORE */
    uint32_t  thresholds;  /* a neuron: 0, 1 or 2 */
    bool      last_bits;   /* last layer thresholded: output_bits is 1 */
    bool      at_most;     /* last layer written with "<=": MH may become less */
} bnn_layer;

typedef struct bnn_topology {
    bnn_shape input;
    uint32_t  input_bits; /* 1 or 8 */
    uint32_t  layers;
    bnn_layer layer[BNN_MAX_LAYERS];
} bnn_topology;

/* ESHAPE or EINVAL with "line N: ..." when the text is no topology. */
int bnn_topology_parse(bnn_topology *out, const char *text, size_t size, bnn_error *err);

/* The canonical text (no comments), as network files hold it. Returns the
 * length that it needs, like snprintf. */
size_t bnn_topology_print(const bnn_topology *t, char *out, size_t size);

/* Gives the last layer `rows` rows: any number up to MH where it was written
 * with "<=", else only MH itself. ESHAPE. */
int bnn_topology_set_rows(bnn_topology *t, uint32_t rows, bnn_error *err);

/* True when the layers are the same (comments and "<=" aside). */
bool bnn_topology_equal(const bnn_topology *a, const bnn_topology *b);

static inline const bnn_layer *bnn_topology_last(const bnn_topology *t)
{
    return &t->layer[t->layers - 1];
}

/* Words of one plane of a weight row: 64 synapses a word. */
static inline size_t bnn_row_words(const bnn_layer *l) { return (l->MW + 63u) / 64u; }

/* Words of all weights of a layer: MH rows x weight_bits planes. */
static inline size_t bnn_weight_words(const bnn_layer *l)
{
    return (size_t)l->MH * l->weight_bits * bnn_row_words(l);
}

static inline size_t bnn_shape_size(bnn_shape s) { return (size_t)s.height * s.width * s.channels; }

/* Multiplications-and-additions counted as two operations. */
uint64_t bnn_layer_ops(const bnn_layer *l);

const char *bnn_layer_kind_name(enum bnn_layer_kind kind);

/* Where things of a kind that ship lie ("networks", "topologies", "rtl"); NULL
 * when nowhere; free with bnn_free. */
char *bnn_catalog_folder(const char *kind);

/* Finds a topology by name among those that ship, as a file, or as text (text
 * holds a newline), and parses it. EIO when there is none. */
int bnn_topology_open(bnn_topology *out, const char *name_path_or_text, bnn_error *err);

#endif
