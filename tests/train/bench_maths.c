/* bench_maths.c -- the backward products of some layers by every way of multiplying that works here.
 *
 * bench_maths prints billions of operations a second (a product and its sum
 * are two) of one thread, in the processor's time, the median of TIMES. Of
 * int6 the making of tables is included, and of products by the weights the
 * making of indices, since both are done in every step; of the libraries
 * nothing but the product. Not a test: it decides nothing.
 */
#include "train/gemm.h"
#include "train/lookup.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMES = 9 };

/* by the input: A [M][K] gradients, B [K][N] weights; by the weights: A [K][M] gradients, B [K][N] values. */
typedef struct shape { const char *name; bool down; size_t M, N, K; } shape;

static const shape shapes[] = {
    { "LFC by the input, 256 images", false, 256, 1024, 1024 },
    { "LFC by the weights, 256 images", true, 1024, 1024, 256 },
    { "CNV layer 1 by the input, 10 images", false, 7840, 576, 64 },
    { "CNV layer 1 by the weights, 10 images", true, 64, 576, 7840 },
    { "CNV layer 3 by the input, 10 images", false, 1000, 1152, 128 },
    { "CNV layer 3 by the weights, 10 images", true, 128, 1152, 1000 },
    { "CNV layer 5 by the weights, 100 images", true, 256, 2304, 100 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const char *const maths[] = { "openblas-f32", "onednn-f32", "onednn-bf16" };

struct operands { int8_t *q, *s; uint8_t *tables, *blocks; void *a, *b; float *c; };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double rate_of(const shape *p, void (*run)(const shape *, const struct operands *, const void *), const struct operands *o,
                      const void *with)
{
    double rate[TIMES];
    const double ops = 2.0 * (double)p->M * (double)p->N * (double)p->K;
    run(p, o, with); /* a library compiles its kernels */
    for (int i = 0; i < TIMES; i++) {
        const double start = seconds();
        int rounds = 0;
        while (seconds() - start < 0.02) {
            run(p, o, with);
            rounds++;
        }
        rate[i] = ops * rounds / (seconds() - start);
    }
    qsort(rate, TIMES, sizeof *rate, by_value);
    return rate[TIMES / 2] * 1e-9;
}

static void by_library(const shape *p, const struct operands *o, const void *with)
{
    bnn_gemm_run(with, p->down ? 'T' : 'N', 'N', p->M, p->N, p->K, o->a, p->down ? p->M : p->K, o->b, p->N, 0, o->c, p->N);
}

/* Of 16 k; the rows beyond K are 0. */
static size_t depth_of(const shape *p) { return (p->K + 15) / 16; }

static void make_blocks(const shape *p, const struct operands *o)
{
    const size_t depth = depth_of(p);
    const int8_t *row[16];
    for (size_t g = 0; g < depth; g++)
        for (size_t n = 0; n < p->N; n += 64) {
            for (size_t i = 0; i < 16; i++)
                row[i] = o->s + (g * 16 + i) * p->N + n;
            bnn_lookup_block(o->blocks + (n / 64 * depth + g) * BNN_LOOKUP_BLOCK, row, 64, 0);
        }
}

static void multiply(const shape *p, const struct operands *o, bnn_lookup_tile t, size_t m)
{
    for (size_t n = 0; n < p->N; n += 64) {
        t.blocks = o->blocks + n / 64 * t.steps * BNN_LOOKUP_BLOCK;
        bnn_lookup_product(&t, 4, 64, o->c + m * p->N + n, p->N, 1, false);
    }
}

static void by_lookup(const shape *p, const struct operands *o, const void *with)
{
    const size_t depth = depth_of(p);
    bnn_lookup_tile t = { .segments = 1, .steps = depth };
    (void)with;
    for (size_t m = 0; !p->down && m < p->M; m += 4) {
        t.tables = o->tables, t.table_row = depth * 64, t.table_step = 64;
        bnn_lookup_tables(o->tables, o->q + m * p->K, 4 * depth);
        multiply(p, o, t, m);
    }
    if (p->down)
        make_blocks(p, o);
    for (size_t m = 0; p->down && m < p->M; m += 64) {
        for (size_t g = 0; g < depth; g++)
            bnn_lookup_tables_down(o->tables + g * 256, depth * 256, o->q + g * 16 * p->M + m, p->M);
        for (size_t k = 0; k < 64; k += 4) {
            t.tables = o->tables + k / 4 * depth * 256, t.table_row = 64, t.table_step = 256;
            multiply(p, o, t, m + k);
        }
    }
}

static void print_rates(const shape *p)
{
    const size_t a = p->M * depth_of(p) * 16, b = depth_of(p) * 16 * p->N;
    struct operands o = {
        bnn_alloc(a, 1), bnn_alloc(b, 1), bnn_alloc(64 * depth_of(p), 64), bnn_alloc(b, 1),
        bnn_alloc(a, 4), bnn_alloc(b, 4), bnn_alloc(p->M * p->N, 4),
    };
    bnn_gemm g;
    printf("  %-40s %5zu x %4zu x %4zu", p->name, p->M, p->N, p->K);
    for (size_t i = 0; i < sizeof maths / sizeof *maths; i++) {
        if (bnn_gemm_open(&g, maths[i], NULL) != BNN_OK) {
            printf(" %12s", "-");
            continue;
        }
        printf(" %12.0f", rate_of(p, by_library, &o, &g));
        bnn_gemm_close(&g);
    }
    make_blocks(p, &o);
    if (bnn_lookup_works())
        printf(" %12.0f\n", rate_of(p, by_lookup, &o, NULL));
    else
        printf(" %12s\n", "-");
    void *const owned[] = { o.q, o.s, o.tables, o.blocks, o.a, o.b, o.c };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        bnn_free(owned[i]);
}

int main(void)
{
    printf("  %-40s %5s   %4s   %4s %12s %12s %12s %12s\n", "billions of operations a second", "M", "N", "K", maths[0], maths[1],
           maths[2], "int6");
    for (size_t i = 0; i < SHAPES; i++)
        print_rates(&shapes[i]);
    return 0;
}
