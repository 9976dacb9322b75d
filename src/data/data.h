/* data.h -- pictures and data sets: one file a kind, one table.
 *
 * File bytes -> pixels (decode) -> the network's input shape (prepare, by its
 * input rule). To add a picture kind: a function in decode.c's table and a
 * fuzz target. To add a kind of data set: src/data/NAME.c with a bnn_source,
 * and a line in the table of dataset.c.
 */
#ifndef BNN_DATA_DATA_H
#define BNN_DATA_DATA_H

#include "net/rule.h"

/* Pixels as decoded. */
enum bnn_mode { BNN_MODE_L, BNN_MODE_RGB, BNN_MODE_RGBA, BNN_MODE_P }; /* as Pillow names them */

typedef struct bnn_picture {
    uint32_t      height, width;
    enum bnn_mode mode;
    uint8_t      *pixels;       /* height x width x 1, 3, 4 or 1 */
    uint8_t       palette[768]; /* of mode P: 256 x R,G,B */
    uint8_t       alpha[256];   /* of mode P: alpha of each entry; 255 where the file has none */
} bnn_picture;

enum { BNN_MAX_PIXELS = 1 << 27 }; /* of one decoded picture: beyond is refused as a bomb */

/* PNG, JPEG or PNM (P2, P3, P5, P6) by content; `path` is for messages. EMAGIC, ECORRUPT, ENOMEM. */
int  bnn_picture_decode(bnn_picture *out, const void *data, size_t size, const char *path, bnn_error *err);
void bnn_picture_free(bnn_picture *p);

/* Applies the geometry of a rule: `out` gets bnn_shape_size(rule->shape) bytes. ENOMEM, ESHAPE. */
int  bnn_prepare(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err);
/* As bnn_prepare, for a photograph of a dark digit on paper (`--input photo`). */
int  bnn_prepare_photo(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err);

#endif
