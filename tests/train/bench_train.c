/* bench_train.c -- where the time of a training step goes, and how fast its backward products are.
 *
 * bench_train TOPOLOGY [BATCH [THREADS [MATHS]]] runs steps on random pictures and
 * prints the time of each stage, and the rate of the backward products (with
 * all that is around them) beside the rate of one large product
 * of the same library (of look-ups, of their inner loop from the first-level
 * cache), measured between the steps; and how much memory the optimiser and
 * batch norm move a second, beside a copy. Medians of STEPS, in the
 * processor's time of all threads, which other work on the machine disturbs
 * less than the clock on the wall. Not a test: it decides nothing.
 */
#include "train/lookup.h"
#include "train/model.h"
#include "train/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 9, PROBE = 1024, DEPTH = 32, PROBES = 1000, COPY = 64 << 20 };
enum stage { INPUT, FORWARD, NORM_FORWARD, LOSS, NORM_BACKWARD, BACKWARD, UPDATE, STAGES };

static const char *const stage_name[STAGES] = {
    "input to operands and bits", "products forward (bits)", "batch norm, pool, quantise", "loss", "the same backward",
    "products backward", "Adam, weights to bits",
};

static double took[STAGES][STEPS], probe[STEPS], copy[STEPS];

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, STEPS, sizeof *v, by_value);
    return v[STEPS / 2];
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double lap(double *since)
{
    const double now = seconds(), was = *since;
    *since = now;
    return now - was;
}

static void step(bnn_model *m, size_t n, const float *picture, const uint16_t *labels, size_t i)
{
    double t = seconds();
    for (size_t k = 0; k < n; k++)
        bnn_model_set_input(m, k, picture);
    took[INPUT][i] += lap(&t);
    for (uint32_t k = 0; k < m->blocks; k++) {
        bnn_block *b = &m->block[k];
        bnn_product_forward(m, b, k ? (void *)m->block[k - 1].bits : m->input_bits, n, BNN_BATCH);
        took[FORWARD][i] += lap(&t);
        if (b->last) {
            bnn_scores_statistics(m, n, BNN_BATCH);
        } else {
            bnn_norm_statistics(b, n, BNN_BATCH);
            bnn_norm_forward(m, b, n, BNN_BATCH);
        }
        took[NORM_FORWARD][i] += lap(&t);
    }
    bnn_loss_forward(m, labels, NULL, 0, n);
    took[LOSS][i] += lap(&t);
    for (uint32_t k = m->blocks; k-- > 0;) {
        bnn_block *b = &m->block[k];
        if (b->last)
            bnn_loss_backward(m, n);
        else
            bnn_norm_backward(m, b, n);
        took[NORM_BACKWARD][i] += lap(&t);
        bnn_model_products(m, k, n);
        took[BACKWARD][i] += lap(&t);
    }
    bnn_model_update(m, 0.01f);
    took[UPDATE][i] += lap(&t);
}

/* Operations of the two products of every layer but the first, which has one. */
static double backward_ops(const bnn_model *m, size_t n)
{
    double ops = 0;
    for (uint32_t k = 0; k < m->blocks; k++)
        ops += (double)n * (double)bnn_layer_ops(m->block[k].layer) * (k ? 2 : 1);
    return ops;
}

static double probe_rate(bnn_model *m, const void *a, const void *b, float *c)
{
    double t = seconds();
    if (bnn_gemm_coarse(&m->gemm)) {
        const bnn_lookup_tile tile = { .tables = a, .table_row = DEPTH * 64, .table_step = 64, .blocks = b, .segments = 1, .steps = DEPTH };
        for (int i = 0; i < PROBES; i++)
            bnn_lookup_product(&tile, 4, 64, c, 64, 1, false);
        return 2.0 * PROBES * 4 * 64 * 16 * DEPTH / lap(&t);
    }
    bnn_gemm_run_tiles(&m->gemm, m->pool, 'N', 'N', PROBE, PROBE, PROBE, a, PROBE, b, PROBE, c, PROBE);
    return 2.0 * PROBE * PROBE * PROBE / lap(&t);
}

/* Bytes that the optimiser's step has to move: value, m, v and gradient in, the first three and a weight out. */
static double update_bytes(const bnn_model *m)
{
    double weights = 0;
    for (uint32_t k = 0; k < m->blocks; k++)
        weights += (double)m->block[k].latent.size;
    return weights * (7 * sizeof(float) + 1);
}

/* Bytes of batch norm and what follows it, forward and backward: the products twice, values out, gradients in and out. */
static double norm_bytes(const bnn_model *m, size_t n)
{
    double bytes = 0;
    for (uint32_t k = 0; k + 1 < m->blocks; k++) {
        const bnn_block *b = &m->block[k];
        bytes += (double)n * b->layer->MH * ((double)b->positions * 2 * sizeof(float) + (double)b->outputs * (1 + 2 * sizeof(float)));
    }
    return bytes;
}

/* Bytes a second, read and written, of copying more than the caches hold. */
static double copy_rate(void *to, const void *from, size_t size)
{
    double t = seconds();
    memcpy(to, from, size);
    __asm__ volatile("" : : "r"(to) : "memory");
    return 2.0 * (double)size / lap(&t);
}

int main(int argc, char **argv)
{
    bnn_topology t;
    bnn_model *m;
    bnn_pool *pool;
    bnn_error err;
    const size_t n = argc > 2 ? (size_t)atoi(argv[2]) : 256;
    if (argc < 2 || n < 2 || bnn_topology_open(&t, argv[1], &err) != BNN_OK || bnn_topology_set_rows(&t, 10, &err) != BNN_OK
        || bnn_pool_open(&pool, argc > 3 ? (unsigned)atoi(argv[3]) : 0, &err) != BNN_OK
        || bnn_model_new(&m, &t, 10, n, true, argc > 4 ? argv[4] : NULL, pool, &err) != BNN_OK) {
        fprintf(stderr, "usage: bench_train TOPOLOGY [BATCH [THREADS [MATHS]]]: %s\n", argc < 2 ? "no topology" : err.message);
        return 2;
    }
    const size_t size = bnn_shape_size(t.input);
    float *picture = malloc(size * sizeof *picture), *c = malloc(PROBE * PROBE * sizeof *c);
    uint16_t *labels = calloc(n, sizeof *labels);
    void *a = calloc(PROBE * PROBE, 4);
    uint8_t *memory = calloc(2, COPY);
    bnn_random r = bnn_random_at(1, BNN_FOR_AUGMENT, 0);
    for (size_t i = 0; i < size; i++)
        picture[i] = t.input_bits == 8 ? (float)((int)bnn_random_below(&r, 256) - 128) : bnn_random_unit(&r) < 0 ? -1.0f : 1.0f;
    bnn_model_init(m, 1, NULL);
    step(m, n, picture, labels, 0); /* the library compiles its kernels */
    copy_rate(memory, memory + COPY, COPY);
    memset(took, 0, sizeof took);
    for (size_t i = 0; i < STEPS; i++) {
        probe[i] = probe_rate(m, a, a, c);
        copy[i]  = copy_rate(memory, memory + COPY, COPY);
        step(m, n, picture, labels, i);
    }

    double all = 0, part[STAGES];
    for (int s = 0; s < STAGES; s++)
        all += part[s] = median(took[s]);
    const double rate = backward_ops(m, n) / part[BACKWARD], peak = median(probe);
    printf("%s, batch %zu, %u threads, %s, kernels %s\n", argv[1], n, bnn_pool_threads(pool), m->gemm.name, m->kernels.name);
    for (int s = 0; s < STAGES; s++)
        printf("  %-28s %8.2f ms  %5.1f %%\n", stage_name[s], 1e3 * part[s], 100 * part[s] / all);
    printf("  %-28s %8.2f ms of one core, %.0f us an image, an epoch of 50,000 in %.1f s of one core\n", "step", 1e3 * all,
           1e6 * all / (double)n, 50000 * all / (double)n);
    printf("  backward products %.0f billion operations/s a core, the probe %.0f: %.2f\n", rate * 1e-9, peak * 1e-9, rate / peak);
    printf("  memory moved: Adam %.1f GB/s, batch norm and what follows %.1f GB/s, a copy %.1f GB/s\n", 1e-9 * update_bytes(m) / part[UPDATE],
           1e-9 * norm_bytes(m, n) / (part[NORM_FORWARD] + part[NORM_BACKWARD]), 1e-9 * median(copy));
    bnn_model_free(m);
    bnn_pool_close(pool);
    free(memory);
    free(picture);
    free(labels);
    free(a);
    free(c);
    return 0;
}
