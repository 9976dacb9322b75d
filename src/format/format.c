/* format.c -- the table of formats, and opening a network by name or path. */
#include "format/format.h"
#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

static const bnn_format *const format[] = { &bnn_format_network_file, &bnn_format_pynq, &bnn_format_lasagne };
enum { FORMATS = sizeof format / sizeof *format };

void bnn_open_options_default(bnn_open_options *options)
{
    *options = (bnn_open_options){ 0 };
}

/* The path of a network that ships; NULL in *out when there is none of this name. */
static int find_shipped(char **out, const char *name, bnn_error *err)
{
    bnn_catalog *catalog;
    *out = NULL;
    if (strchr(name, '/'))
        return BNN_OK;
    int rc = bnn_catalog_open(&catalog, "networks", err);
    if (rc != BNN_OK)
        return rc;
    for (size_t i = 0; rc == BNN_OK && !*out && bnn_catalog_name(catalog, i); i++)
        if (strcmp(bnn_catalog_name(catalog, i), name) == 0 && !(*out = bnn_strdup(bnn_catalog_path(catalog, i))))
            rc = bnn_fail_memory(err, strlen(bnn_catalog_path(catalog, i)));
    bnn_catalog_close(catalog);
    return rc;
}

static int fail_no_format(const char *path, bnn_error *err)
{
    if (access(path, F_OK) != 0)
        return bnn_fail(err, BNN_EIO, "%s: no such network or file; \"bnn info\" lists the networks that ship", path);
    if (bnn_is_folder(path))
        return bnn_fail(err, BNN_EMAGIC, "%s: a folder without 0-0-weights.bin; expected a BNN-PYNQ parameter folder or a network file", path);
    if (access(path, R_OK) != 0)
        return bnn_fail_errno(err, "cannot open", path);
    return bnn_fail(err, BNN_EMAGIC, "%s: not a network file; expected safetensors that \"bnn\" has written, or a BNN-PYNQ parameter folder", path);
}

static int open_path(bnn_network **out, const char *path, const bnn_open_options *options, bnn_error *err)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (format[i]->matches(path))
            return format[i]->open(out, path, options, err);
    return fail_no_format(path, err);
}

/* As many classes as the caller wants, in place of what the format found. */
static int set_classes(bnn_network *net, uint32_t classes, bnn_error *err)
{
    const uint32_t rows = bnn_topology_last(&net->topology)->MH;
    if (classes == 0 || classes == net->classes)
        return BNN_OK;
    if (classes > rows)
        return bnn_fail(err, BNN_ESHAPE, "%u classes; the last layer has %u rows", classes, rows);
    net->classes = classes;
    return bnn_network_finish(net, err);
}

int bnn_network_open(bnn_network **out, const char *name_or_path, const bnn_open_options *options, bnn_error *err)
{
    bnn_open_options defaults;
    bnn_open_options_default(&defaults);
    if (!out || !name_or_path)
        return bnn_fail(err, BNN_EINVAL, "network: %s is NULL", out ? "the name" : "the output");
    if (!options)
        options = &defaults;
    char *shipped;
    bnn_network *net = NULL;
    int rc = find_shipped(&shipped, name_or_path, err);
    if (rc == BNN_OK)
        rc = open_path(&net, shipped ? shipped : name_or_path, options, err);
    bnn_free(shipped);
    if (rc == BNN_OK && (rc = set_classes(net, options->classes, err)) != BNN_OK)
        bnn_fail_prefix(err, name_or_path);
    if (rc == BNN_OK)
        *out = net;
    else
        bnn_network_close(net);
    return rc;
}
