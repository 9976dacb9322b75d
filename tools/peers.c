/* peers.c -- OpenBLAS and oneDNN, through dlopen. */
#include "peers.h"
#include "output.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#ifdef TOOL_HAVE_DNNL
#include <oneapi/dnnl/dnnl.h>
#endif

enum { MOST_ROUNDS = 101 };

/* One layer as a peer runs it. */
typedef struct work {
    bnn_layer_info layer;
    uint32_t       images;
    float         *a, *b, *c; /* inputs (unrolled windows), weights, sums */
    void          *primitive, *stream, *memory[3];
} work;

/* How a peer prepares, runs and frees a layer. */
typedef struct peer {
    const char *name;
    const char *(*open)(void); /* NULL, or why it cannot be used */
    int        (*prepare)(work *w, int int8);
    void       (*run)(work *w);
    void       (*release)(work *w);
    int         int8;
} peer;

static size_t pixels(const bnn_layer_info *l) { return (size_t)l->output.height * l->output.width; }

static float number(size_t i) { return i % 3 ? 1.0f : -1.0f; }

static float *numbers(size_t n)
{
    float *p = malloc(n * sizeof *p);
    for (size_t i = 0; p && i < n; i++)
        p[i] = number(i);
    return p;
}

/* ------------------------------------------------------------ OpenBLAS -- */

/* As cblas.h declares it; 101 = row major, 111 = as is, 112 = transposed. */
typedef void sgemm_fn(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                      const float *b, int ldb, float beta, float *c, int ldc);
static sgemm_fn *sgemm;

static const char *open_blas(void)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return "libopenblas.so.0 is not installed";
    void (*threads)(int) = NULL;
    *(void **)&sgemm   = dlsym(library, "cblas_sgemm"); /* the form that POSIX gives for functions */
    *(void **)&threads = dlsym(library, "openblas_set_num_threads");
    if (threads)
        threads(1);
    return sgemm ? NULL : "libopenblas.so.0 has no cblas_sgemm";
}

/* Sums = windows x weights': the windows are taken as already unrolled. */
static int prepare_blas(work *w, int int8)
{
    const bnn_layer_info *l = &w->layer;
    (void)int8;
    w->a = numbers(w->images * pixels(l) * l->MW);
    w->b = numbers((size_t)l->MH * l->MW);
    w->c = numbers(w->images * pixels(l) * l->MH);
    return w->a && w->b && w->c;
}

static void run_blas(work *w)
{
    const int m = (int)(w->images * pixels(&w->layer)), n = (int)w->layer.MH, k = (int)w->layer.MW;
    sgemm(101, 111, 112, m, n, k, 1.0f, w->a, k, w->b, k, 0.0f, w->c, n);
}

static void release_blas(work *w)
{
    free(w->a);
    free(w->b);
    free(w->c);
}

/* -------------------------------------------------------------- oneDNN -- */

#ifdef TOOL_HAVE_DNNL

/* The functions that are used, by their own names and types. */
#define DNNL_FUNCTIONS(X)                                                                                                \
    X(dnnl_engine_create) X(dnnl_stream_create) X(dnnl_stream_wait) X(dnnl_memory_desc_init_by_tag)                      \
    X(dnnl_inner_product_forward_desc_init) X(dnnl_convolution_forward_desc_init) X(dnnl_primitive_desc_create)          \
    X(dnnl_primitive_desc_destroy) X(dnnl_primitive_desc_query_md) X(dnnl_primitive_create) X(dnnl_primitive_execute)    \
    X(dnnl_primitive_destroy) X(dnnl_memory_create) X(dnnl_memory_destroy) X(dnnl_stream_destroy)                        \
    X(dnnl_memory_desc_get_size) X(dnnl_memory_get_data_handle)

static struct {
#define X(f) __typeof__(&f) f;
    DNNL_FUNCTIONS(X)
#undef X
    dnnl_engine_t engine;
} dnnl;

static const char *open_dnnl(void)
{
    setenv("OMP_NUM_THREADS", "1", 1); /* read when the library is loaded */
    void *library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return "libdnnl.so.2 is not installed";
#define X(f)                                                  \
    *(void **)&dnnl.f = dlsym(library, #f);                   \
    if (!dnnl.f)                                              \
        return "libdnnl.so.2 lacks " #f;
    DNNL_FUNCTIONS(X)
#undef X
    return dnnl.dnnl_engine_create(&dnnl.engine, dnnl_cpu, 0) == dnnl_success ? NULL : "libdnnl.so.2 gives no engine";
}

/* Shapes of source, weights and sums; any layout, the library chooses. */
static int describe_dnnl(const work *w, int int8, dnnl_inner_product_desc_t *dense, dnnl_convolution_desc_t *conv)
{
    const bnn_layer_info *l = &w->layer;
    const dnnl_data_type_t x = int8 ? dnnl_u8 : dnnl_f32, k = int8 ? dnnl_s8 : dnnl_f32, y = int8 ? dnnl_s32 : dnnl_f32;
    const int is_conv = l->kernel > 0, dims = is_conv ? 4 : 2;
    const dnnl_dims_t stride = { 1, 1 }, padding = { 0, 0 };
    const dnnl_dims_t in  = { w->images, is_conv ? l->input.channels : l->MW, l->input.height, l->input.width };
    const dnnl_dims_t by  = { l->MH, is_conv ? l->input.channels : l->MW, l->kernel, l->kernel };
    const dnnl_dims_t out = { w->images, l->MH, l->output.height, l->output.width };
    dnnl_memory_desc_t md[3];
    if (dnnl.dnnl_memory_desc_init_by_tag(&md[0], dims, in, x, dnnl_format_tag_any) != dnnl_success
        || dnnl.dnnl_memory_desc_init_by_tag(&md[1], dims, by, k, dnnl_format_tag_any) != dnnl_success
        || dnnl.dnnl_memory_desc_init_by_tag(&md[2], dims, out, y, dnnl_format_tag_any) != dnnl_success)
        return 0;
    return (is_conv ? dnnl.dnnl_convolution_forward_desc_init(conv, dnnl_forward_inference, dnnl_convolution_direct, &md[0], &md[1],
                                                              NULL, &md[2], stride, padding, padding)
                    : dnnl.dnnl_inner_product_forward_desc_init(dense, dnnl_forward_inference, &md[0], &md[1], NULL, &md[2])) == dnnl_success;
}

/* Numbers in all of a memory, whatever its layout. Pages that nobody has written are all the kernel's one page of
 * zeros, which never leaves the first cache: weights would cost nothing to read. */
static int fill_dnnl(dnnl_memory_t memory, const dnnl_memory_desc_t *md)
{
    const size_t size = dnnl.dnnl_memory_desc_get_size(md);
    void *data = NULL;
    if (dnnl.dnnl_memory_get_data_handle(memory, &data) != dnnl_success || !data)
        return 0;
    if (md->data_type == dnnl_f32)
        for (size_t i = 0; i < size / sizeof(float); i++)
            ((float *)data)[i] = number(i);
    else
        for (size_t i = 0; i < size; i++)
            ((uint8_t *)data)[i] = (uint8_t)(md->data_type == dnnl_u8 ? i % 3 != 0 : (int8_t)number(i));
    return 1;
}

static int prepare_dnnl(work *w, int int8)
{
    static const dnnl_query_t query[3] = { dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md };
    dnnl_inner_product_desc_t dense;
    dnnl_convolution_desc_t conv;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t primitive;
    dnnl_stream_t stream;
    dnnl_memory_t memory;
    if (!describe_dnnl(w, int8, &dense, &conv)
        || dnnl.dnnl_primitive_desc_create(&pd, w->layer.kernel ? (void *)&conv : (void *)&dense, NULL, dnnl.engine, NULL) != dnnl_success)
        return 0;
    int good = dnnl.dnnl_primitive_create(&primitive, pd) == dnnl_success
               && dnnl.dnnl_stream_create(&stream, dnnl.engine, dnnl_stream_default_flags) == dnnl_success;
    for (int i = 0; good && i < 3; i++) {
        const dnnl_memory_desc_t *md = dnnl.dnnl_primitive_desc_query_md(pd, query[i], 0);
        good = dnnl.dnnl_memory_create(&memory, md, dnnl.engine, DNNL_MEMORY_ALLOCATE) == dnnl_success;
        w->memory[i] = good ? memory : NULL;
        good = good && fill_dnnl(memory, md);
    }
    dnnl.dnnl_primitive_desc_destroy(pd);
    if (good) {
        w->primitive = primitive;
        w->stream    = stream;
    }
    return good;
}

static void run_dnnl(work *w)
{
    const dnnl_exec_arg_t args[3] = { { DNNL_ARG_SRC, w->memory[0] }, { DNNL_ARG_WEIGHTS, w->memory[1] }, { DNNL_ARG_DST, w->memory[2] } };
    dnnl.dnnl_primitive_execute(w->primitive, w->stream, 3, args);
    dnnl.dnnl_stream_wait(w->stream);
}

static void release_dnnl(work *w)
{
    for (int i = 0; i < 3; i++)
        if (w->memory[i])
            dnnl.dnnl_memory_destroy(w->memory[i]);
    if (w->primitive)
        dnnl.dnnl_primitive_destroy(w->primitive);
    if (w->stream)
        dnnl.dnnl_stream_destroy(w->stream);
}

#else

static const char *open_dnnl(void) { return "this command was built without oneDNN's headers"; }
static int  prepare_dnnl(work *w, int int8) { (void)w; return int8 & 0; }
static void run_dnnl(work *w) { (void)w; }
static void release_dnnl(work *w) { (void)w; }

#endif

/* ------------------------------------------------------------- measure -- */

static const peer peers_of[TOOL_PEERS] = {
    { "openblas-fp32", open_blas, prepare_blas, run_blas, release_blas, 0 },
    { "onednn-fp32", open_dnnl, prepare_dnnl, run_dnnl, release_dnnl, 0 },
    { "onednn-int8", open_dnnl, prepare_dnnl, run_dnnl, release_dnnl, 1 },
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void release_layers(const peer *p, work *w, int n)
{
    for (int i = 0; i < n; i++)
        p->release(&w[i]);
}

/* The layers with weights of a network, ready to run on a batch; the number of them, or -1 when one cannot be prepared. */
static int prepare_layers(const peer *p, work *w, const bnn_network *net, uint32_t images)
{
    bnn_layer_info layer;
    int n = 0;
    for (uint32_t i = 0; bnn_network_get_layer(net, i, &layer) == BNN_OK; i++) {
        if (layer.MH == 0)
            continue;
        w[n] = (work){ .layer = layer, .images = images };
        if (!p->prepare(&w[n++], p->int8)) {
            release_layers(p, w, n);
            return -1;
        }
    }
    return n;
}

/* Median seconds of all layers, one after another: each finds the caches as the others left them. */
static double time_layers(const peer *p, work *w, int n, double budget)
{
    double spent[MOST_ROUNDS];
    int rounds = 0;
    for (int i = 0; i < n; i++)
        p->run(&w[i]); /* code made, pages mapped */
    const double end = tool_seconds() + budget;
    do {
        const double start = tool_seconds();
        for (int i = 0; i < n; i++)
            p->run(&w[i]);
        spent[rounds++] = tool_seconds() - start;
    } while (rounds < MOST_ROUNDS && tool_seconds() < end);
    qsort(spent, (size_t)rounds, sizeof *spent, by_value);
    return spent[rounds / 2];
}

/* Seconds of a whole network; < 0 when it cannot be prepared. */
static double time_network(const peer *p, const bnn_network *net, uint32_t images, double budget)
{
    bnn_network_info info;
    bnn_network_get_info(net, &info);
    work *w = calloc(info.layers, sizeof *w);
    const int n = w ? prepare_layers(p, w, net, images) : -1;
    const double seconds = n < 0 ? -1 : time_layers(p, w, n, budget);
    if (n >= 0)
        release_layers(p, w, n);
    free(w);
    return seconds;
}

int tool_peers_measure(tool_peer peers[TOOL_PEERS], const bnn_network *net, uint32_t batch, double seconds, bnn_error *err)
{
    (void)err;
    for (int i = 0; i < TOOL_PEERS; i++) {
        const peer *p = &peers_of[i];
        peers[i] = (tool_peer){ .name = p->name, .missing = p->open() };
        if (peers[i].missing)
            continue;
        const double many = time_network(p, net, batch, seconds), one = time_network(p, net, 1, seconds);
        if (many <= 0 || one <= 0) {
            peers[i].missing = "it refused a layer's shape, or memory ran out";
            continue;
        }
        peers[i].images_per_second = batch / many;
        peers[i].latency_us        = one * 1e6;
    }
    return BNN_OK;
}
