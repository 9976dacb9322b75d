/* gemm.h -- the float products of training, by a library found at run time.
 *
 * The library (oneDNN, or OpenBLAS) is loaded when the first training begins,
 * so that programs which only classify do not carry it. Operands have the
 * type that the library multiplies fastest here: bfloat16 on CPUs with
 * AVX512-BF16 or AMX, else float. Sums are float. Weights and activations (-1,
 * 0, +1 and the 8-bit input) are exact in both types, and so are their sums
 * below 2^24.
 *
 * "int6" is no library: its operands are int8, and coarse.c multiplies them
 * with gradients of about 6 bits.
 *
 * Every product runs on one thread; larger ones are cut into fixed tiles over
 * a pool, so results do not depend on the number of threads.
 *
 * To add a library: a bnn_maths in the table of gemm.c.
 */
#ifndef BNN_TRAIN_GEMM_H
#define BNN_TRAIN_GEMM_H

#include "base/error.h"
#include "base/thread.h"

#include <stdbool.h>

typedef struct bnn_gemm {
    const char *name; /* "int6", "onednn-bf16", "onednn-f32", "openblas-f32" */
    size_t      size; /* bytes of an operand's element: 1, 2 or 4 */
    int       (*product)(const struct bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a,
                         size_t lda, const void *b, size_t ldb, float beta, float *c, size_t ldc);
    void      (*call)(void);           /* the library's function */
    int       (*get_threads)(void);    /* of the library, for this thread */
    void      (*set_threads)(int n);
    int         threads_before;        /* restored by close */
} bnn_gemm;

/* `name` NULL = the first of the table that works here. EBACKEND names the package to install. */
int  bnn_gemm_open(bnn_gemm *out, const char *name, bnn_error *err);
void bnn_gemm_close(bnn_gemm *g);

/* Whether the backward products are coarse.c's, not a library's. */
static inline bool bnn_gemm_coarse(const bnn_gemm *g) { return g->size == 1; }

/* Rounds floats to operand elements (to nearest, ties to even; to int8 only integers), and back. */
void bnn_gemm_store(const bnn_gemm *g, void *out, const float *v, size_t n);
void bnn_gemm_store_small(const bnn_gemm *g, void *out, const int8_t *v, size_t n); /* exact */
void bnn_gemm_load(const bnn_gemm *g, float *out, const void *v, size_t n);

static inline void *bnn_gemm_at(const bnn_gemm *g, const void *p, size_t i)
{
    return (char *)(uintptr_t)p + i * g->size;
}

/* C[M][N] = op(A) op(B) + beta C, all row major; op transposes where ta, tb are 'T'. beta 0 or 1. */
void bnn_gemm_run(const bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a, size_t lda,
                  const void *b, size_t ldb, float beta, float *c, size_t ldc);

/* The same with beta 0, in tiles of C over a pool. */
void bnn_gemm_run_tiles(const bnn_gemm *g, bnn_pool *pool, char ta, char tb, size_t M, size_t N, size_t K,
                        const void *a, size_t lda, const void *b, size_t ldb, float *c, size_t ldc);

#endif
