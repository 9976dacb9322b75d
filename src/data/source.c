/* source.c -- the table of kinds: from a path to the sources that it stands for. */
#include "data/source.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <sys/stat.h>

/* The first that matches; docs/data.md has this order too. */
static const bnn_source_kind *const kinds[] = {
    &bnn_source_folder, &bnn_source_records, &bnn_source_list, &bnn_source_picture, &bnn_source_idx, &bnn_source_records_by_size,
};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* ---------------------------------------------------------------- paths -- */

bool bnn_path_ends(const char *path, const char *suffix)
{
    const size_t n = strlen(path), k = strlen(suffix);
    return n >= k && strcasecmp(path + n - k, suffix) == 0;
}

const char *bnn_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *bnn_path_folder(const char *path)
{
    const size_t n = (size_t)(bnn_path_base(path) - path);
    return n == 0 ? bnn_strdup(".") : bnn_strndup(path, n);
}

/* ---------------------------------------------------------------- notes -- */

int bnn_notes_add(bnn_notes *notes, const char *line, bnn_error *err)
{
    if (notes->count == notes->room) {
        const size_t room = notes->room ? 2 * notes->room : 16;
        char **grown = realloc(notes->line, room * sizeof *grown);
        if (!grown)
            return bnn_fail_memory(err, room * sizeof *grown);
        notes->line = grown;
        notes->room = room;
    }
    notes->line[notes->count] = bnn_strdup(line);
    if (!notes->line[notes->count])
        return bnn_fail_memory(err, strlen(line));
    notes->count++;
    return BNN_OK;
}

void bnn_notes_free(bnn_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        bnn_free(notes->line[i]);
    free(notes->line);
    *notes = (bnn_notes){ 0 };
}

/* -------------------------------------------------------------- sources -- */

static int look_at(bnn_candidate *c, bnn_error *err)
{
    struct stat st;
    if (stat(c->path, &st) != 0)
        return bnn_fail_errno(err, "cannot open", c->path);
    c->folder = S_ISDIR(st.st_mode);
    c->size   = (uint64_t)st.st_size;
    if (c->folder)
        return BNN_OK;
    if (!S_ISREG(st.st_mode))
        return bnn_fail(err, BNN_EIO, "%s: not a regular file", c->path);
    const int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t n = fd < 0 ? -1 : read(fd, c->head, sizeof c->head);
    const int rc = n < 0 ? bnn_fail_errno(err, fd < 0 ? "cannot open" : "cannot read", c->path) : BNN_OK;
    if (fd >= 0)
        close(fd);
    c->head_size = n < 0 ? 0 : (size_t)n;
    return rc;
}

static void close_source(bnn_source *s)
{
    s->kind->close(s);
    bnn_free(s->path);
    bnn_free(s->labels);
    bnn_names_free(&s->classes);
}

static int add_source(bnn_sources *all, const char *path, const bnn_source_kind *kind, const bnn_source_options *o, bnn_error *err)
{
    bnn_source *grown = realloc(all->source, (all->count + 1) * sizeof *grown);
    if (!grown)
        return bnn_fail_memory(err, sizeof *grown);
    all->source = grown;
    bnn_source *s = &grown[all->count];
    *s = (bnn_source){ .kind = kind, .path = bnn_strdup(path) };
    if (!s->path)
        return bnn_fail_memory(err, strlen(path));
    all->count++; /* closed with the others, whatever comes */
    return kind->open(s, o, err);
}

static int add_file(bnn_sources *all, const bnn_candidate *c, bnn_error *err)
{
    for (size_t i = 0; i < N_KINDS; i++)
        if (kinds[i]->matches(c))
            return add_source(all, c->path, kinds[i], c->options, err);
    const bnn_shape r = c->options->record;
    return bnn_fail(err, BNN_EMAGIC, "%s: %s; expected a picture (PNG, JPEG, PNM), IDX, a list (.txt), records of %zu bytes or a folder",
                    c->path, c->size ? "not of a known kind" : "empty", 1 + bnn_shape_size(r));
}

static int add_path(bnn_sources *all, const char *path, const bnn_source_options *o, bnn_error *err)
{
    bnn_candidate c = { .path = path, .options = o };
    const int rc = look_at(&c, err);
    return rc == BNN_OK ? add_file(all, &c, err) : rc;
}

static int add_within(bnn_sources *all, const char *folder, const char *name, const bnn_source_options *o, bnn_error *err)
{
    char *path = bnn_path_join(folder, name);
    const int rc = path ? add_path(all, path, o, err) : bnn_fail_memory(err, strlen(folder));
    bnn_free(path);
    return rc;
}

static bool is_training_set(const char *name)
{
    return strcmp(name, "train-images-idx3-ubyte") == 0 || strcmp(name, "train-images-idx3-ubyte.gz") == 0;
}

static bool is_batch(const char *name)
{
    return strncmp(name, "data_batch_", 11) == 0 && bnn_path_ends(name, ".bin");
}

/* A folder that holds a published data set stands for its training set: one
 * train-images file, or all data_batch files. *found is false of other folders. */
static int add_published(bnn_sources *all, const char *folder, const bnn_source_options *o, bool *found, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, folder, err);
    *found = false;
    if (rc != BNN_OK)
        return rc;
    for (size_t i = 0; rc == BNN_OK && !*found && i < names.count; i++)
        if (is_training_set(names.name[i])) {
            *found = true;
            rc = add_within(all, folder, names.name[i], o, err);
        }
    const bool images = *found;
    for (size_t i = 0; rc == BNN_OK && !images && i < names.count; i++)
        if (is_batch(names.name[i])) {
            *found = true;
            rc = add_within(all, folder, names.name[i], o, err);
        }
    bnn_names_free(&names);
    return rc;
}

int bnn_sources_add(bnn_sources *all, const char *path, const bnn_source_options *o, bnn_error *err)
{
    bool found = false;
    const int rc = bnn_is_folder(path) ? add_published(all, path, o, &found, err) : BNN_OK;
    return rc != BNN_OK || found ? rc : add_path(all, path, o, err);
}

void bnn_sources_close(bnn_sources *all)
{
    for (size_t i = 0; i < all->count; i++)
        close_source(&all->source[i]);
    free(all->source);
    *all = (bnn_sources){ 0 };
}
