/* thread.c -- the pool: one mutex, two conditions, one atomic counter. */
#include "base/thread.h"
#include "base/mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

struct worker { bnn_pool *pool; pthread_t thread; unsigned index; };

struct bnn_pool {
    unsigned        threads; /* workers + the caller */
    struct worker  *worker;  /* threads - 1 */
    pthread_mutex_t lock;
    pthread_cond_t  work, done;
    uint64_t        round;   /* counts the calls of bnn_pool_run */
    unsigned        busy;    /* workers not yet through with this round */
    int             stop;
    atomic_size_t   next;    /* first task nobody has taken */
    size_t          count;
    void          (*task)(void *, size_t, unsigned);
    void           *context;
};

unsigned bnn_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    const int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}

uint64_t bnn_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void take_tasks(bnn_pool *pool, unsigned thread)
{
    for (size_t i; (i = atomic_fetch_add(&pool->next, 1)) < pool->count;)
        pool->task(pool->context, i, thread);
}

static void *work(void *arg)
{
    struct worker *me = arg;
    bnn_pool *pool = me->pool;
    uint64_t seen = 0;
    for (;;) {
        pthread_mutex_lock(&pool->lock);
        while (pool->round == seen && !pool->stop)
            pthread_cond_wait(&pool->work, &pool->lock);
        seen = pool->round;
        const int stop = pool->stop;
        pthread_mutex_unlock(&pool->lock);
        if (stop)
            return NULL;
        take_tasks(pool, me->index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

void bnn_pool_run(bnn_pool *pool, size_t count,
                  void (*task)(void *context, size_t i, unsigned thread), void *context)
{
    if (pool->threads == 1 || count <= 1) { /* nothing to share: wake nobody */
        for (size_t i = 0; i < count; i++)
            task(context, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->task    = task;
    pool->context = context;
    pool->count   = count;
    pool->busy    = pool->threads - 1;
    atomic_store(&pool->next, 0);
    pool->round++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);

    take_tasks(pool, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

int bnn_pool_open(bnn_pool **out, unsigned threads, bnn_error *err)
{
    if (threads == 0)
        threads = bnn_cpu_count();
    if (threads > 1024)
        return bnn_fail(err, BNN_EINVAL, "%u threads, expected at most 1024", threads);
    bnn_pool *pool = bnn_alloc(1, sizeof *pool);
    struct worker *worker = bnn_alloc(threads, sizeof *worker);
    if (!pool || !worker) {
        bnn_free(pool);
        bnn_free(worker);
        return bnn_fail_memory(err, sizeof *pool);
    }
    pool->worker = worker;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->threads = 1;
    for (unsigned i = 1; i < threads; i++) { /* fewer threads than asked for still work */
        worker[i - 1] = (struct worker){ .pool = pool, .index = i };
        if (pthread_create(&worker[i - 1].thread, NULL, work, &worker[i - 1]) != 0)
            break;
        pool->threads++;
    }
    *out = pool;
    return BNN_OK;
}

void bnn_pool_close(bnn_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = 1;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i + 1 < pool->threads; i++)
        pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    bnn_free(pool->worker);
    bnn_free(pool);
}

unsigned bnn_pool_threads(const bnn_pool *pool)
{
    return pool->threads;
}
