/* fuzz_pynq.c -- a BNN-PYNQ folder whose files all hold the same bytes, and a network's notes on such a folder.
 *
 * Byte 0 chooses the overlay and variant, byte 1 how many of the bytes are classes.txt; the files are links to one
 * file. What can be read must go through our file. The notes (bnn-pynq.rest) are laid over an empty file each.
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
    bnn_network *net, *again;
    bnn_error err;
    uint8_t *file;
    size_t n;
    bnn_open_options_default(&options);
    options.topology = kind[i].name;
    options.variant  = kind[i].variant;
    classes = classes < size ? classes : size;
    scratch_write(folder[i], "classes.txt", data, classes);
    scratch_write(folder[i], "blob", data + classes, size - classes);
    if (bnn_network_open(&net, folder[i], &options, &err) != BNN_OK)
        return;
    if (bnn_network_write(&file, &n, net, &err) != BNN_OK || bnn_network_read(&again, file, n, &err) != BNN_OK
        || again->checksum != net->checksum)
        abort();
    bnn_network_close(again);
    bnn_network_close(net);
    bnn_free(file);
}

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

/* Opening a few hundred files is slow: only one input in 16 is tried as a folder, chosen by a hash (FNV-1a), so that a
 * minute has room for the rest. The seeds are made to be chosen. */
static bool is_chosen(const uint8_t *data, size_t size)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ data[i]) * 16777619u;
    return size >= 2 && h % 16 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!folder[0][0])
        make_folders();
    try_rest(data, size);
    if (is_chosen(data, size))
        try_folder(data[0] % KINDS, data[1], data + 2, size - 2);
    return 0;
}
