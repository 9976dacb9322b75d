/* fuzz_pynq.c -- BNN-PYNQ folders, and a network's notes on such a folder.
 *
 * Byte 0 chooses the overlay and variant, byte 1 how many of the bytes are classes.txt; the rest are the files. A folder of
 * one of the original's overlays is millions of weights, each of which costs time here, so nearly all inputs are folders of
 * an overlay like it with a few hundred, in memory. What can be read must come back, through our file and byte for byte.
 */
#include "base/mem.h"
#include "format/format.h"
#include "format/pynq.h"
#include "format/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct { const char *name, *variant; } kind[] = {
    { "lfcW1A1", NULL }, { "lfcW1A2", NULL }, { "cnvW2A2", NULL }, { "cnvW1A1", "workshop" },
};
enum { KINDS = sizeof kind / sizeof *kind };

/* ------------------------------------------------------------- small ones -- */

static const struct { const char *topology, *folding; } small[KINDS] = {
    { "input 4x5x1 bit\ndense 16 w1 a1\ndense 64 w1 bits\n", "pe 4 simd 8\npe 8 simd 8\n" },
    { "input 4x5x1 bit\ndense 16 w1 a2\ndense 64 w1 bits\n", "pe 4 simd 8\npe 8 simd 8\n" },
    { "input 6x6x3 uint8\nconv 8 3x3 w2 a2\nmaxpool 2x2\ndense 64 w2 scores\n", "pe 2 simd 3\npe 1 simd 2\n" },
    { "input 6x6x3 uint8\nconv 8 3x3 w1 a1\nmaxpool 2x2\ndense 64 w1 scores\n", "pe 4 simd 3\npe 1 simd 4\n" },
};
enum { MOST_FILES = 64 };

/* The overlay with the layers of the small topology in place of its own. */
static void make_small(bnn_pynq_overlay *o, int i)
{
    bnn_folding folding;
    bnn_pynq_overlay_find(o, kind[i].name, kind[i].variant, NULL);
    const enum bnn_pynq_domain first = o->layer[0].domain, later = o->layer[1].domain;
    o->layers = 0;
    o->origin = NULL; /* which only networks of the original's shapes may have */
    if (bnn_topology_parse(&o->topology, small[i].topology, strlen(small[i].topology), NULL) != BNN_OK
        || bnn_folding_parse(&folding, &o->topology, small[i].folding, strlen(small[i].folding), NULL) != BNN_OK)
        abort();
    for (uint32_t l = 0; l < o->topology.layers; l++)
        if (o->topology.layer[l].kind != BNN_MAXPOOL) {
            o->layer[o->layers] = (bnn_pynq_layer){ .index = l, .nTH = o->topology.layer[l].thresholds, .fold = folding.layer[l],
                                                    .domain = o->layers ? later : first };
            o->layers++;
        }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const bnn_pynq_file *)a)->name, ((const bnn_pynq_file *)b)->name);
}

/* classes.txt, and files of which the k-th holds the bytes from the k-th on. */
static size_t make_files(bnn_pynq_file *file, const bnn_pynq_overlay *o, const uint8_t *data, size_t classes, size_t size)
{
    size_t n = 0;
    file[n++] = (bnn_pynq_file){ "classes.txt", (uint8_t *)(uintptr_t)data, classes };
    for (unsigned l = 0; l < o->layers; l++)
        for (unsigned p = 0; p < 2 * o->layer[l].fold.PE; p++, n++) {
            const size_t at = classes + n < size ? classes + n : size;
            bnn_pynq_file_name(file[n].name, l, p / 2, p % 2);
            file[n].data = (uint8_t *)(uintptr_t)data + at;
            file[n].size = size - at;
        }
    qsort(file, n, sizeof *file, by_name);
    return n;
}

static void comes_back(const bnn_network *net, const bnn_pynq_overlay *o, const bnn_pynq_file *file)
{
    const bnn_extra *extra = bnn_network_find_extra(net, BNN_PYNQ_REST);
    bnn_pynq_rest rest;
    uint8_t *content;
    size_t size;
    bool exact;
    if (!extra || bnn_pynq_rest_open(&rest, extra, NULL) != BNN_OK
        || bnn_pynq_content(&content, &size, o, net, file->name, &exact, NULL) != BNN_OK)
        abort();
    const bnn_pynq_rest_file *noted = bnn_pynq_rest_find(&rest, file->name);
    if (noted && bnn_pynq_rest_apply(noted, &content, &size, NULL) != BNN_OK)
        abort();
    if (size != file->size || (size > 0 && memcmp(content, file->data, size) != 0))
        abort();
    bnn_free(content);
    bnn_pynq_rest_close(&rest);
}

static void goes_through_our_file(const bnn_network *net)
{
    bnn_network *again;
    bnn_error err = { 0 };
    uint8_t *file;
    size_t n;
    if (bnn_network_write(&file, &n, net, &err) != BNN_OK || bnn_network_read(&again, file, n, &err) != BNN_OK
        || again->checksum != net->checksum) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    bnn_network_close(again);
    bnn_free(file);
}

static void try_small(int i, size_t classes, const uint8_t *data, size_t size)
{
    static bnn_pynq_overlay overlay[KINDS];
    bnn_pynq_file file[MOST_FILES];
    const bnn_pynq_overlay *o = &overlay[i];
    bnn_open_options options;
    bnn_network *net;
    bnn_open_options_default(&options);
    if (o->layers == 0)
        make_small(&overlay[i], i);
    const size_t n = make_files(file, o, data, classes < size ? classes : size, size);
    if (bnn_pynq_read(&net, o, &(bnn_pynq_source){ "memory", file, n }, &options, NULL) != BNN_OK)
        return;
    goes_through_our_file(net);
    for (size_t k = 0; k < n; k++)
        comes_back(net, o, &file[k]);
    bnn_network_close(net);
}

/* ---------------------------------------------------------------- folders -- */

static char folder[KINDS][256];

static void drop_folders(void)
{
    for (int i = 0; i < KINDS; i++)
        scratch_remove(folder[i]);
}

static void link_file(const char *in, unsigned layer, unsigned pe, bool thresholds)
{
    char name[BNN_PYNQ_NAME];
    bnn_pynq_file_name(name, layer, pe, thresholds);
    if (link(scratch_path(in, "blob"), scratch_path(in, name)) != 0)
        abort();
}

static void make_folders(void)
{
    for (int i = 0; i < KINDS; i++) {
        bnn_pynq_overlay o;
        bnn_pynq_overlay_find(&o, kind[i].name, kind[i].variant, NULL);
        scratch_make(folder[i]);
        scratch_write(folder[i], "blob", "", 0);
        for (unsigned l = 0; l < o.layers; l++)
            for (unsigned p = 0; p < o.layer[l].fold.PE; p++) {
                link_file(folder[i], l, p, false);
                link_file(folder[i], l, p, true);
            }
    }
    atexit(drop_folders);
}

static void try_folder(int i, size_t classes, const uint8_t *data, size_t size)
{
    bnn_open_options options;
    bnn_network *net;
    bnn_open_options_default(&options);
    options.topology = kind[i].name;
    options.variant  = kind[i].variant;
    classes = classes < size ? classes : size;
    scratch_write(folder[i], "classes.txt", data, classes);
    scratch_write(folder[i], "blob", data + classes, size - classes);
    if (bnn_network_open(&net, folder[i], &options, NULL) != BNN_OK)
        return;
    goes_through_our_file(net);
    bnn_network_close(net);
}

/* ------------------------------------------------------------------ notes -- */

static void try_rest(const uint8_t *data, size_t size)
{
    const bnn_extra extra = { (char *)(uintptr_t) "bnn-pynq.rest", (uint8_t *)(uintptr_t)data, size };
    bnn_pynq_rest rest;
    bnn_error err;
    if (bnn_pynq_rest_open(&rest, &extra, &err) != BNN_OK)
        return;
    for (size_t i = 0; i < rest.files; i++) {
        uint8_t *content = bnn_alloc(16, 1);
        size_t n = 16;
        bnn_pynq_rest_apply(&rest.file[i], &content, &n, &err);
        bnn_free(content);
    }
    bnn_pynq_rest_close(&rest);
}

/* One input in 1024, by a hash (FNV-1a), is tried as a folder of the original's size too. The seeds are made to be chosen. */
static bool is_chosen(const uint8_t *data, size_t size)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 16777619u;
    return h % 1024 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!folder[0][0])
        make_folders();
    try_rest(data, size);
    if (size < 2)
        return 0;
    try_small(data[0] % KINDS, data[1], data + 2, size - 2);
    if (is_chosen(data, size))
        try_folder(data[0] % KINDS, data[1], data + 2, size - 2);
    return 0;
}
