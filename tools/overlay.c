/* overlay.c -- `bnn overlay`: accelerators from a topology: new, estimate, search, write, build, synth, route, export. */
#include "hardware.h"
#include "output.h"

#include <bnn/overlay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct design {
    const char *topology, *folding, *format, *device, *svg, *cache;
    double      clock, fps;
    uint32_t    ports;
    int         pipe, waves;
    tool_common common;
};

static int open_design(bnn_overlay **out, const struct design *d, bnn_error *err)
{
    bnn_overlay_options options;
    bnn_overlay_options_default(&options);
    options.port_bits = d->ports;
    options.pipe      = d->pipe != 0;
    if (!d->topology)
        return tool_fail(err, TOOL_USAGE, "no topology; expected --topology T");
    return bnn_overlay_open(out, d->topology, d->folding, &options, err);
}

/* -------------------------------------------------------------- estimate -- */

static int get_layers(bnn_overlay *o, const bnn_overlay_estimate *e, bnn_overlay_layer *layer, bnn_error *err)
{
    int rc = BNN_OK;
    for (uint32_t i = 0; rc == BNN_OK && i < e->layers; i++)
        rc = bnn_overlay_get_layer(o, i, &layer[i], err);
    return rc;
}

static void print_table(const bnn_overlay_estimate *e, const bnn_overlay_layer *layer, double clock)
{
    tool_print("layer            PE  SIMD     NF x SF        cycles   queue      LUT  BRAM36\n");
    for (uint32_t i = 0; i < e->layers; i++) {
        const bnn_overlay_layer *l = &layer[i];
        tool_print("%2u %-10s %5u %5u %6u x %-5u %10llu %7u %8u %7.1f%s\n", i, l->kind, l->PE, l->SIMD, l->NF, l->SF,
                   (unsigned long long)l->cycles, l->queue, l->lut, l->bram36, i == e->bottleneck ? "  <- bottleneck" : "");
    }
    tool_print("\ninitiation interval %llu cycles, latency %llu: %.0f images/s and %.1f us at %.0f MHz\n",
               (unsigned long long)e->initiation_interval_cycles, (unsigned long long)e->latency_cycles,
               clock * 1e6 / (double)e->initiation_interval_cycles, (double)e->latency_cycles / clock, clock);
    tool_print("%u LUT (model of xc7 synthesis), %.1f BRAM36\n", e->lut, e->bram36);
}

static void print_json(const bnn_overlay_estimate *e, const bnn_overlay_layer *layer, double clock)
{
    json_t *layers = json_array();
    for (uint32_t i = 0; i < e->layers; i++) {
        const bnn_overlay_layer *l = &layer[i];
        json_array_append_new(layers, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b}", "kind", l->kind, "pe", (json_int_t)l->PE,
                                                "simd", (json_int_t)l->SIMD, "nf", (json_int_t)l->NF, "sf", (json_int_t)l->SF,
                                                "cycles", (json_int_t)l->cycles, "queue", (json_int_t)l->queue, "lut", (json_int_t)l->lut,
                                                "bram36", l->bram36, "bottleneck", i == e->bottleneck));
    }
    tool_print_json(json_pack("{s:o, s:I, s:I, s:f, s:f, s:I, s:f}", "layers", layers, "initiation_interval_cycles",
                              (json_int_t)e->initiation_interval_cycles, "latency_cycles", (json_int_t)e->latency_cycles,
                              "images_per_second", clock * 1e6 / (double)e->initiation_interval_cycles, "clock_mhz", clock,
                              "lut", (json_int_t)e->lut, "bram36", e->bram36), JSON_INDENT(2));
}

/* The pipeline as bars: each layer's share of the interval in which it works. */
static int write_svg(const char *path, const bnn_overlay_estimate *e, const bnn_overlay_layer *layer, bnn_error *err)
{
    enum { ROW = 26, WIDTH = 420, LEFT = 190 };
    FILE *f = fopen(path, "w");
    if (!f)
        return tool_fail(err, BNN_EIO, "cannot write %s", path);
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" font-family=\"sans-serif\" font-size=\"13\">\n",
            LEFT + WIDTH + 120, (e->layers + 2) * ROW);
    fprintf(f, "<text x=\"4\" y=\"18\">one frame every %llu cycles; bars: share of it that a layer works</text>\n",
            (unsigned long long)e->initiation_interval_cycles);
    for (uint32_t i = 0; i < e->layers; i++) {
        const double share = (double)layer[i].cycles / (double)e->initiation_interval_cycles;
        const unsigned y = (i + 1) * ROW;
        fprintf(f, "<text x=\"4\" y=\"%u\">%u %s  %u x %u</text>\n", y + 17, i, layer[i].kind, layer[i].PE, layer[i].SIMD);
        fprintf(f, "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", LEFT, y + 2, share * WIDTH, ROW - 6,
                i == e->bottleneck ? "#c0392b" : "#2e86c1");
        fprintf(f, "<text x=\"%.1f\" y=\"%u\">%.0f %%</text>\n", LEFT + share * WIDTH + 6, y + 17, share * 100);
    }
    fprintf(f, "</svg>\n");
    return fclose(f) == 0 ? BNN_OK : tool_fail(err, BNN_EIO, "cannot write %s", path);
}

static int show(bnn_overlay *o, const struct design *d, bnn_error *err)
{
    bnn_overlay_estimate e;
    int rc = bnn_overlay_get_estimate(o, &e, err);
    bnn_overlay_layer *layer = rc == BNN_OK ? calloc(e.layers, sizeof *layer) : NULL;
    if (rc == BNN_OK && !layer)
        rc = tool_fail(err, BNN_ENOMEM, "not enough memory for %u layers", e.layers);
    if (rc == BNN_OK)
        rc = get_layers(o, &e, layer, err);
    if (rc == BNN_OK && d->svg)
        rc = write_svg(d->svg, &e, layer, err);
    if (rc == BNN_OK)
        (*d->format == 'j' ? print_json : print_table)(&e, layer, d->clock);
    free(layer);
    return rc;
}

static int estimate(struct design *d, const tool_line *line, bnn_error *err)
{
    bnn_overlay *o;
    (void)line;
    int rc = open_design(&o, d, err);
    if (rc != BNN_OK)
        return rc;
    rc = show(o, d, err);
    bnn_overlay_close(o);
    return rc;
}

/* ------------------------------------------------------- new and search -- */

static int write_file(const char *path, const char *text, bnn_error *err)
{
    FILE *f = fopen(path, "wx");
    if (!f)
        return tool_fail(err, BNN_EIO, "cannot make %s; expected a name that is free in a folder that can be written", path);
    fputs(text, f);
    return fclose(f) == 0 ? BNN_OK : tool_fail(err, BNN_EIO, "cannot write %s", path);
}

static int new_files(struct design *d, const tool_line *line, bnn_error *err)
{
    char path[4096];
    (void)d;
    if (line->argc != 1)
        return tool_fail(err, TOOL_USAGE, "overlay new: %d names; expected NAME", line->argc);
    snprintf(path, sizeof path, "%s.topology", line->argv[0]);
    int rc = write_file(path,
        "# One line a layer. `bnn overlay estimate` tells what it costs, `bnn overlay search` finds a folding.\n"
        "input 28x28x1 bit       # height x width x channels; bit, or uint8 for 8 bits a value\n"
        "dense 64 w1 a1          # neurons, weights of 1 bit (w2: -1, 0, +1), activations of 1 bit (a2 likewise)\n"
        "dense 64 w1 a1          # conv 64 3x3 w1 a1 and maxpool 2x2 are the other layers\n"
        "dense 10 w1 scores      # the last: a row a class\n", err);
    snprintf(path, sizeof path, "%s.folding", line->argv[0]);
    if (rc == BNN_OK)
        rc = write_file(path,
            "# One line a layer with weights: PE neurons at a time, SIMD inputs each. A layer takes\n"
            "# (MW / SIMD) x (MH / PE) cycles for each output pixel; the slowest layer sets the rate.\n"
            "pe 16 simd 64\n"
            "pe 4 simd 16\n"
            "pe 2 simd 8\n", err);
    if (rc == BNN_OK)
        tool_print("%s.topology\n%s.folding\n", line->argv[0], line->argv[0]);
    return rc;
}

static int search(struct design *d, const tool_line *line, bnn_error *err)
{
    bnn_overlay *o;
    const bnn_overlay_target target = { .images_per_second = d->fps, .device = d->device, .clock_mhz = d->clock };
    if (!d->topology)
        return tool_fail(err, TOOL_USAGE, "no topology; expected --topology T");
    int rc = bnn_overlay_search(&o, d->topology, &target, NULL, err);
    if (rc != BNN_OK)
        return rc;
    if (line->argc == 1)
        rc = write_file(line->argv[0], bnn_overlay_text(o, "folding"), err);
    else
        tool_print("%s\n", bnn_overlay_text(o, "folding"));
    if (rc == BNN_OK)
        rc = show(o, d, err);
    bnn_overlay_close(o);
    return rc;
}

/* ------------------------------------------------------ write and build -- */

static int folder_of(const tool_line *line, const char **folder, bnn_error *err)
{
    if (line->argc != 1)
        return tool_fail(err, TOOL_USAGE, "%d folders; expected FOLDER", line->argc);
    *folder = line->argv[0];
    return BNN_OK;
}

/* Into FOLDER: Verilog, scripts, and, with -n, the network's memory images. */
static int write_design(struct design *d, const tool_line *line, bnn_error *err)
{
    const char *folder = NULL;
    bnn_overlay *o = NULL;
    bnn_network *net = NULL;
    int rc = folder_of(line, &folder, err);
    if (rc == BNN_OK)
        rc = open_design(&o, d, err);
    if (rc == BNN_OK && d->common.network)
        rc = bnn_network_open(&net, d->common.network, &d->common.open, err);
    if (rc == BNN_OK)
        rc = bnn_overlay_write(o, folder, net, err);
    if (rc == BNN_OK)
        tool_print("%s\n", folder);
    bnn_network_close(net);
    bnn_overlay_close(o);
    return rc;
}

static int build(struct design *d, const tool_line *line, bnn_error *err)
{
    char cache[2048], object[4096];
    bnn_overlay *o;
    (void)line;
    tool_cache(cache, sizeof cache);
    int rc = open_design(&o, d, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_overlay_build(o, d->cache ? d->cache : cache, d->waves, object, sizeof object, err);
    if (rc == BNN_OK)
        tool_print("%s\n", object);
    bnn_overlay_close(o);
    return rc;
}

/* ------------------------------------------------------- synth and route -- */

/* Writes into FOLDER, runs what `make` names there, and shows its report. */
static int run_tools(struct design *d, const tool_line *line, const char *make, bnn_error *err)
{
    const char *folder = NULL;
    char path[4096], text[512];
    bnn_overlay *o = NULL;
    int rc = folder_of(line, &folder, err);
    if (rc == BNN_OK)
        rc = open_design(&o, d, err);
    if (rc == BNN_OK)
        rc = bnn_overlay_make(o, folder, make, err);
    if (rc == BNN_OK) {
        snprintf(path, sizeof path, "%s/%s.txt", folder, make);
        FILE *f = fopen(path, "r");
        while (f && fgets(text, sizeof text, f))
            tool_print("%s", text);
        if (f)
            fclose(f);
        tool_print("%s\n", path);
    }
    bnn_overlay_close(o);
    return rc;
}

/* What BNN-PYNQ's documents say of its overlays on PYNQ-Z1 (Vivado 2018.2, with DMA engines and queues), at the foldings that ship. */
static const struct published { const char *topology; unsigned lut, ff; double bram36; } published[] = {
    { "lfcW1A1", 28360, 33470, 110 },   { "lfcW1A2", 48981, 45338, 110 }, { "cnvW1A1", 26072, 41312, 124 },
    { "cnvW1A2", 40321, 56276, 131.5 }, { "cnvW2A2", 37302, 51386, 140 },
};

static void print_published(const struct design *d)
{
    for (size_t i = 0; i < sizeof published / sizeof *published; i++)
        if (!d->folding && strcmp(published[i].topology, d->topology) == 0)
            tool_print("%-30s %8u %8u %8.1f\n", "published, Vivado 2018.2", published[i].lut, published[i].ff, published[i].bram36);
}

/* The model, what Yosys made (the one line of synth.txt), and what is published. */
static int compare(struct design *d, const char *folder, bnn_error *err)
{
    bnn_overlay *o;
    bnn_overlay_estimate e;
    char path[4096];
    unsigned lut = 0, ff = 0;
    double bram36 = 0;
    int rc = open_design(&o, d, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_overlay_get_estimate(o, &e, err);
    bnn_overlay_close(o);
    snprintf(path, sizeof path, "%s/synth.txt", folder);
    FILE *f = rc == BNN_OK ? fopen(path, "r") : NULL;
    const int found = f ? fscanf(f, "yosys xc7: %u LUT (%*u logic, %*u memory), %u FF, %*u CARRY4, %lf BRAM36", &lut, &ff, &bram36) : 0;
    if (f)
        fclose(f);
    if (rc == BNN_OK && found != 3)
        rc = tool_fail(err, BNN_ECORRUPT, "%s: no counts; expected those of Yosys", path);
    if (rc != BNN_OK)
        return rc;
    tool_print("\n%-30s %8s %8s %8s\n", "xc7", "LUT", "FF", "BRAM36");
    tool_print("%-30s %8u %8s %8.1f\n", "estimate", e.lut, "-", e.bram36);
    tool_print("%-30s %8u %8u %8.1f\n", "Yosys", lut, ff, bram36);
    print_published(d);
    tool_print("\n");
    return BNN_OK;
}

static int synth(struct design *d, const tool_line *line, bnn_error *err)
{
    int rc = run_tools(d, line, "synth", err);
    if (rc == BNN_OK)
        rc = compare(d, line->argv[0], err);
    return rc == BNN_OK ? estimate(d, line, err) : rc;
}

static int route(struct design *d, const tool_line *line, bnn_error *err)
{
    const char *device = d->device ? d->device : "ice40-hx8k";
    const int small = strcmp(device, "ice40-hx8k") == 0;
    if (!small && strcmp(device, "ecp5-85k") != 0)
        return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --device; routing knows ice40-hx8k and ecp5-85k", device);
    d->ports = 8; /* streams of bytes: neither part has a processor beside it */
    d->pipe  = 1;
    return run_tools(d, line, small ? "route_ice40" : "route_ecp5", err);
}

static int export(struct design *d, const tool_line *line, bnn_error *err)
{
    const int rc = write_design(d, line, err);
    if (rc == BNN_OK)
        tool_print("vivado.tcl makes a project for PYNQ-Z1, PYNQ-Z2 or Ultra96; no vendor tool has run it yet\n");
    return rc;
}

/* ------------------------------------------------------------------- run -- */

static const struct action { const char *name; int (*run)(struct design *d, const tool_line *line, bnn_error *err); } actions[] = {
    { "new", new_files }, { "estimate", estimate }, { "search", search }, { "write", write_design },
    { "build", build },   { "synth", synth },       { "route", route },   { "export", export },
};

static int run(tool_line *line, bnn_error *err)
{
    struct design d = { .common = tool_common_default(), .format = "text", .clock = 100, .ports = 64 };
    const tool_option options[] = {
        OPTION_TEXT(0, "topology", "T", &d.topology, "topology: name of one that ships, or file"),
        OPTION_TEXT(0, "folding", "F", &d.folding, "folding file (default: beside the topology)"),
        OPTION_REAL(0, "clock", "MHZ", &d.clock, 1, 2000, "for images/s (default 100)"),
        OPTION_CHOICE(0, "format", "text|json", &d.format, "how an estimate is printed (default text)"),
        OPTION_TEXT(0, "svg", "FILE", &d.svg, "also draw the pipeline"),
        OPTION_REAL(0, "fps", "N", &d.fps, 0, 1e12, "search: images/s to reach (default: as many as fit)"),
        OPTION_CHOICE(0, "device", "xc7z020|ecp5-85k|ice40-hx8k", &d.device, "search: the budget; route: the part"),
        OPTION_NUMBER(0, "ports", "BITS", &d.ports, 8, 64, "of the stream ports: 64 (default), or 8 for few pins"),
        OPTION_FLAG(0, "pipe", &d.pipe, "a register more after the memories"),
        OPTION_FLAG(0, "trace", &d.waves, "build: with waves"),
        OPTION_TEXT(0, "cache", "FOLDER", &d.cache, "build: where objects are kept"),
        OPTION_TEXT('n', "network", "NET", &d.common.network, "write: also this network's memory images"),
        OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc != BNN_OK)
        return rc;
    if (line->argc < 1)
        return tool_fail(err, TOOL_USAGE, "no action; expected new, estimate, search, write, build, synth, route or export");
    const char *name = line->argv[0];
    const tool_line rest = { line->command, line->argc - 1, line->argv + 1 };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, name) == 0) {
            rc = actions[i].run(&d, &rest, err);
            return rc == BNN_EINVAL ? TOOL_USAGE : rc;
        }
    return tool_fail(err, TOOL_USAGE, "overlay \"%s\"; expected new, estimate, search, write, build, synth, route or export", name);
}

const tool_command tool_overlay = {
    "overlay", "new|estimate|search|write|build|synth|route|export [FILE|FOLDER]", "streaming accelerators: estimate, simulate, synthesise",
    "An overlay is a topology and a folding (PE and SIMD of each layer) in hardware.\n"
    "`new NAME` writes both to start from; `estimate` tells cycles, LUT and BRAM;\n"
    "`search [FILE]` finds a folding; `build` makes the simulation that --backend overlay\n"
    "runs; `write FOLDER` its Verilog and scripts; `synth FOLDER` and `route FOLDER` run\n"
    "Yosys and nextpnr; `export FOLDER` adds a Vivado project.",
    run
};
