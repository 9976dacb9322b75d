/* dense.c -- the two gradients of acc[n][MH] = in[n][MW] weights^T. */
#include "train/model.h"

void bnn_dense_backward(bnn_model *m, bnn_block *b, const void *in, float *d_in, size_t n)
{
    const size_t MW = b->layer->MW, MH = b->layer->MH;
    bnn_gemm_run_tiles(&m->gemm, m->pool, 'T', 'N', MH, MW, n, b->d_acc, MH, in, MW, b->d_weights, MW);
    if (d_in)
        bnn_gemm_run_tiles(&m->gemm, m->pool, 'N', 'N', n, MW, MH, b->d_acc, MH, b->weights, MW, d_in, MW);
}
