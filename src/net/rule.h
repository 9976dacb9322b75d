/* rule.h -- the input rule: how a picture becomes the input of a network.
 *
 * Two halves. Geometry (data/prepare.c): grey or colour, size, fit,
 * background, invert, centre crop; it gives uint8 pixels of the topology's
 * input shape. Values (the backend, by kernels): pixels to bits or to fixed
 * point.
 *
 * Text form, words in any order, as in network files and bnn_dataset_options:
 *
 *     size 40x40                 height x width the picture is brought to; the topology's
 *                                input, when smaller, is its centre (default: the input)
 *     fit thumbnail | stretch    keep the aspect, only shrink, centre on the background
 *                                (default), or resize to just that size
 *     background 255,255,255     R,G,B (default 0,0,0)
 *     grey | colour              default: by the topology's channels, 1 or 3
 *     invert                     v becomes 255 - v, after all else
 *     threshold 128              1-bit input: bit = v >= 128 (default)
 *     threshold mean             1-bit input: bit = v > floor(mean of the picture's values)
 *     threshold table            1-bit input: bit = v >= table[i]; the table is a tensor of the file
 *     threshold scaled           1-bit input: bit = v >= floor(mean * table[i] / 64), brought to 1..255;
 *                                mean rounded down
 *     round | truncate           8-bit input: q of spec section 6 (default), or q = v - 128
 */
#ifndef BNN_NET_RULE_H
#define BNN_NET_RULE_H

#include "net/topology.h"

enum bnn_fit { BNN_FIT_THUMBNAIL, BNN_FIT_STRETCH };
enum bnn_threshold_kind { BNN_THRESHOLD_CONSTANT, BNN_THRESHOLD_MEAN, BNN_THRESHOLD_TABLE, BNN_THRESHOLD_SCALED };

typedef struct bnn_rule {
    bnn_shape    shape;         /* of the network's input */
    uint32_t     bits;          /* 1 or 8 */
    uint32_t     height, width; /* the size before the crop; >= shape's */
    enum bnn_fit fit;
    uint8_t      background[3];
    bool         grey, invert;
    enum bnn_threshold_kind kind;
    uint8_t      threshold;     /* constant */
    uint8_t     *table;         /* owned; bnn_shape_size(shape) values; else NULL */
    bool         truncate;      /* 8 bits: q = v - 128 */
} bnn_rule;

/* The default rule of a topology. */
void bnn_rule_default(bnn_rule *out, const bnn_topology *t);

/* Reads text on top of the defaults. A table, when named, is still to be set. EINVAL, ESHAPE. */
int bnn_rule_parse(bnn_rule *out, const bnn_topology *t, const char *text, size_t size, bnn_error *err);
size_t bnn_rule_print(const bnn_rule *r, char *out, size_t size); /* as snprintf */
int  bnn_rule_copy(bnn_rule *out, const bnn_rule *from, bnn_error *err);
void bnn_rule_free(bnn_rule *r);

/* The fixed-point value of a byte, -128..127 (BNN-PYNQ: 8 bits, 7 of them
 * fraction; spec section 6). */
static inline int8_t bnn_rule_q(const bnn_rule *r, uint8_t v)
{
    if (r->truncate || v <= 127)
        return (int8_t)(v - 128);
    return (int8_t)(v == 255 ? 127 : v - 127);
}

static inline bool bnn_rule_has_table(const bnn_rule *r)
{
    return r->kind == BNN_THRESHOLD_TABLE || r->kind == BNN_THRESHOLD_SCALED;
}

/* What a whole picture has to do with its thresholds: of kinds constant and
 * mean the threshold itself, 0..256; of scaled the mean. */
unsigned bnn_rule_level(const bnn_rule *r, const uint8_t *pixels);

/* Threshold of pixel i in a picture of this level: bit = v >= it. */
static inline unsigned bnn_rule_threshold(const bnn_rule *r, unsigned level, size_t i)
{
    if (r->kind == BNN_THRESHOLD_TABLE)
        return r->table[i];
    if (r->kind != BNN_THRESHOLD_SCALED)
        return level;
    const unsigned t = level * r->table[i] / 64;
    return t < 1 ? 1 : t > 255 ? 255 : t;
}

/* The same of pixels first .. first + n - 1, where a kind has a table; else NULL. `room` is n bytes, which may hold them. */
const uint8_t *bnn_rule_thresholds(const bnn_rule *r, unsigned level, size_t first, size_t n, uint8_t *room);

#endif
