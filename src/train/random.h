/* random.h -- random numbers that are a function of where they are used.
 *
 * A generator is seeded by (seed, purpose, index), so training keeps no random
 * state: epoch 7 draws the same numbers whether or not the run was interrupted
 * in epoch 6, and images are augmented alike on any number of threads.
 */
#ifndef BNN_TRAIN_RANDOM_H
#define BNN_TRAIN_RANDOM_H

#include <stdint.h>

enum bnn_purpose { BNN_FOR_WEIGHTS = 1, BNN_FOR_ORDER, BNN_FOR_AUGMENT, BNN_FOR_STATISTICS, BNN_FOR_SPLIT, BNN_FOR_ROUNDING,
                   BNN_FOR_DROPOUT };

typedef struct bnn_random { uint64_t state; } bnn_random;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static inline uint64_t bnn_random_next(bnn_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline bnn_random bnn_random_at(uint64_t seed, enum bnn_purpose purpose, uint64_t index)
{
    bnn_random r = { seed };
    r.state = bnn_random_next(&r) ^ (uint64_t)purpose << 56;
    r.state = bnn_random_next(&r) ^ index;
    bnn_random_next(&r);
    return r;
}

/* 0 <= value < n, n < 2^32: the high half of a 32 x 32 bit product. */
static inline uint32_t bnn_random_below(bnn_random *r, uint32_t n)
{
    return (uint32_t)((bnn_random_next(r) >> 32) * n >> 32);
}

/* Uniform in [-1, 1). */
static inline float bnn_random_unit(bnn_random *r)
{
    return (float)((int32_t)(bnn_random_next(r) >> 40) - (1 << 23)) * (1.0f / (1 << 23));
}

#endif
