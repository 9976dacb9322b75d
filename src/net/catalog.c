/* catalog.c -- finds the networks and topologies that ship.
 *
 * They lie in share/bnn/<kind>/ under the prefix that this library was
 * installed to (which may have been moved since), else where the library was
 * configured to look: the source tree of a build, the first prefix.
 */
#include "net/topology.h"
#include "base/file.h"
#include "base/mem.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BNN_DATA_DIRS /* for compilers run by hand */
#  define BNN_DATA_DIRS "."
#endif

struct bnn_catalog { char **name, **path; size_t count; };

static const char *suffix_of(const char *kind)
{
    return strcmp(kind, "networks") == 0 ? ".safetensors" : ".topology";
}

/* <folder>/<kind>, or NULL when there is no such folder. */
static char *kind_folder(const char *folder, const char *kind)
{
    char *path = bnn_path_join(folder, kind);
    if (path && bnn_is_folder(path))
        return path;
    bnn_free(path);
    return NULL;
}

/* The library lies in PREFIX/lib or PREFIX/lib/ARCHITECTURE. */
static char *beside_library(const char *kind)
{
    static const char *const up[] = { "../share/bnn", "../../share/bnn" };
    Dl_info info;
    if (!dladdr((const void *)(uintptr_t)beside_library, &info) || !info.dli_fname || !strchr(info.dli_fname, '/'))
        return NULL;
    char *found = NULL, *library = realpath(info.dli_fname, NULL);
    if (library)
        *strrchr(library, '/') = 0;
    for (size_t i = 0; library && !found && i < sizeof up / sizeof *up; i++) {
        char *share = bnn_path_join(library, up[i]);
        found = share ? kind_folder(share, kind) : NULL;
        bnn_free(share);
    }
    free(library);
    return found;
}

/* The first folder of the ':'-separated list that has a <kind>/ in it. */
static char *where_configured(const char *kind)
{
    const char *dirs = BNN_DATA_DIRS;
    char *found = NULL;
    while (*dirs && !found) {
        const size_t n = strcspn(dirs, ":");
        char *dir = bnn_strndup(dirs, n);
        found = dir ? kind_folder(dir, kind) : NULL;
        bnn_free(dir);
        dirs += n + (dirs[n] == ':');
    }
    return found;
}

char *bnn_catalog_folder(const char *kind)
{
    char *folder = beside_library(kind);
    return folder ? folder : where_configured(kind);
}

static int add(bnn_catalog *c, const char *folder, const char *file, const char *suffix)
{
    const size_t n = strlen(file), s = strlen(suffix);
    if (n <= s || strcmp(file + n - s, suffix) != 0)
        return 0;
    c->name[c->count] = bnn_strndup(file, n - s);
    c->path[c->count] = bnn_path_join(folder, file);
    return c->name[c->count] && c->path[c->count++] ? 0 : -1;
}

int bnn_catalog_open(bnn_catalog **out, const char *kind, bnn_error *err)
{
    char *folder = bnn_catalog_folder(kind);
    bnn_names names = { 0 };
    bnn_catalog *c = bnn_alloc(1, sizeof *c);
    int rc = c ? BNN_OK : bnn_fail_memory(err, sizeof *c);
    if (rc == BNN_OK && folder)
        rc = bnn_names_read(&names, folder, err);
    if (rc == BNN_OK) {
        c->name = bnn_alloc(names.count + 1, sizeof *c->name);
        c->path = bnn_alloc(names.count + 1, sizeof *c->path);
        rc = c->name && c->path ? BNN_OK : bnn_fail_memory(err, names.count * sizeof *c->name);
    }
    for (size_t i = 0; rc == BNN_OK && i < names.count; i++)
        if (add(c, folder, names.name[i], suffix_of(kind)) != 0)
            rc = bnn_fail_memory(err, strlen(names.name[i]));
    bnn_names_free(&names);
    bnn_free(folder);
    if (rc == BNN_OK)
        *out = c;
    else
        bnn_catalog_close(c);
    return rc;
}

const char *bnn_catalog_name(const bnn_catalog *c, size_t index)
{
    return index < c->count ? c->name[index] : NULL;
}

const char *bnn_catalog_path(const bnn_catalog *c, size_t index)
{
    return index < c->count ? c->path[index] : NULL;
}

void bnn_catalog_close(bnn_catalog *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->name && c->path && (c->name[i] || c->path[i]); i++) {
        bnn_free(c->name[i]);
        bnn_free(c->path[i]);
    }
    bnn_free(c->name);
    bnn_free(c->path);
    bnn_free(c);
}

static int parse_file(bnn_topology *out, const char *path, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_topology_parse(out, (const char *)file.data, file.size, err);
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    return rc;
}

int bnn_topology_open(bnn_topology *out, const char *name_path_or_text, bnn_error *err)
{
    if (strchr(name_path_or_text, '\n'))
        return bnn_topology_parse(out, name_path_or_text, strlen(name_path_or_text), err);
    bnn_catalog *c;
    int rc = bnn_catalog_open(&c, "topologies", err);
    if (rc != BNN_OK)
        return rc;
    size_t i = 0;
    while (i < c->count && strcmp(c->name[i], name_path_or_text) != 0)
        i++;
    rc = parse_file(out, i < c->count ? c->path[i] : name_path_or_text, err);
    bnn_catalog_close(c);
    return rc;
}
