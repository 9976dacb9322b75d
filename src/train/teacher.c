/* teacher.c -- asking a trained network. */
#include "train/teacher.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

#define GAIN 3.0 /* about half of what networks learn for themselves: a temperature of 2 */

int bnn_teacher_open(bnn_teacher *out, const bnn_network *net, bnn_shape input, uint32_t classes, size_t batch,
                     uint32_t threads, bnn_error *err)
{
    const bnn_shape s = net->rule.shape;
    bnn_options options;
    if (memcmp(&s, &input, sizeof s) != 0 || net->classes != classes)
        return bnn_fail(err, BNN_ESHAPE, "teacher of %ux%ux%u and %u classes; expected %ux%ux%u and %u", s.height, s.width,
                        s.channels, net->classes, input.height, input.width, input.channels, classes);
    bnn_options_default(&options);
    options.threads = threads;
    *out = (bnn_teacher){ .rows = bnn_topology_last(&net->topology)->MH, .classes = classes };
    out->images        = bnn_alloc(batch, bnn_shape_size(s));
    out->scores        = bnn_alloc(batch * out->rows, sizeof *out->scores);
    out->probabilities = bnn_alloc(batch * classes, sizeof *out->probabilities);
    if (!out->images || !out->scores || !out->probabilities)
        return bnn_fail_memory(err, batch * bnn_shape_size(s));
    return bnn_backend_cpu.open(&out->backend, net, &options, err);
}

void bnn_teacher_close(bnn_teacher *t)
{
    if (t->backend)
        bnn_backend_cpu.close(t->backend);
    bnn_free(t->images);
    bnn_free(t->scores);
    bnn_free(t->probabilities);
    *t = (bnn_teacher){ 0 };
}

static double deviation(const bnn_teacher *t, size_t n)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        for (uint32_t c = 0; c < t->classes; c++) {
            const double v = t->scores[i * t->rows + c];
            sum += v;
            square += v * v;
        }
    const double count = (double)n * t->classes, variance = square / count - sum / count * (sum / count);
    return sqrt(variance > 1 ? variance : 1);
}

int bnn_teacher_ask(bnn_teacher *t, size_t n, bnn_error *err)
{
    const int rc = bnn_backend_cpu.run(t->backend, t->images, n, t->scores, err);
    if (rc != BNN_OK)
        return rc;
    const double scale = GAIN / deviation(t, n);
    for (size_t i = 0; i < n; i++) {
        const int32_t *score = t->scores + i * t->rows;
        float *p = t->probabilities + i * t->classes;
        int32_t top = score[0];
        double sum = 0;
        for (uint32_t c = 1; c < t->classes; c++)
            top = score[c] > top ? score[c] : top;
        for (uint32_t c = 0; c < t->classes; c++)
            sum += exp(scale * (score[c] - top));
        for (uint32_t c = 0; c < t->classes; c++)
            p[c] = (float)(exp(scale * (score[c] - top)) / sum);
    }
    return BNN_OK;
}
