/* feeder.c -- threads that share a range in pieces; one mutex, two conditions. */
#include "feeder.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { PIECE = 8, MOST_THREADS = 64 }; /* images handed out at once: a few decoded pictures */

struct buffer { uint8_t *images; uint16_t *truth; };

struct tool_feeder {
    const bnn_dataset *data;
    size_t             image_size;
    struct buffer      buffer[2];
    unsigned           filling;       /* the buffer that threads write */
    unsigned           threads;
    pthread_t          thread[MOST_THREADS];
    pthread_mutex_t    lock;
    pthread_cond_t     work, done;
    size_t             first, count, next, left; /* the range; first piece not handed out; images not yet read */
    int                stop;
    int                rc;            /* of the earliest piece that failed */
    size_t             failed_at;
    bnn_error          err;
    double             seconds;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Called and returns with the lock held. */
static void read_piece(tool_feeder *f)
{
    const size_t at = f->next, n = f->count - at < PIECE ? f->count - at : PIECE;
    const struct buffer *b = &f->buffer[f->filling];
    bnn_error err = { 0 };
    f->next += n;
    pthread_mutex_unlock(&f->lock);
    const double start = cpu_seconds();
    const int rc = bnn_dataset_get(f->data, f->first + at, n, b->images + at * f->image_size, b->truth + at, &err);
    const double spent = cpu_seconds() - start;
    pthread_mutex_lock(&f->lock);
    f->seconds += spent;
    if (rc != BNN_OK && (f->rc == BNN_OK || at < f->failed_at)) {
        f->rc        = rc;
        f->failed_at = at;
        f->err       = err;
    }
    f->left -= n;
    if (f->left == 0)
        pthread_cond_signal(&f->done);
}

static void *work(void *arg)
{
    tool_feeder *f = arg;
    pthread_mutex_lock(&f->lock);
    while (!f->stop)
        if (f->next < f->count)
            read_piece(f);
        else
            pthread_cond_wait(&f->work, &f->lock);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static unsigned cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int tool_feeder_new(tool_feeder **out, const bnn_dataset *data, size_t capacity, size_t image_size, unsigned threads, bnn_error *err)
{
    tool_feeder *f = calloc(1, sizeof *f);
    if (!f)
        return tool_fail(err, BNN_ENOMEM, "not enough memory");
    f->data       = data;
    f->image_size = image_size;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->work, NULL);
    pthread_cond_init(&f->done, NULL);
    int rc = BNN_OK;
    for (int i = 0; i < 2; i++) {
        f->buffer[i] = (struct buffer){ malloc(capacity * image_size), malloc(capacity * sizeof(uint16_t)) };
        if (!f->buffer[i].images || !f->buffer[i].truth)
            rc = tool_fail(err, BNN_ENOMEM, "not enough memory for %zu images", capacity);
    }
    threads = threads ? threads : cores();
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    while (rc == BNN_OK && f->threads < threads && pthread_create(&f->thread[f->threads], NULL, work, f) == 0)
        f->threads++;
    if (rc == BNN_OK && f->threads == 0)
        rc = tool_fail(err, BNN_ENOMEM, "not enough memory for a thread");
    if (rc == BNN_OK)
        *out = f;
    else
        tool_feeder_free(f);
    return rc;
}

void tool_feeder_free(tool_feeder *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = 1;
    pthread_cond_broadcast(&f->work);
    pthread_mutex_unlock(&f->lock);
    for (unsigned i = 0; i < f->threads; i++)
        pthread_join(f->thread[i], NULL);
    for (int i = 0; i < 2; i++) {
        free(f->buffer[i].images);
        free(f->buffer[i].truth);
    }
    pthread_cond_destroy(&f->done);
    pthread_cond_destroy(&f->work);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void tool_feeder_start(tool_feeder *f, size_t first, size_t count)
{
    pthread_mutex_lock(&f->lock);
    f->first = first;
    f->count = f->left = count;
    f->next  = 0;
    f->rc    = BNN_OK;
    if (count > PIECE)
        pthread_cond_broadcast(&f->work);
    else
        pthread_cond_signal(&f->work);
    pthread_mutex_unlock(&f->lock);
}

int tool_feeder_take(tool_feeder *f, uint8_t **images, uint16_t **truth, bnn_error *err)
{
    pthread_mutex_lock(&f->lock);
    while (f->left > 0)
        pthread_cond_wait(&f->done, &f->lock);
    const int rc = f->rc;
    if (rc != BNN_OK)
        *err = f->err;
    pthread_mutex_unlock(&f->lock);
    *images = f->buffer[f->filling].images;
    *truth  = f->buffer[f->filling].truth;
    f->filling ^= 1;
    return rc;
}

unsigned tool_feeder_threads(const tool_feeder *f)
{
    return f->threads;
}

double tool_feeder_seconds(const tool_feeder *f)
{
    return f->seconds;
}
