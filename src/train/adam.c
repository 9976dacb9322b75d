/* adam.c -- the optimiser's step. Bound by memory: 28 bytes a parameter. */
#include "train/adam.h"
#include "train/clones.h"
#include "base/mem.h"

#include <math.h>

#define BETA1 0.9f
#define BETA2 0.999f

int bnn_adam_new(bnn_adam *a, size_t size, bnn_error *err)
{
    *a = (bnn_adam){ bnn_alloc(size, sizeof(float)), bnn_alloc(size, sizeof(float)), bnn_alloc(size, sizeof(float)), size };
    return a->value && a->m && a->v ? BNN_OK : bnn_fail_memory(err, 3 * size * sizeof(float));
}

void bnn_adam_free(bnn_adam *a)
{
    bnn_free(a->value);
    bnn_free(a->m);
    bnn_free(a->v);
    *a = (bnn_adam){ 0 };
}

/* The paper's rate * m^ / (sqrt(v^) + eps), with m^ = m / c1 and v^ = v / c2. */
bnn_adam_step bnn_adam_at(uint64_t t, float learning_rate)
{
    const double c1 = 1 - pow(BETA1, (double)t), c2 = 1 - pow(BETA2, (double)t);
    return (bnn_adam_step){ (float)(learning_rate * sqrt(c2) / c1), (float)(1e-10 * sqrt(c2)) };
}

BNN_CLONES static void update(float rate, float floor, float *restrict value, float *restrict m, float *restrict v,
                              const float *restrict g, size_t n, float low, float high)
{
    for (size_t i = 0; i < n; i++) {
        m[i] = BETA1 * m[i] + (1 - BETA1) * g[i];
        v[i] = BETA2 * v[i] + (1 - BETA2) * g[i] * g[i];
        const float x = value[i] - rate * m[i] / (sqrtf(v[i]) + floor);
        value[i] = x < low ? low : x > high ? high : x;
    }
}

BNN_CLONES static void add(float *restrict sum, const float *restrict part, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += part[i];
}

void bnn_adam_update(const bnn_adam_step *step, bnn_adam *a, size_t first, size_t count, const float *gradient,
                     size_t parts, size_t stride, float low, float high)
{
    enum { BLOCK = 1024 }; /* the sum of the parts stays in the first cache */
    float sum[BLOCK];
    for (size_t at = first; at < first + count; at += BLOCK) {
        const size_t n = first + count - at < BLOCK ? first + count - at : BLOCK;
        for (size_t i = 0; i < n; i++)
            sum[i] = gradient[at + i];
        for (size_t p = 1; p < parts; p++)
            add(sum, gradient + p * stride + at, n);
        update(step->rate, step->floor, a->value + at, a->m + at, a->v + at, sum, n, low, high);
    }
}
