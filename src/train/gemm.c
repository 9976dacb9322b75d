/* gemm.c -- finding a maths library, and calling its matrix product.
 *
 * Measured on two Zen 4 cores (docs/training.md): oneDNN's plain bfloat16
 * product reaches 85 to 95 % of the probed peak for all three products of a
 * layer, its float product as much of a peak half as high; its convolutions
 * are no faster and fall far behind for the weight gradients of small maps. So
 * one plain product serves every layer.
 */
#include "train/gemm.h"
#include "train/clones.h"
#include "train/lookup.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

/* The BLAS product that oneDNN exports with C linkage; column major is taken
 * care of inside, these are row major. Returns 0 when done. */
typedef int (*onednn_f32)(char ta, char tb, int64_t M, int64_t N, int64_t K, float alpha, const float *a, int64_t lda,
                          const float *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef int (*onednn_bf16)(char ta, char tb, int64_t M, int64_t N, int64_t K, float alpha, const uint16_t *a, int64_t lda,
                           const uint16_t *b, int64_t ldb, float beta, float *c, int64_t ldc);
typedef void (*cblas_f32)(int order, int ta, int tb, int M, int N, int K, float alpha, const float *a, int lda,
                          const float *b, int ldb, float beta, float *c, int ldc);

static int product_onednn_bf16(const bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a,
                               size_t lda, const void *b, size_t ldb, float beta, float *c, size_t ldc)
{
    return ((onednn_bf16)g->call)(ta, tb, (int64_t)M, (int64_t)N, (int64_t)K, 1, a, (int64_t)lda, b, (int64_t)ldb, beta,
                                  c, (int64_t)ldc);
}

static int product_onednn_f32(const bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a,
                              size_t lda, const void *b, size_t ldb, float beta, float *c, size_t ldc)
{
    return ((onednn_f32)g->call)(ta, tb, (int64_t)M, (int64_t)N, (int64_t)K, 1, a, (int64_t)lda, b, (int64_t)ldb, beta, c,
                                 (int64_t)ldc);
}

static int product_cblas(const bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a, size_t lda,
                         const void *b, size_t ldb, float beta, float *c, size_t ldc)
{
    enum { ROW_MAJOR = 101, NORMAL = 111, TRANSPOSED = 112 }; /* of cblas.h */
    ((cblas_f32)g->call)(ROW_MAJOR, ta == 'T' ? TRANSPOSED : NORMAL, tb == 'T' ? TRANSPOSED : NORMAL, (int)M, (int)N,
                         (int)K, 1, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    return 0;
}

static bool any_cpu(void) { return true; }

static bool cpu_has_bf16(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

typedef struct bnn_maths {
    const char *name, *library, *package, *function, *get_threads, *set_threads;
    size_t      size;
    bool      (*usable)(void);
    int       (*product)(const bnn_gemm *, char, char, size_t, size_t, size_t, const void *, size_t, const void *, size_t,
                         float, float *, size_t);
} bnn_maths;

/* Best first. The bfloat16 product is exported but not declared by oneDNN 2. */
static const bnn_maths maths[] = {
    { .name = "int6", .size = 1, .usable = bnn_lookup_works },
    { "onednn-bf16", "libdnnl.so.2", "libdnnl2", "dnnl_gemm_bf16bf16f32", "omp_get_max_threads", "omp_set_num_threads", 2,
      cpu_has_bf16, product_onednn_bf16 },
    { "onednn-f32", "libdnnl.so.2", "libdnnl2", "dnnl_sgemm", "omp_get_max_threads", "omp_set_num_threads", 4, any_cpu,
      product_onednn_f32 },
    { "openblas-f32", "libopenblas.so.0", "libopenblas0-pthread", "cblas_sgemm", "openblas_get_num_threads",
      "openblas_set_num_threads", 4, any_cpu, product_cblas },
};
enum { MATHS = sizeof maths / sizeof *maths };

/* A function pointer from dlsym, which gives void * (POSIX promises that they convert). */
#define FUNCTION(out, handle, symbol)                        \
    do {                                                     \
        void *address_ = dlsym(handle, symbol);              \
        memcpy(&(out), &address_, sizeof address_);          \
    } while (0)

static bool load(bnn_gemm *out, const bnn_maths *m)
{
    if (!m->library) {
        *out = (bnn_gemm){ .name = m->name, .size = m->size };
        return m->usable();
    }
    /* Never unloaded: a library with threads of its own does not survive that. */
    void *handle = m->usable() ? dlopen(m->library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
    if (!handle)
        return false;
    *out = (bnn_gemm){ .name = m->name, .size = m->size, .product = m->product };
    FUNCTION(out->call, handle, m->function);
    FUNCTION(out->get_threads, handle, m->get_threads);
    FUNCTION(out->set_threads, handle, m->set_threads);
    dlclose(handle);
    return out->call && out->get_threads && out->set_threads;
}

int bnn_gemm_open(bnn_gemm *out, const char *name, bnn_error *err)
{
    bool known = false;
    for (size_t i = 0; i < MATHS; i++) {
        if (name && strcmp(name, maths[i].name) != 0)
            continue;
        known = true;
        if (!load(out, &maths[i]))
            continue;
        out->threads_before = out->get_threads ? out->get_threads() : 0;
        return BNN_OK;
    }
    if (!known)
        return bnn_fail(err, BNN_EINVAL, "maths '%s'; expected int6, onednn-bf16, onednn-f32 or openblas-f32", name);
    return bnn_fail(err, BNN_EBACKEND, "training needs a maths library%s%s; install Debian's package libdnnl2 or libopenblas0-pthread",
                    name ? " for " : "", name ? name : "");
}

void bnn_gemm_close(bnn_gemm *g)
{
    if (g->set_threads)
        g->set_threads(g->threads_before);
    *g = (bnn_gemm){ 0 };
}

/* bfloat16 is the upper half of a float. */
BNN_CLONES static void store_bf16(uint16_t *restrict out, const float *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t u;
        memcpy(&u, &v[i], 4);
        out[i] = (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
    }
}

BNN_CLONES static void load_bf16(float *restrict out, const uint16_t *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)v[i] << 16;
        memcpy(&out[i], &u, 4);
    }
}

BNN_CLONES static void store_int8(int8_t *restrict out, const float *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (int8_t)v[i];
}

BNN_CLONES static void load_int8(float *restrict out, const int8_t *restrict v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = v[i];
}

void bnn_gemm_store(const bnn_gemm *g, void *out, const float *v, size_t n)
{
    if (g->size == 1)
        store_int8(out, v, n);
    else if (g->size == 2)
        store_bf16(out, v, n);
    else
        memcpy(out, v, n * sizeof *v);
}

void bnn_gemm_store_small(const bnn_gemm *g, void *out, const int8_t *v, size_t n)
{
    enum { BLOCK = 1024 };
    float f[BLOCK];
    if (g->size == 1) {
        memcpy(out, v, n);
        return;
    }
    for (size_t at = 0; at < n; at += BLOCK) {
        const size_t count = n - at < BLOCK ? n - at : BLOCK;
        load_int8(f, v + at, count);
        bnn_gemm_store(g, bnn_gemm_at(g, out, at), f, count);
    }
}

void bnn_gemm_load(const bnn_gemm *g, float *out, const void *v, size_t n)
{
    if (g->size == 1)
        load_int8(out, v, n);
    else if (g->size == 2)
        load_bf16(out, v, n);
    else
        memcpy(out, v, n * sizeof *out);
}

void bnn_gemm_run(const bnn_gemm *g, char ta, char tb, size_t M, size_t N, size_t K, const void *a, size_t lda,
                  const void *b, size_t ldb, float beta, float *c, size_t ldc)
{
    g->set_threads(1); /* OpenMP counts threads for each calling thread */
    g->product(g, ta, tb, M, N, K, a, lda, b, ldb, beta, c, ldc);
}

/* --------------------------------------------------------------- tiles -- */

struct tiles {
    const bnn_gemm *g;
    char   ta, tb;
    size_t M, N, K, lda, ldb, ldc, tile_m, tile_n, columns; /* columns of tiles */
    const void *a, *b;
    float *c;
};

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void run_tile(void *context, size_t i, unsigned thread)
{
    const struct tiles *t = context;
    const size_t m = i / t->columns * t->tile_m, n = i % t->columns * t->tile_n;
    (void)thread;
    bnn_gemm_run(t->g, t->ta, t->tb, least(t->tile_m, t->M - m), least(t->tile_n, t->N - n), t->K,
                 bnn_gemm_at(t->g, t->a, t->ta == 'T' ? m : m * t->lda), t->lda,
                 bnn_gemm_at(t->g, t->b, t->tb == 'T' ? n * t->ldb : n), t->ldb, 0, t->c + m * t->ldc + n, t->ldc);
}

void bnn_gemm_run_tiles(const bnn_gemm *g, bnn_pool *pool, char ta, char tb, size_t M, size_t N, size_t K,
                        const void *a, size_t lda, const void *b, size_t ldb, float *c, size_t ldc)
{
    enum { TILE = 256 }; /* large enough that packing an operand again is cheap beside the products */
    struct tiles t = { g, ta, tb, M, N, K, lda, ldb, ldc, TILE, TILE, (N + TILE - 1) / TILE, a, b, c };
    bnn_pool_run(pool, (M + TILE - 1) / TILE * t.columns, run_tile, &t);
}
