/* model.h -- a network in training: latent weights, batch norm, one batch of activations.
 *
 * A block is a conv or dense layer with what follows it, in the hardware's
 * order:  product -> batch norm -> quantise -> max-pool.  The last block ends
 * in scores. Letters: n images, R = n x positions rows of a product, MW inputs
 * and MH neurons of a row. Maps are [y][x][channel], so the map of one block
 * is the flat vector of the next.
 *
 * The products of the forward pass are those of the deployed network, by its
 * own kernels on bits (product.c); those of the backward pass are floats. Each
 * kind of step has one file: conv.c dense.c (backward), batchnorm.c pool.c
 * quantise.c dropout.c loss.c (forward and backward side by side). To add one: its file,
 * and its calls in bnn_model_forward and bnn_model_backward.
 *
 * Batches are cut into BNN_SLICES ranges of images, whatever the number of
 * threads, and partial sums are added in the order of the slices.
 */
#ifndef BNN_TRAIN_MODEL_H
#define BNN_TRAIN_MODEL_H

#include "kernel/kernel.h"
#include "net/network.h"
#include "train/adam.h"
#include "train/gemm.h"
#include "train/random.h"

enum { BNN_SLICES = 8 };

/* Where the statistics of batch norm come from. */
enum bnn_mode {
    BNN_BATCH,   /* this batch: a training step */
    BNN_MEASURE, /* this batch, and added up for bnn_model_measured */
    BNN_FROZEN,  /* as they are: the float graph that is folded and deployed */
};

/* Batch norm of one block as the float graph evaluates it:
 * z = (acc - mean) * scale + beta; bnn_norm_at is the only place that says so. */
typedef struct bnn_norm {
    float *mean, *scale, *beta; /* [MH] */
} bnn_norm;

static inline float bnn_norm_at(float acc, float mean, float scale, float beta)
{
    return (acc - mean) * scale + beta;
}

typedef struct bnn_block {
    const bnn_layer *layer;
    uint32_t  index;      /* of the layer in the topology */
    bool      pooled;     /* a maxpool layer follows */
    bool      last;
    bool      flat;       /* one position: dense, or a convolution whose window is its whole map */
    size_t    batch;      /* most images */
    size_t    positions;  /* of a product: output height x width */
    size_t    outputs;    /* the same after the pool */
    size_t    slices;     /* ranges of images in which its weight gradients are summed */

    bnn_adam  latent;     /* [MH][MW], in [-1, 1] */
    bnn_adam  gamma, beta;/* [MH]; of the last block one gamma, the gain */
    void     *weights;    /* operands [MH][MW]: the binary or ternary weights */
    int8_t   *small_weights; /* ... and as int8, which may be they */
    uint64_t *natural;    /* the same as bits (net/network.h) ... */
    void     *packed;     /* ... and as the kernels want them */
    bnn_mvtu  unit;       /* the product as a kernel's */
    bnn_norm  norm;       /* beta is a copy of beta.value */
    float    *inv;        /* [MH] 1 / sqrt(variance + eps) of the batch */
    double   *partial;    /* [BNN_SLICES][2][MH] */
    double   *measured;   /* [2][MH] sums over the batches of BNN_MEASURE */

    float    *acc;        /* [R][MH] products: exact integers; of the last block then the gradient by them */
    void     *out;        /* operands [n][outputs][MH], and the same as bits: */
    uint64_t *bits;       /* [n][outputs][planes][words]; NULL of the last block */
    uint8_t  *winner;     /* [n][outputs][MH] of a pool: which of the four */
    float    *d_out;      /* [n][outputs][MH] gradient of the loss by `out`, then by the z it came from */
    void     *d_acc;      /* operands [R][MH] gradient by `acc`; with coarse.c rounded to int8, of dense layers only */
    uint8_t  *w_blocks, *in_blocks; /* of coarse.c: indices of the weights, and of a dense layer's inputs */
    float    *d_weights;  /* [slices][MH][MW] */
    float    *k;          /* [5][MH] of the backward pass: three coefficients, gradients of beta and gamma */
} bnn_block;

typedef struct bnn_model {
    bnn_topology topology;
    uint32_t  classes;
    bool      trainable; /* has latents, moments and gradients */
    size_t    batch;     /* most images of one batch */
    uint32_t  blocks;
    bnn_block block[BNN_MAX_LAYERS];
    bnn_gemm  gemm;
    bnn_pool *pool;
    bnn_kernels kernels; /* the best level of this processor */
    void    **scratch;   /* [threads] for them */
    void     *input;     /* operands [batch][input size], and the same as the kernels read it: */
    void     *input_bits;/* bits, or int8 */
    int8_t   *input_values; /* the same as int8, which may be `input` */
    float    *d_logits;  /* [batch][MH of the last] */
    float    *d_input;   /* [batch][input size] gradient by the input; NULL: not wanted */
    void    **column;    /* [threads] operands: windows of a few images, for conv.c */
    float   **d_column;  /* [threads] */
    float   **line;      /* [threads] gradients of a line */
    int8_t  **values;    /* [threads] values of a line */
    uint8_t **room;      /* [threads] for coarse.c */
    uint64_t  seed;      /* of rounding and dropout */
    uint32_t  drop;      /* of 65536 hidden values, how many a training step drops */
    size_t    measured;  /* batches of BNN_MEASURE */
    uint64_t  steps;     /* of the optimiser so far */
} bnn_model;

/* `pool` must outlive the model. ENOMEM, EBACKEND. */
int  bnn_model_new(bnn_model **out, const bnn_topology *t, uint32_t classes, size_t batch, bool trainable,
                   const char *maths, bnn_pool *pool, bnn_error *err);
void bnn_model_free(bnn_model *m);
/* Has the backward pass leave the gradient by the input in m->d_input; before bnn_model_init. ENOMEM. */
int  bnn_model_want_input(bnn_model *m, bnn_error *err);
/* Latents uniform in [-1, 1); in layers that `from` (may be NULL) has in the same shape, near its weights. */
void bnn_model_init(bnn_model *m, uint64_t seed, const bnn_network *from);
void bnn_model_quantise_weights(bnn_model *m);    /* latents -> weights, after init or a checkpoint */

/* Runs the n images in m->input up to the accumulators of the last block. */
void bnn_model_forward(bnn_model *m, size_t n, enum bnn_mode mode);
/* Gradients of all parameters from m->d_logits, after a forward pass of BNN_BATCH. */
void bnn_model_backward(bnn_model *m, size_t n);
/* The part of it that multiplies: of one block, d_weights and d_out of the block before, from the gradient by its acc. */
void bnn_model_products(bnn_model *m, uint32_t block, size_t n);
/* One step of the optimiser; re-quantises the weights. */
void bnn_model_update(bnn_model *m, float learning_rate);
/* Freezes the statistics gathered with BNN_MEASURE, and starts to gather anew. */
void bnn_model_measured(bnn_model *m);

/* Range of slice i of n images. */
static inline size_t bnn_slice_at(size_t n, size_t slices, size_t i) { return n * i / slices; }

/* product.c: acc from the bits of the map before, with the partial sums of its statistics unless the mode is
 * BNN_FROZEN; weights to bits; values of `pixels` pixels to bits. */
int  bnn_product_new(bnn_model *m, bnn_error *err);
void bnn_product_forward(bnn_model *m, bnn_block *b, const void *bits, size_t n, enum bnn_mode mode);
void bnn_product_weights(bnn_model *m, bnn_block *b);
void bnn_product_bits(const bnn_model *m, uint64_t *out, const int8_t *values, uint32_t planes, size_t channels, size_t pixels);
/* One image of `values` becomes image i of m->input and m->input_bits. */
void bnn_model_set_input(bnn_model *m, size_t i, const float *values);

/* conv.c, dense.c: d_weights from d_acc and the operands of the map before, and
 * d_in ([n] x input size; NULL for the first block). */
void bnn_conv_backward(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n);
size_t bnn_conv_chunk(const bnn_block *b); /* images whose windows are unfolded at a time */
void bnn_dense_backward(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n);

/* batchnorm.c. Statistics: clear the partial sums of a slice, add those of `count` images from `first` on, then make
 * mean and scale of all. */
void bnn_norm_clear(bnn_block *b, size_t slice);
void bnn_norm_add(bnn_block *b, size_t slice, size_t first, size_t count);
void bnn_norm_statistics(bnn_block *b, size_t n, enum bnn_mode mode);
void bnn_norm_measured(bnn_block *b, size_t batches);
/* acc -> out, by pool, quantise, and in BNN_BATCH dropout. */
void bnn_norm_forward(bnn_model *m, bnn_block *b, size_t n, enum bnn_mode mode);
/* d_out -> d_z in its place, gradients of gamma and beta, and what gives the gradient by acc: of one line
 * (positions that share y; of all images) as floats, or all of it as operands in d_acc. */
void bnn_norm_backward(bnn_model *m, bnn_block *b, size_t n);
void bnn_norm_gradient(const bnn_block *b, float *out, size_t line);
void bnn_norm_store_gradient(bnn_model *m, bnn_block *b, size_t n);

/* Batch norm's parameters of some channels. */
typedef struct bnn_lines { const float *mean, *scale, *beta; } bnn_lines;

/* A value is the number of steps up to z, less 1; of one level (-1, +1) both are at 0, of two (-1, 0, +1) at -step and step. */
static inline int8_t bnn_value_at(float z, float step) { return (int8_t)((z >= -step) + (z >= step) - 1); }

/* quantise.c: rows of acc -> values; and back, d of the values -> d of z where the surrogate's slope is 1, else 0, with
 * sums of d and d (acc - mean) added to sb and sg. Rows are `stride` apart. */
void bnn_quantise_forward(int8_t *out, const float *acc, const bnn_lines *l, uint32_t levels, size_t rows, size_t channels);
void bnn_quantise_backward(float *d, float *sb, float *sg, const float *acc, const bnn_lines *l, size_t rows, size_t stride,
                           size_t channels);
void bnn_quantise_weights(int8_t *out, const float *latent, uint32_t bits, size_t n);

/* pool.c: the same of a line of pooled outputs; acc is the first of the two lines under it, `line` floats apart; `winner`
 * says which of the four was the largest. */
void bnn_pool_forward(int8_t *out, uint8_t *winner, const float *acc, size_t line, const bnn_lines *l, uint32_t levels,
                      size_t outputs, size_t channels);
void bnn_pool_backward(float *d, float *sb, float *sg, const uint8_t *winner, const float *acc, size_t line, const bnn_lines *l,
                       size_t outputs, size_t stride, size_t channels);

/* dropout.c: what a step drops of line `line` of a block's outputs (lines of all images counted through): the same
 * forward and backward, on any number of threads. */
typedef struct bnn_drop { bnn_random random; uint32_t rate; uint64_t bits; } bnn_drop;
bnn_drop bnn_drop_at(const bnn_model *m, const bnn_block *b, size_t line);
void     bnn_drop_values(bnn_drop d, int8_t *v, uint32_t bits, size_t n); /* of values of 1 or 2 bits */
void     bnn_drop_gradient(bnn_drop d, float *gradient, size_t n);

/* loss.c: statistics of the scalar norm of the scores, then cross entropy and its gradient. */
typedef struct bnn_loss { double sum; size_t correct; } bnn_loss;
void     bnn_scores_statistics(bnn_model *m, size_t n, enum bnn_mode mode);
void     bnn_scores_measured(bnn_block *b, size_t batches);
bnn_loss bnn_loss_forward(bnn_model *m, const uint16_t *labels, const float *teacher, float share, size_t n);
void     bnn_loss_backward(bnn_model *m, size_t n); /* d_logits -> gradient by acc, in its place, and the gain's gradient */

#endif
