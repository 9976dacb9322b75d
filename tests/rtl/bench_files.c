/* bench_files.c -- what the test benches of this folder read, and whether what they wrote is right.
 *
 *     bench_files write TOPOLOGY PORTS IMAGES    into the working folder
 *     bench_files check TOPOLOGY PORTS IMAGES    results.hex, first and last cycle in cycles.txt
 *
 * PORTS is 8 (byte_bench.v) or 64 (axi_bench.v). The network is drawn
 * (drawn_network.h); results must be the scalar kernels', and the cycles of
 * the first and the last result those of the estimate ("any" beside "check":
 * only the results, when the ports are held up).
 *
 *     config.hex    8: a nibble a line, 10 = store. 64: operation, address and value: 0 write,
 *                   1 read until bit 0 is 0, 2 read, which must give the value
 *     images.hex    words of the input port
 */
#include "drawn_network.h"

#include "bnn/overlay.h"
#include "net/design.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYER = 0x30, LANE = 0x38, INDEX = 0x40, PART = 0x48, LAST_PART = 0xc0, LAST_INDEX = 0xc4, SCAN = 0xc8, MODE = 0xcc,
       CHECKSUM = 0xd0, WINDOW = 0x1000 };

struct files { bnn_network *net; bnn_overlay *overlay; bnn_design design; uint32_t ports; size_t images; uint8_t *pixels; };

static void fail(const char *what, const bnn_error *err)
{
    printf("%s: %s\n", what, err ? err->message : "cannot be written or read");
    exit(1);
}

static FILE *open_file(const char *name, const char *mode)
{
    FILE *f = fopen(name, mode);
    if (!f)
        fail(name, NULL);
    return f;
}

static void set_up(struct files *s, const char *topology)
{
    bnn_error err = { 0 };
    bnn_overlay_options options;
    bnn_overlay_options_default(&options);
    options.port_bits = s->ports;
    options.pipe      = s->ports == 8; /* as `bnn overlay route` has it */
    if (drawn_network(&s->net, topology, &err) || bnn_overlay_open(&s->overlay, topology, NULL, &options, &err))
        fail(topology, &err);
    const char *text = bnn_overlay_text(s->overlay, "description");
    if (bnn_design_parse(&s->design, text, strlen(text), &err))
        fail(topology, &err);
    const size_t each = bnn_shape_size(s->net->topology.input);
    s->pixels = malloc(each * s->images);
    draw_images(s->pixels, each, s->images);
}

/* ---------------------------------------------------------- parameters -- */

struct memory { uint32_t layer, lanes, rows, parts, bits; };

static struct memory memory_of(const bnn_unit *u, uint32_t unit, uint32_t kind)
{
    if (kind == 0)
        return (struct memory){ 2 * unit, u->PE, u->SF * u->NF, bnn_unit_parts(u), bnn_unit_part_bits(u) };
    return (struct memory){ 2 * unit + 1, u->thresholds ? u->PE : 0, u->NF, u->thresholds, u->sum_bits };
}

static uint64_t word_of(const struct files *s, const struct memory *m, uint32_t lane, uint32_t row, uint32_t part)
{
    const bnn_unit *u = &s->design.units.unit[m->layer / 2];
    const bnn_layer *l = &s->net->topology.layer[u->layer];
    const bnn_matrix *matrix = &s->net->matrix[u->layer];
    return m->layer % 2 == 0 ? bnn_unit_weight_word(u, l, matrix, lane, row, part) : bnn_unit_threshold_word(u, l, matrix, lane, row, part);
}

/* Layer, lane and row, then the value: as rtl/bnn_byte_shell.v shifts them in. */
static void nibbles(const struct files *s, FILE *f, const struct memory *m, uint32_t lane, uint32_t row)
{
    uint32_t digits = 1;
    for (uint32_t i = 0; i < s->design.units.count; i++) {
        const bnn_unit *u = &s->design.units.unit[i];
        const uint32_t bits = bnn_unit_part_bits(u) > u->sum_bits ? bnn_unit_part_bits(u) : u->sum_bits;
        digits = (bits + 3) / 4 > digits ? (bits + 3) / 4 : digits;
    }
    char text[64];
    const int n = snprintf(text, sizeof text, "%02x%04x%04x%0*llx", m->layer, lane, row, (int)digits,
                           (unsigned long long)word_of(s, m, lane, row, 0));
    for (int i = 0; i < n; i++)
        fprintf(f, "%c\n", text[i]);
    fprintf(f, "10\n");
}

static void write_nibbles(const struct files *s, FILE *f)
{
    for (uint32_t i = 0; i < 2 * s->design.units.count; i++) {
        const struct memory m = memory_of(&s->design.units.unit[i / 2], i / 2, i % 2);
        for (uint32_t lane = 0; lane < m.lanes; lane++)
            for (uint32_t row = 0; row < m.rows; row++)
                nibbles(s, f, &m, lane, row);
    }
}

static void operation(FILE *f, unsigned kind, unsigned address, uint32_t value)
{
    fprintf(f, "%x%04x%08x\n", kind, address, value);
}

static void set_position(FILE *f, const struct memory *m)
{
    operation(f, 0, LAYER, m->layer);
    operation(f, 0, LANE, 0);
    operation(f, 0, INDEX, 0);
    operation(f, 0, PART, 0);
    operation(f, 0, LAST_PART, m->parts - 1);
    operation(f, 0, LAST_INDEX, m->rows - 1);
    operation(f, 0, MODE, m->bits <= 32);
}

/* Through the window, then read back: the overlay's checksum must be ours. */
static void window(const struct files *s, FILE *f, const struct memory *m)
{
    uint64_t sum = 0;
    set_position(f, m);
    for (uint32_t lane = 0; lane < m->lanes; lane++)
        for (uint32_t row = 0; row < m->rows; row++)
            for (uint32_t part = 0; part < m->parts; part++) {
                const uint64_t word = word_of(s, m, lane, row, part);
                operation(f, 0, WINDOW, (uint32_t)word);
                if (m->bits > 32)
                    operation(f, 0, WINDOW + 4, (uint32_t)(word >> 32));
                sum = (sum << 1 | sum >> 63) + word;
            }
    set_position(f, m);
    operation(f, 0, SCAN, m->lanes * m->rows * m->parts);
    operation(f, 1, SCAN, 0);
    operation(f, 2, CHECKSUM, (uint32_t)sum);
    operation(f, 2, CHECKSUM + 4, (uint32_t)(sum >> 32));
}

static void write_windows(const struct files *s, FILE *f)
{
    for (uint32_t i = 0; i < 2 * s->design.units.count; i++) {
        const struct memory m = memory_of(&s->design.units.unit[i / 2], i / 2, i % 2);
        if (m.lanes)
            window(s, f, &m);
    }
}

/* --------------------------------------------------------------- images -- */

/* The lanes of one image, a bit each, padded to whole 64-bit words. */
static void write_image(const struct files *s, FILE *f, const uint8_t *pixels)
{
    const size_t n = bnn_shape_size(s->net->topology.input), digits = s->ports / 4;
    const unsigned level = bnn_rule_level(&s->net->rule, pixels);
    for (size_t word = 0; word < (n + s->ports - 1) / s->ports; word++) {
        char text[17] = "";
        for (size_t d = 0; d < digits; d++) {
            unsigned v = 0;
            for (size_t b = 0, at = word * s->ports + (digits - 1 - d) * 4; b < 4; b++)
                v |= (unsigned)(at + b < n && pixels[at + b] >= level) << b;
            text[d] = "0123456789abcdef"[v];
        }
        fprintf(f, "%s\n", text);
    }
}

static void write_files(const struct files *s)
{
    FILE *config = open_file("config.hex", "w"), *images = open_file("images.hex", "w");
    if (s->net->rule.bits != 1)
        fail("a topology of 8-bit inputs; expected bits", NULL);
    (s->ports == 8 ? write_nibbles : write_windows)(s, config);
    for (size_t i = 0; i < s->images; i++)
        write_image(s, images, s->pixels + i * bnn_shape_size(s->net->topology.input));
    if (fclose(config) || fclose(images))
        fail("config.hex, images.hex", NULL);
}

/* ---------------------------------------------------------------- check -- */

static int check_scores(const struct files *s)
{
    bnn_error err = { 0 };
    bnn_runtime *scalar;
    bnn_options options;
    const bnn_unit *u = &s->design.units.unit[s->design.units.count - 1];
    const bnn_layer *last = bnn_topology_last(&s->net->topology);
    const size_t padding = (8 - u->MH * u->out_bits / 8 % 8) % 8 * (s->ports == 64);
    int32_t *scores = malloc(s->images * last->MH * sizeof *scores);
    bnn_options_default(&options);
    options.backend = "cpu";
    options.cpu     = "scalar";
    if (bnn_runtime_open(&scalar, s->net, &options, &err) || bnn_run(scalar, s->pixels, s->images, scores, NULL, &err))
        fail("scalar", &err);
    bnn_runtime_close(scalar);
    FILE *f = open_file("results.hex", "r");
    int bad = 0;
    for (size_t i = 0; i < s->images && !bad; i++) {
        unsigned byte = 0;
        for (uint32_t r = 0; r < last->MH && !bad; r++) {
            uint32_t sum = 0;
            for (uint32_t b = 0; b < u->out_bits && !bad; b += 8) {
                bad = fscanf(f, "%2x", &byte) != 1;
                sum |= byte << b;
            }
            const int32_t found = bnn_unit_dot(u, last, sum), expected = scores[i * last->MH + r];
            if (bad)
                printf("image %zu, row %u: no such result, or an unknown one\n", i, r);
            else if ((bad = found != expected))
                printf("image %zu, row %u: score %d; expected %d\n", i, r, found, expected);
        }
        for (size_t p = 0; p < padding && !bad; p++)
            bad = fscanf(f, "%2x", &byte) != 1;
    }
    fclose(f);
    free(scores);
    return bad;
}

static int check_cycles(const struct files *s)
{
    bnn_error err = { 0 };
    bnn_overlay_estimate e;
    unsigned long long first = 0, last = 0;
    if (bnn_overlay_get_estimate(s->overlay, &e, &err))
        fail("estimate", &err);
    FILE *f = open_file("cycles.txt", "r");
    const int n = fscanf(f, "%llu %llu", &first, &last);
    fclose(f);
    const double interval = (double)(last - first) / (double)(s->images - 1);
    printf("interval %.2f, latency %llu; estimate %llu, %llu\n", interval, first, (unsigned long long)e.initiation_interval_cycles,
           (unsigned long long)e.latency_cycles);
    return n != 2 || interval != (double)e.initiation_interval_cycles || first != e.latency_cycles;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    struct files s = { .ports = (uint32_t)atoi(argv[3]), .images = (size_t)atoi(argv[4]) };
    set_up(&s, argv[2]);
    int bad = 0;
    if (strcmp(argv[1], "write") == 0)
        write_files(&s);
    else
        bad = check_scores(&s) || (argc == 5 && check_cycles(&s));
    if (!bad && strcmp(argv[1], "check") == 0)
        printf("%zu images: every score equals the scalar kernels'\n", s.images);
    free(s.pixels);
    bnn_overlay_close(s.overlay);
    bnn_network_close(s.net);
    return bad;
}
