/* finnthesizer.c -- from a trained archive to a BNN-PYNQ folder as the original's converter does it.
 *
 * Bit for bit, in float64 and in its order of operations; with its slips: a
 * threshold of a negative gamma is rounded up, one stricter than its sum
 * needs; dense layers of one bit are not rounded before they are halved; where
 * gamma is negative the weights are negated before they are quantised, so a
 * zero stays +1 and a half stays 0; pools take the maximum of what such a row
 * gives, not of what the trained graph's gives. `exact` (lasagne.c) has none
 * of these.
 *
 * Where gamma is 0 the original's thresholds are not numbers. Here such a row
 * is what the norm says: it always fires, or never.
 *
 * The folder's files are made in memory and read by the code that reads
 * folders, so that nothing is converted in two ways.
 */
#include "format/lasagne.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct maker {
    const bnn_lasagne *a;
    const bnn_pynq_overlay *o;
    const char    *path;
    bnn_pynq_file *file;
    size_t         files, room;
    bnn_error     *err;
};

/* A value that is not a number becomes `low`. */
static double clip(double v, double low, double high)
{
    return !(v > low) ? low : v < high ? v : high;
}

static double sign_of(double v)
{
    return v > 0 ? 1 : v < 0 ? -1 : 0;
}

/* ----------------------------------------------------------- thresholds -- */

/* Steps of T = (mean - b) + (step - beta) / (gamma * inv_std): 0, or -0.5 and 0.5. */
static double step_of(uint32_t thresholds, uint32_t k)
{
    return thresholds == 1 ? 0 : k == 0 ? -0.5 : 0.5;
}

static double round_threshold(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, double t, bool up)
{
    const bnn_layer *shape = bnn_pynq_shape(o, l);
    const bool popcount = l->domain == BNN_PYNQ_POPCOUNT;
    if (l->domain == BNN_PYNQ_FIXED)
        t *= 256; /* 8 bits of fraction */
    if (shape->kind == BNN_CONV || !popcount)
        t = up ? ceil(t) : floor(t);
    if (popcount)
        t = trunc((shape->MW + t) / 2);
    else if (shape->weight_bits == 1)
        t -= l->fold.MW - shape->MW; /* padding: inputs -1, weights +1 */
    return t;
}

static uint64_t threshold_word(const struct maker *m, uint32_t layer, uint32_t row, uint32_t k)
{
    const bnn_pynq_layer *l = &m->o->layer[layer];
    const bool fixed = l->domain == BNN_PYNQ_FIXED;
    const double low = fixed ? -0x1p62 : -32768, high = fixed ? 0x1p62 : 32767;
    if (row >= m->a->layer[layer].shape->MH)
        return (uint64_t)(int64_t)clip(65535, low, high); /* padding rows */
    const bnn_norm n = bnn_lasagne_norm(&m->a->layer[layer], row);
    const double step = step_of(l->nTH, k), slope = n.gamma * n.inv_std;
    if (slope == 0) /* of a 24-bit word only the low bits count */
        return (uint64_t)(int64_t)(n.beta >= step ? (fixed ? -0x1p23 : low) : (fixed ? 0x1p23 - 1 : high));
    const double t = sign_of(n.gamma) * ((n.mean - n.bias) + (step - n.beta) / slope);
    return (uint64_t)(int64_t)clip(round_threshold(m->o, l, t, n.gamma < 0), low, high);
}

/* -------------------------------------------------------------- weights -- */

/* -1, 0, +1 of two bits in two's complement, or one bit. */
static int weight_bits(const struct maker *m, uint32_t layer, uint32_t row, uint32_t synapse, uint64_t *bits)
{
    const bnn_lasagne_layer *l = &m->a->layer[layer];
    const bool real = row < l->shape->MH && synapse < l->shape->MW;
    const double w = real ? sign_of(bnn_lasagne_norm(l, row).gamma) * bnn_lasagne_weight(l, row, synapse) : 0;
    if (l->shape->weight_bits == 1) {
        *bits = w >= 0;
        return BNN_OK;
    }
    const double rounded = floor(w + 0.5);
    if (rounded < -1 || rounded > 1)
        return bnn_fail(m->err, BNN_ECORRUPT, "%s: layer %u row %u: weight %g; expected one that rounds to -1, 0 or +1", m->path,
                        layer, row, w);
    *bits = (uint64_t)(int64_t)rounded & 3;
    return BNN_OK;
}

static int weight_word(const struct maker *m, uint32_t layer, uint32_t pe, uint32_t w, uint64_t *word)
{
    const bnn_fold *fold = &m->o->layer[layer].fold;
    const uint32_t width = m->a->layer[layer].shape->weight_bits;
    int rc = BNN_OK;
    *word = 0;
    for (uint32_t i = 0; rc == BNN_OK && i < fold->SIMD; i++) {
        uint64_t bits = 0;
        rc = weight_bits(m, layer, bnn_neuron_at(fold, pe, w), bnn_synapse_at(fold, w, i), &bits);
        *word |= bits << (width * i);
    }
    return rc;
}

/* ---------------------------------------------------------------- files -- */

static uint8_t *add_file(struct maker *m, const char *name, size_t size)
{
    if (m->files == m->room) {
        const size_t room = 2 * m->room + 64;
        bnn_pynq_file *grown = realloc(m->file, room * sizeof *grown);
        if (!grown)
            return NULL;
        m->file = grown;
        m->room = room;
    }
    bnn_pynq_file *f = &m->file[m->files];
    *f = (bnn_pynq_file){ .data = bnn_alloc(size, 1), .size = size };
    snprintf(f->name, sizeof f->name, "%s", name);
    m->files += f->data != NULL;
    return f->data;
}

static int make_file(struct maker *m, uint32_t layer, uint32_t pe, bool thresholds)
{
    const bnn_pynq_layer *l = &m->o->layer[layer];
    const uint32_t words = thresholds ? l->fold.TMEM * l->nTH : l->fold.WMEM;
    char name[BNN_PYNQ_NAME];
    bnn_pynq_file_name(name, layer, pe, thresholds);
    uint8_t *p = add_file(m, name, 8 * (size_t)words);
    int rc = p ? BNN_OK : bnn_fail_memory(m->err, 8 * (size_t)words);
    for (uint32_t w = 0; rc == BNN_OK && w < words; w++) {
        uint64_t word = 0;
        if (thresholds)
            word = threshold_word(m, layer, w / l->nTH * l->fold.PE + pe, w % l->nTH);
        else
            rc = weight_word(m, layer, pe, w, &word);
        bnn_put_u64le(p + 8 * (size_t)w, word);
    }
    return rc;
}

/* Names joined by line ends, none after the last; without names, numbers. */
static int make_classes(struct maker *m)
{
    enum { DIGITS = 4 };
    const uint32_t classes = m->a->layer[m->a->layers - 1].shape->MH;
    const char *names = m->a->names;
    char numbers[BNN_PYNQ_ROWS * DIGITS] = "";
    for (uint32_t i = 0, at = 0; i < classes; i++)
        at += (uint32_t)snprintf(numbers + at, sizeof numbers - at, "%s%u", i ? "\n" : "", i);
    const char *text = names ? names : numbers;
    uint8_t *p = add_file(m, "classes.txt", strlen(text));
    if (!p)
        return bnn_fail_memory(m->err, strlen(text));
    memcpy(p, text, strlen(text));
    return BNN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const bnn_pynq_file *)a)->name, ((const bnn_pynq_file *)b)->name);
}

static int make_files(struct maker *m)
{
    int rc = make_classes(m);
    for (uint32_t i = 0; rc == BNN_OK && i < m->o->layers; i++)
        for (uint32_t p = 0; rc == BNN_OK && p < m->o->layer[i].fold.PE; p++) {
            rc = make_file(m, i, p, false);
            if (rc == BNN_OK && m->o->layer[i].nTH > 0)
                rc = make_file(m, i, p, true);
        }
    if (rc == BNN_OK)
        qsort(m->file, m->files, sizeof *m->file, by_name);
    return rc;
}

int bnn_finnthesize(bnn_network **out, const bnn_lasagne *a, const char *path, bnn_error *err)
{
    struct maker m = { .a = a, .o = &a->overlay, .path = path, .err = err };
    bnn_open_options options;
    bnn_open_options_default(&options);
    if (!a->is_overlay)
        return bnn_fail(err, BNN_EINVAL, "%s: fold finnthesizer; it knows lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2 and cnvW2A2 only", path);
    int rc = make_files(&m);
    if (rc == BNN_OK) {
        const bnn_pynq_source source = { .path = path, .file = m.file, .files = m.files };
        rc = bnn_pynq_read(out, m.o, &source, &options, err);
    }
    for (size_t i = 0; i < m.files; i++)
        bnn_free(m.file[i].data);
    free(m.file);
    return rc;
}
