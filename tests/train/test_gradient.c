/* test_gradient.c -- backward passes against finite differences of the stated surrogate.
 *
 * The surrogate network is the trainer's with every staircase replaced by
 * h(z) = min(1, max(-1, z)): the forward pass that the gradients belong to. It
 * is written here a second time, in doubles and without speed, with weights
 * that are any numbers; its derivative by each weight, gamma and beta (by
 * central differences) is what the backward pass of src/train must give.
 *
 * What the trainer's forward pass leaves for its backward pass is the
 * surrogate's here: `acc` and `out` are filled in from this file's own.
 */
#include "train/model.h"
#include "train/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 6, MOST = 1 << 14 };

static double h(double z) { return z > 1 ? 1 : z < -1 ? -1 : z; }

/* Values of one layer for all images; both passes use the same order. */
struct map { double v[MOST]; };

static void product(const bnn_layer *l, const float *w, const struct map *in, struct map *out)
{
    const size_t in_size = bnn_shape_size(l->in), positions = (size_t)l->out.height * l->out.width, k = l->kernel ? l->kernel : 1;
    for (size_t i = 0; i < N; i++)
        for (size_t p = 0; p < positions; p++)
            for (size_t r = 0; r < l->MH; r++) {
                double acc = 0;
                const float *row = w + r * l->MW;
                if (l->kind == BNN_DENSE)
                    for (size_t s = 0; s < l->MW; s++)
                        acc += row[s] * in->v[i * in_size + s];
                else
                    for (size_t s = 0; s < l->MW; s++) {
                        const size_t c = s % l->in.channels, kx = s / l->in.channels % k, ky = s / l->in.channels / k;
                        const size_t y = p / l->out.width + ky, x = p % l->out.width + kx;
                        acc += row[s] * in->v[i * in_size + (y * l->in.width + x) * l->in.channels + c];
                    }
                out->v[(i * positions + p) * l->MH + r] = acc;
            }
}

static void norm(const bnn_layer *l, const float *gamma, const float *beta, struct map *m)
{
    const size_t R = N * (size_t)l->out.height * l->out.width;
    for (size_t c = 0; c < l->MH; c++) {
        double mean = 0, variance = 0;
        for (size_t r = 0; r < R; r++)
            mean += m->v[r * l->MH + c] / (double)R;
        for (size_t r = 0; r < R; r++)
            variance += pow(m->v[r * l->MH + c] - mean, 2) / (double)R;
        for (size_t r = 0; r < R; r++)
            m->v[r * l->MH + c] = gamma[c] * (m->v[r * l->MH + c] - mean) / sqrt(variance + 1e-4) + beta[c];
    }
}

static void pool(const bnn_layer *l, struct map *m)
{
    struct map *in = malloc(sizeof *in);
    *in = *m;
    for (size_t i = 0; i < N; i++)
        for (size_t y = 0; y < l->out.height; y++)
            for (size_t x = 0; x < l->out.width; x++)
                for (size_t c = 0; c < l->out.channels; c++) {
                    double most = -INFINITY;
                    for (size_t k = 0; k < 4; k++)
                        most = fmax(most, in->v[((i * l->in.height + 2 * y + k / 2) * l->in.width + 2 * x + k % 2) * l->in.channels + c]);
                    m->v[((i * l->out.height + y) * l->out.width + x) * l->out.channels + c] = most;
                }
    free(in);
}

static double cross_entropy(const bnn_layer *l, double gain, const uint16_t *labels, const struct map *m)
{
    double mean = 0, variance = 0, loss = 0;
    const size_t values = N * (size_t)l->MH;
    for (size_t i = 0; i < values; i++)
        mean += m->v[i] / (double)values;
    for (size_t i = 0; i < values; i++)
        variance += pow(m->v[i] - mean, 2) / (double)values;
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t c = 0; c < l->MH; c++)
            sum += exp(gain * (m->v[i * l->MH + c] - mean) / sqrt(variance + 1e-4));
        loss -= gain * (m->v[i * l->MH + labels[i]] - mean) / sqrt(variance + 1e-4) - log(sum);
    }
    return loss / N;
}

static float *weights_of(bnn_block *b) { return b->weights; } /* operands of onednn-f32 and openblas-f32 are floats */

/* The surrogate's loss; `out` (may be NULL) gets h of each block's values. */
static double surrogate(bnn_model *m, const struct map *input, const uint16_t *labels, struct map *out)
{
    struct map *in = malloc(sizeof *in), *next = malloc(sizeof *next);
    double loss = 0;
    *in = *input;
    for (uint32_t k = 0; k < m->blocks; k++) {
        bnn_block *b = &m->block[k];
        product(b->layer, weights_of(b), in, next);
        if (b->last) {
            loss = cross_entropy(b->layer, b->gamma.value[0], labels, next);
            break;
        }
        norm(b->layer, b->gamma.value, b->beta.value, next);
        if (b->pooled)
            pool(&m->topology.layer[b->index + 1], next);
        for (size_t i = 0; i < N * b->outputs * b->layer->MH; i++)
            in->v[i] = h(next->v[i]);
        if (out)
            out[k] = *in;
    }
    free(in);
    free(next);
    return loss;
}

static double difference(bnn_model *m, const struct map *input, const uint16_t *labels, float *p)
{
    const float was = *p, step = 2e-4f;
    *p = was + step;
    const double up = surrogate(m, input, labels, NULL), above = *p;
    *p = was - step;
    const double down = surrogate(m, input, labels, NULL), below = *p;
    *p = was;
    return (up - down) / (above - below);
}

/* Most differences agree closely; a few straddle a corner of h or of the maximum. */
struct score { size_t tried, close; double dot, aa, bb; };

static void compare(struct score *s, double got, double expected)
{
    s->tried++;
    s->close += fabs(got - expected) <= 2e-3 * (fabs(expected) + 1e-2);
    s->dot += got * expected;
    s->aa += got * got;
    s->bb += expected * expected;
}

static void assert_agrees(const struct score *s, const char *what)
{
    const double cosine = s->dot / sqrt(s->aa * s->bb);
    if (s->close * 100 < s->tried * 95 || !(cosine > 0.999))
        fail_msg("%s: %zu of %zu gradients within 0.2 %%, cosine %.6f", what, s->close, s->tried, cosine);
}

static void train_forward_as_surrogate(bnn_model *m, const struct map *in, const struct map *out)
{
    struct map *acc = malloc(sizeof *acc);
    for (uint32_t k = 0; k < m->blocks; k++) {
        bnn_block *b = &m->block[k];
        product(b->layer, weights_of(b), in, acc);
        for (size_t i = 0; i < N * b->positions * b->layer->MH; i++)
            b->acc[i] = (float)acc->v[i];
        if (b->last) {
            bnn_scores_statistics(m, N, BNN_BATCH);
            continue;
        }
        for (size_t s = 0; s < BNN_SLICES; s++)
            bnn_norm_clear(b, s);
        bnn_norm_add(b, 0, 0, N);
        bnn_norm_statistics(b, N, BNN_BATCH);
        bnn_norm_forward(m, b, N, BNN_BATCH); /* for the winners of the pool */
        for (size_t i = 0; i < N * b->outputs * b->layer->MH; i++)
            ((float *)b->out)[i] = (float)out[k].v[i];
        in = &out[k];
    }
    free(acc);
}

static int open_model(bnn_model **m, const bnn_topology *t, bnn_pool *threads, bnn_error *err)
{
    const uint32_t classes = bnn_topology_last(t)->MH;
    return bnn_model_new(m, t, classes, N, true, "onednn-f32", threads, err) == BNN_OK ? BNN_OK
           : bnn_model_new(m, t, classes, N, true, "openblas-f32", threads, err);
}

static void check(const char *text)
{
    bnn_topology t;
    bnn_pool *threads;
    bnn_model *m;
    bnn_error err;
    struct map *input = calloc(1, sizeof *input), *out = calloc(8, sizeof *out);
    uint16_t labels[N];
    bnn_random r = bnn_random_at(3, BNN_FOR_WEIGHTS, 0);
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_pool_open(&threads, 2, NULL), BNN_OK);
    if (open_model(&m, &t, threads, &err) != BNN_OK) {
        print_message("%s\n", err.message);
        exit(77);
    }
    bnn_model_init(m, 5, NULL);
    for (size_t i = 0; i < N * bnn_shape_size(t.input); i++)
        ((float *)m->input)[i] = (float)(input->v[i] = bnn_random_unit(&r));
    for (size_t i = 0; i < N; i++)
        labels[i] = (uint16_t)bnn_random_below(&r, bnn_topology_last(&t)->MH);
    for (uint32_t k = 0; k < m->blocks; k++) {
        bnn_block *b = &m->block[k];
        for (size_t i = 0; i < b->latent.size; i++)
            weights_of(b)[i] = b->latent.value[i]; /* any numbers: the surrogate is linear in them */
        for (size_t i = 0; !b->last && i < b->layer->MH; i++) {
            b->gamma.value[i] = bnn_random_unit(&r); /* negative ones too */
            b->beta.value[i]  = 0.5f * bnn_random_unit(&r);
        }
    }
    surrogate(m, input, labels, out);
    train_forward_as_surrogate(m, input, out);
    bnn_loss_forward(m, labels, NULL, 0, N);
    bnn_model_backward(m, N);
    for (uint32_t k = 0; k < m->blocks; k++) {
        bnn_block *b = &m->block[k];
        struct score weights = { 0 }, norms = { 0 };
        for (size_t i = 0; i < b->latent.size; i += 1 + b->latent.size / 150) {
            double sum = 0;
            for (size_t p = 0; p < b->slices; p++)
                sum += b->d_weights[p * b->latent.size + i];
            compare(&weights, sum, difference(m, input, labels, &weights_of(b)[i]));
        }
        assert_agrees(&weights, "weights");
        for (size_t i = 0; !b->last && i < b->layer->MH; i++) {
            compare(&norms, b->k[3 * b->layer->MH + i], difference(m, input, labels, &b->beta.value[i]));
            compare(&norms, b->k[4 * b->layer->MH + i], difference(m, input, labels, &b->gamma.value[i]));
        }
        if (b->last)
            compare(&norms, b->k[0], difference(m, input, labels, &b->gamma.value[0]));
        assert_agrees(&norms, "gamma and beta");
    }
    bnn_model_free(m);
    bnn_pool_close(threads);
    free(input);
    free(out);
}

static void dense_layers(void **state)
{
    (void)state;
    check("input 3x4x1 bit\ndense 20 w1 a1\ndense 9 w1 a1\ndense 5 w1 scores\n");
}

static void conv_pool_and_dense_layers(void **state)
{
    (void)state;
    check("input 10x12x2 uint8\nconv 6 3x3 w1 a1\nmaxpool 2x2\nconv 5 2x2 w2 a2\ndense 7 w1 a1\ndense 4 w1 scores\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_layers),
        cmocka_unit_test(conv_pool_and_dense_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
