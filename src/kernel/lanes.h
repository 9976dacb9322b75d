/* lanes.h -- the weight layout of the vector levels: a neuron a 32-bit lane.
 *
 * A vector of L lanes takes L neurons (a group) at once. A window is cut into
 * steps of 32 bits (or four 8-bit values); each step of a column (an output
 * pixel of an image) is broadcast to all lanes, and meets the step's weights:
 *
 *     weights  [group][step][plane][lane] of 32 bits
 *
 * They are read front to back whatever the shape of the layer, and padding
 * between pixels costs no steps. Windows of bits lie in the map as they are;
 * bytes are first laid out so that a window is one run (bnn_lanes_unroll). A
 * unit ends with v, a lane a neuron:
 *
 *     input, weights              v                       sum of the unit
 *     1 bit, 1 bit                differing positions d   MW - 2 v
 *     1 bit, ternary              d where w is not 0      count(w) - 2 v
 *     ternary, any                2 d - count(both)       -v
 *     8 bits (as x + 128), any    (x + 128) . (-w)        -128 sum(w) - v
 *
 * so that, with a bound a neuron made once, "sum >= threshold" is v <= bound,
 * and a sum is base - factor v.
 */
#ifndef BNN_KERNEL_LANES_H
#define BNN_KERNEL_LANES_H

#include "kernel/kernel.h"

#include <string.h>

typedef struct bnn_lanes {
    uint32_t        lanes, groups, steps;
    const uint32_t *step;    /* [steps] where a window's dwords lie, from its first, in dwords; bits only */
    const int32_t  *bound;   /* [2][groups x lanes] fires when v <= bound; [0] the smaller of two */
    const int16_t  *narrow;  /* the same in 16 bits where every v fits them, |v| <= MW; else NULL */
    const int32_t  *base;    /* [groups x lanes] */
    int32_t         factor;  /* sum = base - factor v */
    uint32_t        plane;   /* dwords from plane 0 of an input pixel to plane 1 */
    const uint32_t *weights;
} bnn_lanes;

enum { BNN_LANES_ALIGN = 64 };

static inline size_t bnn_lanes_align(size_t bytes)
{
    return (bytes + BNN_LANES_ALIGN - 1) / BNN_LANES_ALIGN * BNN_LANES_ALIGN;
}

/* Dwords of a window: those that hold channels, or four bytes each. */
static inline uint32_t bnn_lanes_steps(const bnn_mvtu *m)
{
    return m->in_planes == 0 ? (m->MW + 3) / 4 : m->kh * m->kw * ((m->in_channels + 31) / 32);
}

static inline bool bnn_lanes_are_narrow(const bnn_mvtu *m)
{
    return m->in_planes > 0 && m->thresholds > 0 && m->MW <= INT16_MAX;
}

/* The parts of a block of packed weights. */
static inline bnn_lanes bnn_lanes_of(const bnn_mvtu *m, uint32_t lanes)
{
    const uint32_t groups = (m->MH + lanes - 1) / lanes, steps = bnn_lanes_steps(m);
    const uint8_t *at = m->weights;
    bnn_lanes l = { .lanes = lanes, .groups = groups, .steps = steps,
                    .factor = m->in_planes == 1 ? 2 : 1, .plane = (uint32_t)bnn_plane_words(m->in_channels) * 2 };
    l.step = (const uint32_t *)(const void *)at;
    at += m->in_planes ? bnn_lanes_align(steps * (size_t)4) : 0;
    l.bound = (const int32_t *)(const void *)at;
    at += bnn_lanes_align((size_t)groups * lanes * 8);
    l.narrow = bnn_lanes_are_narrow(m) ? (const int16_t *)(const void *)at : NULL;
    at += bnn_lanes_are_narrow(m) ? bnn_lanes_align((size_t)groups * lanes * 4) : 0;
    l.base = (const int32_t *)(const void *)at;
    at += bnn_lanes_align((size_t)groups * lanes * 4);
    l.weights = (const uint32_t *)(const void *)at;
    return l;
}

/* The bodies of weight_size and weight_pack. */
size_t bnn_lanes_size(const bnn_mvtu *m, uint32_t lanes);
void   bnn_lanes_pack(void *out, const bnn_mvtu *m, const uint64_t *natural, uint32_t lanes);

/* Walks the columns of a batch: windows in the maps x, pixels of the maps y. */
typedef struct bnn_columns {
    const uint8_t *x;
    uint8_t       *y;
    size_t         in_pixel, in_row, in_size, out_pixel; /* bytes */
    const uint8_t *image;
    uint32_t       ox, oy, width, height;
} bnn_columns;

/* Columns of maps of bits. */
static inline bnn_columns bnn_columns_of(const bnn_mvtu *m, const void *x, void *y)
{
    const size_t pixel = bnn_mvtu_in_pixel(m);
    return (bnn_columns){ .x = x, .y = y, .image = x, .in_pixel = pixel, .in_row = pixel * m->in_width,
                          .in_size = bnn_mvtu_in_size(m), .out_pixel = bnn_mvtu_out_pixel(m),
                          .width = m->out_width, .height = m->out_height };
}

static inline void bnn_columns_next(bnn_columns *c)
{
    c->y += c->out_pixel;
    c->x += c->in_pixel;
    if (++c->ox < c->width)
        return;
    c->ox = 0;
    if (++c->oy == c->height) {
        c->oy = 0;
        c->image += c->in_size;
    }
    c->x = c->image + c->oy * c->in_row;
}

/* 8-bit maps. A window of kh x kw pixels is three runs of bytes for K = 3; with
 * the pixels of each column of the window side by side,
 *
 *     out[oy][x][ky][c] = map[oy + ky][x][c] + 128
 *
 * it is one, of kw x kh x C bytes from out[oy][ox], and neighbours share most
 * of it: kh times the map, where copying each window takes kh kw times. */

/* Images unrolled at once: enough for a block of eight columns. */
static inline size_t bnn_lanes_images(const bnn_mvtu *m)
{
    return m->out_height * m->out_width >= 8 ? 1 : 8;
}

size_t bnn_lanes_scratch(const bnn_mvtu *m); /* 0 for bits */
/* Unrolls up to bnn_lanes_images(m) maps; gives their columns. Bytes after the last window may be read up to a step. */
bnn_columns bnn_lanes_unroll(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch);

#endif
