/* test_coarse.c -- the products with rounded gradients are exact, and the rounding is right on average. */
#include "train/coarse.h"
#include "train/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bnn_random random_numbers;

static int pick(int n) { return (int)bnn_random_below(&random_numbers, (uint32_t)n); }

/* A value of an operand of so many bits. */
static int value_of(uint32_t bits)
{
    return bits == 1 ? 2 * pick(2) - 1 : bits == 2 ? pick(3) - 1 : pick(256) - 128;
}

/* -------------------------------------------------------------- products -- */

enum { ROWS = 4, DEPTH = 48, COLUMNS = 64 };

static void check_product(uint32_t bits, size_t rows, size_t columns, bool down)
{
    static uint8_t tables[DEPTH / 16 * 16 * 4 * 64], blocks[BNN_LOOKUP_PLANES][DEPTH / 16 * 256];
    static int8_t q[COLUMNS][DEPTH], turned[DEPTH][COLUMNS], x[DEPTH][COLUMNS];
    float got[ROWS][COLUMNS];
    bnn_lookup_plane plane[BNN_LOOKUP_PLANES];
    const size_t planes = bnn_lookup_planes(plane, bits);
    for (size_t m = 0; m < COLUMNS; m++)
        for (size_t k = 0; k < DEPTH; k++)
            turned[k][m] = q[m][k] = (int8_t)(k % 16 == 5 ? pick(69) - 34 : pick(8) ? pick(63) - 31 : pick(2) ? 31 : -31);
    for (size_t k = 0; k < DEPTH; k++)
        for (size_t n = 0; n < COLUMNS; n++)
            x[k][n] = (int8_t)value_of(bits);
    for (size_t p = 0; p < planes; p++)
        for (size_t g = 0; g < DEPTH / 16; g++) {
            const int8_t *row[16];
            for (size_t i = 0; i < 16; i++)
                row[i] = x[g * 16 + i];
            bnn_lookup_block(blocks[p] + g * 256, row, columns, plane[p].shape);
        }
    if (down)
        for (size_t g = 0; g < DEPTH / 16; g++)
            bnn_lookup_tables_down(tables + g * 256, DEPTH / 16 * 256, turned[g * 16], COLUMNS);
    else
        for (size_t m = 0; m < rows; m++)
            bnn_lookup_tables(tables + m * DEPTH / 16 * 64, q[m], DEPTH / 16);
    for (size_t p = 0; p < planes; p++) {
        const bnn_lookup_tile t = { .tables = tables, .table_row = down ? 64 : DEPTH / 16 * 64, .table_step = down ? 256 : 64,
                                    .blocks = blocks[p], .segments = 1, .steps = DEPTH / 16 };
        bnn_lookup_product(&t, rows, columns, got[0], COLUMNS, plane[p].weight, p > 0);
    }
    for (size_t m = 0; m < rows; m++)
        for (size_t n = 0; n < columns; n++) {
            int sum = 0;
            for (size_t k = 0; k < DEPTH; k++)
                sum += q[m][k] * x[k][n];
            assert_true(got[m][n] == (float)sum);
        }
}

static void products_are_exact(void **state)
{
    (void)state;
    static const uint32_t bits[] = { 1, 2, 8 };
    for (int round = 0; round < 60; round++)
        check_product(bits[round % 3], 1 + (size_t)pick(4), round % 4 ? 1 + (size_t)pick(64) : 64, pick(2));
}

/* -------------------------------------------------------------- rounding -- */

static void rounding_is_right_on_average(void **state)
{
    (void)state;
    enum { N = 4096, TIMES = 256 };
    static float v[N];
    static int8_t q[N];
    static double mean[N];
    double all = 0;
    for (size_t i = 0; i < N; i++) {
        v[i] = 7 * bnn_random_unit(&random_numbers);
        mean[i] = 0;
    }
    v[0] = 7, v[1] = -7, v[2] = 0;
    for (size_t k = 0; k < TIMES; k++) {
        bnn_coarse_round(q, v, 31 / 7.0f, bnn_random_next(&random_numbers), 0, N);
        for (size_t i = 0; i < N; i++) {
            assert_true(fabs(q[i] - v[i] * (31 / 7.0)) <= 1.0001);
            assert_in_range(q[i] + 31, 0, 62);
            mean[i] += q[i] / (double)TIMES;
        }
        assert_true(q[0] == 31 && q[1] == -31 && q[2] == 0); /* whole numbers stay */
    }
    for (size_t i = 0; i < N; i++) { /* an error's standard deviation is at most 1/2, a mean's of 256 1/32 */
        assert_true(fabs(mean[i] - v[i] * (31 / 7.0)) < 6 / 32.0);
        all += (mean[i] - v[i] * (31 / 7.0)) / N;
    }
    assert_true(fabs(all) < 6 / 32.0 / sqrt(N));
}

/* Pieces round as the whole does: that is why threads change nothing. */
static void rounding_depends_on_the_place(void **state)
{
    (void)state;
    enum { N = 333 };
    float v[N];
    int8_t whole[N], piece[N], other[N];
    for (size_t i = 0; i < N; i++)
        v[i] = bnn_random_unit(&random_numbers);
    bnn_coarse_round(whole, v, 31, 42, 1000, N);
    bnn_coarse_round(piece, v, 31, 42, 1000, 100);
    bnn_coarse_round(piece + 100, v + 100, 31, 42, 1100, N - 100);
    bnn_coarse_round(other, v, 31, 43, 1000, N);
    assert_memory_equal(whole, piece, N);
    assert_memory_not_equal(whole, other, N);
}

/* ---------------------------------------------------------------- layers -- */

/* Sets the gradient by acc of row r, neuron 0: below a pool by its output, which one row of four gets. */
static void put(bnn_block *b, size_t r, float v)
{
    const size_t MH = b->layer->MH, width = b->layer->out.width, y = r / width, x = r % width;
    const size_t o = b->pooled ? y / 2 * (width / 2) + x / 2 : r, which = y % 2 * 2 + x % 2;
    if (b->pooled && v == 0 && b->winner[o * MH] != which)
        return; /* is 0, and another row's is not to change */
    (b->last ? b->acc : b->d_out)[o * MH] = v;
    if (b->pooled)
        b->winner[o * MH] = (uint8_t)which;
}

/* Whole gradients, the largest four that meet in a table 123 together in every
 * group: so the step is 1 and nothing is rounded. Returns those by acc. */
static float *set_gradients(bnn_block *b, size_t n)
{
    const size_t MH = b->layer->MH, size = b->outputs * MH, lines = n * b->layer->out.height, chunk = b->flat ? n : bnn_conv_chunk(b);
    float *all = calloc(n * b->positions * MH, sizeof *all);
    for (size_t i = 0; i < n * size; i++) {
        (b->last ? b->acc : b->d_out)[i] = (float)(pick(41) - 20);
        if (b->pooled)
            b->winner[i] = (uint8_t)pick(4);
    }
    for (size_t s = 0; s < b->slices; s++)
        for (size_t at = bnn_slice_at(n, b->slices, s); at < bnn_slice_at(n, b->slices, s + 1); at += chunk) {
            const size_t r = at * b->positions;
            put(b, r, 61);
            put(b, r + 4, 62);
            for (size_t k = 8; k < 16 && r + k < n * b->positions; k += 4)
                put(b, r + k, 0);
        }
    for (size_t c = 0; c < MH; c++) { /* a batch norm that changes nothing */
        b->k[c] = 1;
        b->k[MH + c] = b->k[2 * MH + c] = 0;
    }
    for (size_t i = 0; i < lines; i++)
        bnn_norm_gradient(b, all + i * b->layer->out.width * MH, i);
    return all;
}

static void set_values(int8_t *v, size_t n, uint32_t bits)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (int8_t)value_of(bits);
}

struct expected { double *weights, *in; };

static void plain_backward(const bnn_block *b, const float *d, const int8_t *in, const struct expected *e, size_t n)
{
    const bnn_layer *l = b->layer;
    const size_t K = b->flat ? 1 : l->kernel, C = l->MW / (K * K), width = l->in.width, in_size = bnn_shape_size(l->in);
    const int8_t *w = b->weights;
    for (size_t row = 0; row < n * b->positions; row++) {
        const size_t p = row % b->positions, y = p / l->out.width, x = p % l->out.width;
        for (size_t o = 0; o < l->MH; o++)
            for (size_t s = 0; s < l->MW; s++) {
                const size_t ky = s / C / K, kx = s / C % K;
                const size_t at = row / b->positions * in_size + ((y + ky) * width + x + kx) * C + s % C;
                e->weights[o * l->MW + s] += (double)d[row * l->MH + o] * in[at];
                e->in[at] += (double)d[row * l->MH + o] * w[o * l->MW + s];
            }
    }
}

static void check_block(bnn_model *m, uint32_t k, size_t n)
{
    bnn_block *b = &m->block[k], *before = k > 0 ? b - 1 : NULL;
    const size_t weights = (size_t)b->layer->MW * b->layer->MH, in_size = n * bnn_shape_size(b->layer->in);
    const struct expected e = { calloc(weights, sizeof(double)), calloc(in_size, sizeof(double)) };
    int8_t *in = before ? before->out : m->input;
    set_values(in, in_size, b->layer->input_bits);
    float *d = set_gradients(b, n);
    plain_backward(b, d, in, &e, n);
    bnn_model_products(m, k, n);
    for (size_t i = 0; i < weights; i++) {
        double sum = 0;
        for (size_t s = 0; s < b->slices; s++)
            sum += b->d_weights[s * weights + i];
        assert_true(sum == e.weights[i]);
    }
    for (size_t i = 0; before && i < in_size; i++)
        assert_true(before->d_out[i] == e.in[i]);
    free(d);
    free(e.weights);
    free(e.in);
}

static void check_layers(const char *text, size_t batch, size_t n)
{
    bnn_topology t;
    bnn_pool *threads;
    bnn_model *m;
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_pool_open(&threads, 2, NULL), BNN_OK);
    assert_int_equal(bnn_model_new(&m, &t, bnn_topology_last(&t)->MH, batch, true, "int6", threads, NULL), BNN_OK);
    bnn_model_init(m, 5, NULL);
    for (uint32_t k = 0; k < m->blocks; k++) {
        check_block(m, k, batch);
        check_block(m, k, n); /* fewer images than before */
    }
    bnn_model_free(m);
    bnn_pool_close(threads);
}

static void layers_are_exact(void **state)
{
    (void)state;
    check_layers("input 3x5x1 bit\ndense 70 w1 a1\ndense 130 w2 a2\ndense 5 w1 scores\n", 37, 20);
    check_layers("input 5x5x2 uint8\nconv 66 3x3 w1 a1\nconv 33 3x3 w1 a2\ndense 3 w2 scores\n", 21, 21); /* a window as large as its map */
    check_layers("input 18x14x3 uint8\nconv 64 3x3 w1 a1\nmaxpool 2x2\nconv 20 3x3 w2 a2\nconv 70 2x2 w1 a1\ndense 9 w1 a1\n"
                 "dense 4 w1 scores\n", 9, 5);
}

/* ---------------------------------------------------------------- passes -- */

enum { IMAGES = 48 };

/* A step's gradients with the given maths; the forward pass is the same for all. NULL without its library. */
static bnn_model *gradients(const bnn_topology *t, const char *maths, bnn_pool *threads)
{
    bnn_model *m;
    float picture[256];
    uint16_t labels[IMAGES];
    const size_t size = bnn_shape_size(t->input);
    bnn_random r = bnn_random_at(11, BNN_FOR_WEIGHTS, 0);
    if (bnn_model_new(&m, t, 4, IMAGES, true, maths, threads, NULL) != BNN_OK)
        return NULL;
    bnn_model_init(m, 5, NULL);
    for (size_t i = 0; i < IMAGES; i++) {
        labels[i] = (uint16_t)bnn_random_below(&r, 4);
        for (size_t k = 0; k < size; k++)
            picture[k] = (float)((int)bnn_random_below(&r, 200) - 128 + 16 * labels[i]);
        bnn_model_set_input(m, i, picture);
    }
    bnn_model_forward(m, IMAGES, BNN_BATCH);
    bnn_loss_forward(m, labels, NULL, 0, IMAGES);
    bnn_model_backward(m, IMAGES);
    return m;
}

static double weight_gradient(const bnn_block *b, size_t i)
{
    double sum = 0;
    for (size_t s = 0; s < b->slices; s++)
        sum += b->d_weights[s * b->latent.size + i];
    return sum;
}

/* Through all layers: the float gradient, neither longer nor shorter, with a few per cent of noise. */
static void gradients_are_those_of_floats(void **state)
{
    (void)state;
    const char *text = "input 9x9x3 uint8\nconv 64 3x3 w1 a1\nconv 32 2x2 w2 a2\nmaxpool 2x2\ndense 40 w1 a1\ndense 4 w1 scores\n";
    bnn_topology t;
    bnn_pool *threads;
    assert_int_equal(bnn_topology_parse(&t, text, strlen(text), NULL), BNN_OK);
    assert_int_equal(bnn_pool_open(&threads, 2, NULL), BNN_OK);
    bnn_model *m = gradients(&t, "int6", threads), *f = gradients(&t, "onednn-f32", threads);
    f = f ? f : gradients(&t, "openblas-f32", threads);
    assert_non_null(m);
    for (uint32_t k = 0; f && k < m->blocks; k++) {
        double mf = 0, mm = 0, ff = 0;
        for (size_t i = 0; i < m->block[k].latent.size; i++) {
            const double x = weight_gradient(&m->block[k], i), y = weight_gradient(&f->block[k], i);
            mf += x * y, mm += x * x, ff += y * y;
        }
        if (!(mf / sqrt(mm * ff) > 0.98 && fabs(mf / ff - 1) < 0.04))
            fail_msg("block %u: cosine %.4f, slope %.4f", k, mf / sqrt(mm * ff), mf / ff);
    }
    if (!f)
        print_message("no float library to compare with\n");
    bnn_model_free(m);
    bnn_model_free(f);
    bnn_pool_close(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(rounding_is_right_on_average),
        cmocka_unit_test(rounding_depends_on_the_place),
        cmocka_unit_test(layers_are_exact),
        cmocka_unit_test(gradients_are_those_of_floats),
    };
    if (!bnn_lookup_works()) {
        print_message("this processor has no AVX-512 with VBMI and VNNI\n");
        return 77;
    }
    random_numbers = bnn_random_at(7, BNN_FOR_WEIGHTS, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
