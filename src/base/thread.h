/* thread.h -- a pool of threads that share a range of work.
 *
 * A pool of n threads is the caller and n - 1 workers, which sleep between
 * calls. Tasks are numbers; each is run once, by whichever thread is free.
 */
#ifndef BNN_BASE_THREAD_H
#define BNN_BASE_THREAD_H

#include "base/error.h"

typedef struct bnn_pool bnn_pool; /* used by one thread at a time */

/* `threads` >= 1; 0 = one per core this process may use. */
int      bnn_pool_open(bnn_pool **out, unsigned threads, bnn_error *err);
void     bnn_pool_close(bnn_pool *pool);
unsigned bnn_pool_threads(const bnn_pool *pool);

/* Calls task(context, i, thread) for each i in 0..count-1, thread in
 * 0..threads-1 (one call at a time for each thread: index scratch with it).
 * Returns when all are done. */
void bnn_pool_run(bnn_pool *pool, size_t count,
                  void (*task)(void *context, size_t i, unsigned thread), void *context);

unsigned bnn_cpu_count(void);
uint64_t bnn_now_ns(void); /* monotonic clock */

/* A counter that goes up evenly and costs next to nothing to read, of no unit: for spans that are told as
 * shares of a longer one, which bnn_now_ns measures. x86: the time stamp counter; elsewhere bnn_now_ns. */
static inline uint64_t bnn_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#else
    return bnn_now_ns();
#endif
}

#endif
