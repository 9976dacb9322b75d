/* detect.h -- where in a picture: tiles of several sizes classified in one batch, the best of those that overlap.
 *
 *     bnn_box boxes[100];
 *     size_t  n;
 *
 *     if (bnn_detect(run, pixels, shape, NULL, boxes, 100, &n, &err)) goto fail;
 *     for (size_t i = 0; i < n && i < 100; i++)
 *         printf("%s at %u,%u\n", bnn_network_class_name(net, boxes[i].label), boxes[i].x, boxes[i].y);
 *
 * A tile of scale 1 is as large as the pictures that the network's input rule
 * makes (before its crop), and each tile goes through that rule. Its class is
 * that of the largest score, and its lead how far that is above the second.
 * Tiles of the background class, or below the limits, are dropped. Then, the
 * largest lead first, a tile becomes a box and those that it overlaps go; the
 * ones of the same class among them are its votes.
 */
#ifndef BNN_DETECT_H
#define BNN_DETECT_H

#include <bnn/bnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bnn_box {
    uint32_t x, y;          /* top left corner, in pixels of the picture */
    uint32_t width, height;
    uint16_t label;
    int32_t  score;         /* of the label, as bnn_score gives it */
    int32_t  lead;          /* above the best other class */
    uint32_t votes;         /* tiles of the same class that overlap it, itself included */
} bnn_box;

typedef struct bnn_detect_options {
    const double *scales;     /* sides of tiles, 0.1 to 100; NULL = 1, 1.5, 2, 3 (default) */
    size_t        n_scales;
    double        stride;     /* between tiles, as a part of a tile's side, 0.01 to 1; 0 = 0.2 (default) */
    double        overlap;    /* a tile goes when more than this part of the smaller one lies in a box; 0 = 0.3 (default) */
    int32_t       min_score;  /* smallest score (default 0) */
    int32_t       min_lead;   /* smallest lead; 0 = an eighth of the last layer's inputs (default) */
    uint32_t      min_votes;  /* smallest number of votes; 0 = 2 (default) */
    uint32_t      reserved0;
    const char   *background; /* class that is no object; NULL = the one whose name begins with "not a", if any (default) */
    uint8_t       reserved[64];
} bnn_detect_options;

BNN_API void bnn_detect_options_default(bnn_detect_options *options);

/* `pixels`: height x width x channels, 1 = grey, 3 = RGB, 4 = RGBA. Up to
 * `capacity` boxes are written, largest lead first; `count` gets how many there
 * are. `options` NULL = defaults. EINVAL; ESHAPE when no tile fits in the
 * picture; ENOMEM, and what bnn_run returns. */
BNN_API int bnn_detect(bnn_runtime *runtime, const uint8_t *pixels, bnn_shape shape, const bnn_detect_options *options,
                       bnn_box *boxes, size_t capacity, size_t *count, bnn_error *err);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BNN_DETECT_H */
