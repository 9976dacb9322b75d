/* drawn_network.h -- a network of a given topology with drawn parameters: always the same one.
 *
 * Thresholds lie around the middle of what sums reach, some beyond both ends.
 */
#ifndef BNN_TESTS_DRAWN_NETWORK_H
#define BNN_TESTS_DRAWN_NETWORK_H

#include "net/network.h"

#include <math.h>

static inline uint32_t draw(uint64_t *state) /* xorshift64* */
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 2685821657736338717u >> 32);
}

static inline void draw_layer(uint64_t *state, const bnn_layer *l, bnn_matrix *m)
{
    const double spread = sqrt((double)l->MW) * (l->input_bits == 8 ? 74 : 1);
    for (uint32_t r = 0; r < l->MH; r++) {
        for (uint32_t s = 0; s < l->MW; s++)
            bnn_weight_set(l, m, r, s, l->weight_bits == 2 ? (int)(draw(state) % 3) - 1 : draw(state) % 2 ? 1 : -1);
        for (uint32_t k = 0; k < l->thresholds; k++) {
            const uint32_t kind = draw(state) % 64;
            const double at = (draw(state) % 2001 / 1000.0 - 1.0) * spread;
            m->thresholds[r * l->thresholds + k] = kind == 0 ? 1 << 20 : kind == 1 ? -(1 << 20) : (int32_t)at;
        }
    }
}

/* `topology`: as bnn_topology_open takes it. */
static inline int drawn_network(bnn_network **out, const char *topology, bnn_error *err)
{
    uint64_t state = 88172645463325252u;
    bnn_topology t;
    int rc = bnn_topology_open(&t, topology, err);
    if (rc == BNN_OK)
        rc = bnn_network_new(out, &t, err);
    for (uint32_t i = 0; rc == BNN_OK && i < t.layers; i++)
        if (t.layer[i].MH)
            draw_layer(&state, &t.layer[i], &(*out)->matrix[i]);
    return rc == BNN_OK ? bnn_network_finish(*out, err) : rc;
}

/* Noise, and now and then flat or striped pictures. */
static inline void draw_images(uint8_t *out, size_t pixels, size_t count)
{
    uint64_t state = 362436069362436069u;
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0; p < pixels; p++)
            *out++ = i % 8 == 6 ? (uint8_t)(i * 37) : i % 8 == 7 ? (uint8_t)(p % (i + 2) * 20) : (uint8_t)draw(&state);
}

#endif
