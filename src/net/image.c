/* image.c -- rows of lanes as hexadecimal numbers. */
#include "net/image.h"
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* A row under construction, a byte a bit, and the text so far. */
struct image { uint8_t *bits; size_t width; char *text; size_t used; };

static void put(struct image *m, size_t at, uint64_t word, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        m->bits[at + i] = word >> i & 1;
}

static void end_row(struct image *m)
{
    for (size_t digit = (m->width + 3) / 4; digit-- > 0;) {
        unsigned v = 0;
        for (size_t b = 0; b < 4 && digit * 4 + b < m->width; b++)
            v |= (unsigned)m->bits[digit * 4 + b] << b;
        m->text[m->used++] = "0123456789abcdef"[v];
    }
    m->text[m->used++] = '\n';
}

static void weight_row(struct image *m, const bnn_unit *u, const bnn_network *net, uint32_t row)
{
    const uint32_t lane = bnn_unit_lane_bits(u), part = bnn_unit_part_bits(u);
    for (uint32_t pe = 0; pe < u->PE; pe++)
        for (uint32_t k = 0; k < bnn_unit_parts(u); k++)
            put(m, (size_t)pe * lane + k * part,
                bnn_unit_weight_word(u, &net->topology.layer[u->layer], &net->matrix[u->layer], pe, row, k),
                lane - k * part < part ? lane - k * part : part);
}

static void threshold_row(struct image *m, const bnn_unit *u, const bnn_network *net, uint32_t row)
{
    for (uint32_t pe = 0; pe < u->PE; pe++)
        for (uint32_t k = 0; k < u->thresholds; k++)
            put(m, (size_t)(pe * u->thresholds + k) * u->sum_bits,
                bnn_unit_threshold_word(u, &net->topology.layer[u->layer], &net->matrix[u->layer], pe, row, k), u->sum_bits);
}

typedef void (*row_fn)(struct image *m, const bnn_unit *u, const bnn_network *net, uint32_t row);

static int write_memory(const bnn_unit *u, const bnn_network *net, row_fn fill, size_t width, uint32_t rows, const char *path, bnn_error *err)
{
    const size_t size = ((width + 3) / 4 + 1) * rows;
    struct image m = { .bits = bnn_alloc(width, 1), .width = width, .text = bnn_alloc(size, 1) };
    int rc = m.bits && m.text ? BNN_OK : bnn_fail_memory(err, size);
    for (uint32_t row = 0; rc == BNN_OK && row < rows; row++) {
        fill(&m, u, net, row);
        end_row(&m);
    }
    if (rc == BNN_OK)
        rc = bnn_file_write(path, m.text, m.used, err);
    bnn_free(m.bits);
    bnn_free(m.text);
    return rc;
}

int bnn_images_write(const bnn_design *d, const char *folder, const bnn_network *net, bnn_error *err)
{
    int rc = BNN_OK;
    for (uint32_t i = 0; rc == BNN_OK && i < d->units.count; i++) {
        const bnn_unit *u = &d->units.unit[i];
        char path[4096];
        snprintf(path, sizeof path, "%s/w%u.hex", folder, i);
        rc = write_memory(u, net, weight_row, (size_t)u->PE * bnn_unit_lane_bits(u), u->SF * u->NF, path, err);
        snprintf(path, sizeof path, "%s/t%u.hex", folder, i);
        if (rc == BNN_OK && u->thresholds)
            rc = write_memory(u, net, threshold_row, (size_t)u->PE * u->thresholds * u->sum_bits, u->NF, path, err);
    }
    return rc;
}
