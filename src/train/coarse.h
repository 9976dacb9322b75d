/* coarse.h -- the backward products with gradients rounded to a few bits.
 *
 * Of the two operands of a backward product one is -1, 0, +1 (or the input)
 * and exact anyway. The other, the gradient by the accumulators, is rounded to
 * q step, up or down at random so that its mean is the gradient itself;
 * lookup.h then multiplies exactly, some four times as fast as bfloat16
 * products. One step serves the images of a group: those whose weight
 * gradients are added up as integers. It is the smallest with which any four
 * that meet in a table add up to a byte: a q has 5 bits and its sign where the four
 * are alike, and 7 where one is much larger than the others, as it mostly is.
 *
 * Which way a gradient is rounded is a function of seed, step, block and place,
 * so neither threads nor resuming change it.
 */
#ifndef BNN_TRAIN_COARSE_H
#define BNN_TRAIN_COARSE_H

#include "train/lookup.h"
#include "train/model.h"

/* Rooms of the trainable blocks, when m->gemm is of this kind; ENOMEM. */
int  bnn_coarse_new(bnn_model *m, bnn_error *err);
int  bnn_coarse_want_input(bnn_model *m, bnn_error *err); /* of the first block its weights' blocks as well */
void bnn_coarse_free(bnn_model *m);

/* Weights to indices, after they changed. */
void bnn_coarse_weights(bnn_model *m, bnn_block *b);

/* As bnn_conv_backward and bnn_dense_backward; the gradient is bnn_norm_gradient's. */
void bnn_coarse_conv(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n);
void bnn_coarse_dense(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n);

/* q[n], |q| <= 127, with q step near v, its mean v: element i rounds by random number `first` + i of `key`. */
void bnn_coarse_round(int8_t *q, const float *v, float per_step, uint64_t key, uint32_t first, size_t n);

#endif
