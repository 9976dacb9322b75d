/* bench.c -- the probes of bench.h, over the peaks of the kernel levels. */
#include "bnn/bench.h"
#include "base/mem.h"
#include "base/thread.h"
#include "kernel/kernel.h"

enum { L2_BYTES = 384 << 10 };

/* A probe is the index-th peak of the levels that run here; past them all, the L2 read. */
struct probe { const bnn_level *level; bnn_kernels kernels; const bnn_peak *peak; };

static const bnn_peak l2 = { "l2", NULL };

static int find_probe(struct probe *p, size_t index)
{
    const bnn_level *l;
    for (size_t i = 0; (l = bnn_level_at(i)) != NULL; i++) {
        if (bnn_level_missing(l))
            continue;
        p->level = l;
        bnn_kernels_init(&p->kernels, l);
        for (p->peak = p->kernels.peaks; p->peak->name; p->peak++)
            if (index-- == 0)
                return BNN_OK;
    }
    p->peak = &l2;
    return index == 0 ? BNN_OK : BNN_EINVAL;
}

int bnn_probe_at(size_t index, bnn_probe_info *info)
{
    struct probe p;
    if (find_probe(&p, index) != BNN_OK)
        return BNN_EINVAL;
    *info = (bnn_probe_info){ .name = p.peak->name, .level = p.level->name, .unit = p.peak->run ? "MAC" : "byte" };
    return BNN_OK;
}

/* Repeats `step` until the time is over. */
static double rate(uint64_t nanoseconds, uint64_t (*step)(void *), void *context)
{
    step(context); /* caches filled, wide units woken */
    const uint64_t start = bnn_now_ns();
    uint64_t units = 0, spent;
    do {
        units += step(context);
        spent = bnn_now_ns() - start;
    } while (spent < nanoseconds);
    return spent ? (double)units / (double)spent : 0;
}

static uint64_t run_peak(void *context)
{
    return ((const bnn_peak *)context)->run(256);
}

struct read { const bnn_kernels *kernels; const uint8_t *data; };

static uint64_t run_read(void *context)
{
    const struct read *r = context;
    r->kernels->read(r->data, L2_BYTES);
    return L2_BYTES;
}

double bnn_probe_run(size_t index, uint64_t nanoseconds)
{
    struct probe p;
    if (find_probe(&p, index) != BNN_OK)
        return 0;
    if (p.peak->run)
        return rate(nanoseconds, run_peak, (void *)p.peak);
    uint8_t *data = bnn_alloc(1, L2_BYTES);
    struct read r = { &p.kernels, data };
    const double bytes = data ? rate(nanoseconds, run_read, &r) : 0;
    bnn_free(data);
    return bytes;
}

double bnn_probe_clock(void)
{
    enum { ROUNDS = 1024, ADDITIONS = 16, TRIES = 4 };
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < TRIES; i++) {
        const uint64_t start = bnn_now_ns();
        uintptr_t x = 1, y = (uintptr_t)start;
        for (int r = 0; r < ROUNDS; r++)
            for (int k = 0; k < ADDITIONS; k++) {
                x += y; /* a cycle each, one after the other */
                __asm__ volatile("" : "+r"(x));
            }
        const uint64_t spent = bnn_now_ns() - start;
        best = spent < best ? spent : best;
    }
    return best ? (double)ROUNDS * ADDITIONS / (double)best : 0;
}
