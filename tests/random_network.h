/* random_network.h -- random numbers, and random networks of every shape a topology can have.
 *
 *     random_state r = { seed };
 *     bnn_network *net = random_network(&r);      NULL only when memory runs out
 *     uint8_t *images = random_images(&r, net, n);
 *
 * The same seed gives the same network. Shapes are odd on purpose: maps that
 * are not square, channels that fill no word, one neuron, windows of 1 to 7;
 * so are values: all equal, all different, thresholds never or always reached.
 */
#ifndef BNN_TESTS_RANDOM_NETWORK_H
#define BNN_TESTS_RANDOM_NETWORK_H

#include "base/mem.h"
#include "net/network.h"

#include <stdio.h>
#include <string.h>

typedef struct random_state { uint64_t state; } random_state;

static inline uint64_t random_bits(random_state *r) /* splitmix64 */
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* from low to high, both included */
static inline uint32_t random_between(random_state *r, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(random_bits(r) % (high - low + 1));
}

/* A number of channels or neurons: often on or beside a boundary of words and vectors. */
static inline uint32_t random_width(random_state *r, uint32_t most)
{
    static const uint32_t edge[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 192, 256 };
    const uint32_t n = random_bits(r) % 2 ? edge[random_bits(r) % (sizeof edge / sizeof *edge)] : random_between(r, 1, most);
    return n > most ? most : n;
}

/* About what sums of MW random signs reach; now and then beyond what they can. */
static inline int32_t random_threshold(random_state *r, uint32_t MW, uint32_t input_bits)
{
    const uint32_t span = (input_bits == 8 ? 64 : 1) * (MW / 4 + 2);
    switch (random_bits(r) % 16) {
    case 0: return -BNN_THRESHOLD_LIMIT;
    case 1: return BNN_THRESHOLD_LIMIT;
    case 2: return (int32_t)MW;
    case 3: return -(int32_t)MW;
    default: return (int32_t)random_between(r, 0, 2 * span) - (int32_t)span;
    }
}

static inline int random_weight(random_state *r, uint32_t fill, uint32_t weight_bits)
{
    if (fill < 3 && weight_bits == 2)
        return (int)fill - 1; /* all -1, 0 or +1 */
    if (fill < 2)
        return fill ? 1 : -1;
    const uint64_t v = random_bits(r);
    return weight_bits == 2 && v % 3 == 0 ? 0 : v & 1024 ? 1 : -1;
}

static inline void random_parameters(random_state *r, bnn_network *net)
{
    for (uint32_t i = 0; i < net->topology.layers; i++) {
        const bnn_layer *l = &net->topology.layer[i];
        for (uint32_t row = 0; row < l->MH; row++) {
            const uint32_t fill = (uint32_t)(random_bits(r) % 12);
            for (uint32_t s = 0; s < l->MW; s++)
                bnn_weight_set(l, &net->matrix[i], row, s, random_weight(r, fill, l->weight_bits));
            for (uint32_t t = 0; t < l->thresholds; t++)
                net->matrix[i].thresholds[row * l->thresholds + t] = random_threshold(r, l->MW, l->input_bits);
        }
    }
}

/* A topology as text. */
static inline void random_topology(random_state *r, char *out, size_t size)
{
    uint32_t height = random_between(r, 1, 14), width = random_between(r, 1, 14), channels = random_between(r, 1, 5);
    const uint32_t convs = random_between(r, 0, 3), denses = random_between(r, 0, 2);
    size_t n = (size_t)snprintf(out, size, "input %ux%ux%u %s\n", height, width, channels, random_bits(r) % 2 ? "uint8" : "bit");
    for (uint32_t i = 0; i < convs; i++) {
        const uint32_t side = height < width ? height : width, k = random_between(r, 1, side < 7 ? side : 7);
        n += (size_t)snprintf(out + n, size - n, "conv %u %ux%u w%u a%u\n", channels = random_width(r, 70), k, k,
                              random_between(r, 1, 2), random_between(r, 1, 2));
        height -= k - 1;
        width -= k - 1;
        if (height % 2 == 0 && width % 2 == 0 && random_bits(r) % 2) {
            n += (size_t)snprintf(out + n, size - n, "maxpool 2x2\n");
            height /= 2;
            width /= 2;
        }
    }
    for (uint32_t i = 0; i < denses; i++)
        n += (size_t)snprintf(out + n, size - n, "dense %u w%u a%u\n", random_width(r, 150), random_between(r, 1, 2), random_between(r, 1, 2));
    snprintf(out + n, size - n, "dense %u w%u %s\n", random_bits(r) % 16 ? random_width(r, 70) : 1000, random_between(r, 1, 2),
             random_bits(r) % 4 ? "scores" : "bits");
}

static inline bnn_network *random_network(random_state *r)
{
    bnn_topology t;
    bnn_network *net = NULL;
    char text[1024];
    random_topology(r, text, sizeof text);
    if (bnn_topology_parse(&t, text, strlen(text), NULL) != BNN_OK || bnn_network_new(&net, &t, NULL) != BNN_OK)
        return NULL;
    random_parameters(r, net);
    net->rule.truncate = t.input_bits == 8 && random_bits(r) % 2;
    if (t.input_bits == 1 && random_bits(r) % 3 == 0)
        net->rule.kind = BNN_THRESHOLD_MEAN;
    if (bnn_network_finish(net, NULL) != BNN_OK) {
        bnn_network_close(net);
        return NULL;
    }
    return net;
}

/* Pixels for `count` images: noise, and some of all one value. Free with bnn_free. */
static inline uint8_t *random_images(random_state *r, const bnn_network *net, size_t count)
{
    const size_t size = bnn_shape_size(net->topology.input);
    uint8_t *images = bnn_alloc(count, size);
    for (size_t i = 0; images && i < count; i++) {
        const uint64_t kind = random_bits(r) % 8;
        for (size_t k = 0; k < size; k++)
            images[i * size + k] = kind == 0 ? 0 : kind == 1 ? 255 : (uint8_t)random_bits(r);
    }
    return images;
}

#endif
