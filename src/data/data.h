/* data.h -- pictures and data sets: one file a kind, one table.
 *
 * File bytes -> pixels (decode) -> the network's input shape (prepare, by its
 * input rule). To add a picture kind: NAME.c with a bnn_decoder, a line in the
 * table of decode.c, and seeds for tests/fuzz/fuzz_decode.c. To add a kind of
 * data set: NAME.c with a bnn_source_kind (source.h), and a line in the table
 * of source.c.
 *
 * Pixels and sizes are those that Pillow 9.4 gives, byte for byte, for PNG in
 * modes 1, L, LA, P, RGB and RGBA (docs/data.md says where we differ elsewhere).
 */
#ifndef BNN_DATA_DATA_H
#define BNN_DATA_DATA_H

#include "net/rule.h"

/* Pixels as decoded, by Pillow's names. 1 holds bytes 0 and 255; CMYK is ink, 255 = full. */
enum bnn_mode { BNN_MODE_1, BNN_MODE_L, BNN_MODE_LA, BNN_MODE_P, BNN_MODE_RGB, BNN_MODE_RGBA, BNN_MODE_CMYK };

typedef struct bnn_picture {
    uint32_t      height, width; /* of the pixels */
    enum bnn_mode mode;
    uint8_t      *pixels;        /* height x width x bnn_mode_channels(mode) */
    uint8_t       palette[768];  /* of mode P: 256 x R,G,B. Alpha is never looked at (prepare.c) */
    uint32_t      scale;         /* a JPEG may be decoded at 1/scale: 1, 2, 4 or 8 */
    uint32_t      full_height, full_width; /* before that scaling */
} bnn_picture;

enum {
    BNN_MAX_PIXELS       = 1 << 27, /* of one decoded picture: beyond is refused as a bomb */
    BNN_MAX_PICTURE_SIDE = 65535,   /* as JPEG's */
};

static inline uint32_t bnn_mode_channels(enum bnn_mode mode)
{
    switch (mode) {
    case BNN_MODE_LA:   return 2;
    case BNN_MODE_RGB:  return 3;
    case BNN_MODE_RGBA:
    case BNN_MODE_CMYK: return 4;
    default:            return 1;
    }
}

/* 1, L and LA: a picture of one channel. */
static inline bool bnn_mode_is_grey(enum bnn_mode mode)
{
    return mode == BNN_MODE_1 || mode == BNN_MODE_L || mode == BNN_MODE_LA;
}

/* ITU-R 601 luma in 16-bit fixed point, as Pillow's convert("L"). */
static inline uint8_t bnn_luma(const uint8_t *rgb)
{
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* ------------------------------------------------------------- decoding -- */

/* What a decoder is given. */
typedef struct bnn_decode_job {
    const uint8_t  *data;
    size_t          size;
    const char     *path;        /* for messages */
    const bnn_rule *rule;        /* what the picture is for, or NULL: a JPEG may be decoded smaller for it */
    bool            header_only; /* sizes and mode, no pixels */
} bnn_decode_job;

typedef struct bnn_decoder {
    const char *name; /* "PNG" */
    bool (*matches)(const uint8_t *head, size_t size);
    int  (*decode)(bnn_picture *out, const bnn_decode_job *job, bnn_error *err);
} bnn_decoder;

extern const bnn_decoder bnn_decoder_png, bnn_decoder_jpeg, bnn_decoder_pnm;

/* PNG, JPEG or PNM (P1 to P6) by content. EMAGIC, ECORRUPT, EVERSION (a variant
 * that is not supported), ESHAPE (too large), ENOMEM. */
int  bnn_picture_decode(bnn_picture *out, const bnn_decode_job *job, bnn_error *err);
void bnn_picture_free(bnn_picture *p);
/* The decoder of a file that starts with these bytes, or NULL. */
const bnn_decoder *bnn_decoder_of(const uint8_t *head, size_t size);

/* A picture of this size, pixels allocated (zeros). ESHAPE beyond the limits above, ENOMEM. */
int  bnn_picture_new(bnn_picture *out, uint32_t height, uint32_t width, enum bnn_mode mode, bnn_error *err);
/* ESHAPE "path: NAME of WxH pixels; ..." beyond the limits above, or without pixels. */
int  bnn_picture_check_size(const bnn_decode_job *job, const char *name, uint64_t height, uint64_t width, bnn_error *err);

/* ------------------------------------------------------------- resizing -- */

enum bnn_filter { BNN_BICUBIC, BNN_LANCZOS };

/* Pillow's img.resize((width, height), filter); nearest for modes 1 and P. ENOMEM. */
int bnn_resize(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width, enum bnn_filter filter, bnn_error *err);
/* Pillow's img.thumbnail((width, height), filter): the largest size of the same
 * aspect within these bounds, never larger than the picture. ENOMEM. */
int bnn_thumbnail(bnn_picture *out, const bnn_picture *in, uint32_t height, uint32_t width, enum bnn_filter filter, bnn_error *err);
/* The size that bnn_thumbnail gives to a picture of height x width. */
void bnn_thumbnail_size(uint32_t height, uint32_t width, uint32_t *out_height, uint32_t *out_width);

/* ------------------------------------------------------------ preparing -- */

/* Applies the geometry of a rule: `out` gets bnn_shape_size(rule->shape) bytes.
 *
 * Colour: BNN-PYNQ's image_to_cifar: img.thumbnail((w, h), LANCZOS), pasted
 * without a mask in the middle of the background; R, G and B are taken and alpha
 * is ignored, so transparent pixels show the colour that they store.
 * Grey: the picture is converted to mode L first (a JPEG after it was decoded
 * smaller), then the same in L, on the L value of the background. Fit stretch:
 * img.resize((w, h), LANCZOS) instead. Then the centre crop, then invert. ENOMEM, ESHAPE. */
int  bnn_prepare(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err);
/* As bnn_prepare, for a photograph of a dark digit on paper (photo.c). The rule
 * is grey; its size, fit, background and invert do not take part. ENOMEM, ESHAPE. */
int  bnn_prepare_photo(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err);

/* The picture in mode L (as Pillow's convert("L")) or RGB (as convert("RGBA") less its alpha). ENOMEM. */
int  bnn_picture_convert(bnn_picture *out, const bnn_picture *in, enum bnn_mode mode, bnn_error *err);

#endif
