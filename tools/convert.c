/* convert.c -- `bnn convert`: between our network file, BNN-PYNQ parameter folders and trained archives.
 *
 * Nothing is half written: the library writes a file or a folder whole or not
 * at all. A folder that is replaced (--force) is first written beside the old
 * one and then exchanged with it in one step.
 */
#include "open.h"
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct convert {
    tool_common  common;
    tool_session session;
    const char  *to; /* "bnn", "bnn-pynq", "npz", or NULL: by the name of `out` */
    int          force;
    const char  *data; /* to choose output thresholds on; NULL = not asked for */
    const char  *out;
};

/* ----------------------------------------------------- which format -- */

enum target { NETWORK_FILE, FOLDER, ARCHIVE };

static int ends_in(const char *path, const char *suffix)
{
    const size_t n = strlen(path), k = strlen(suffix);
    return n >= k && strcmp(path + n - k, suffix) == 0;
}

/* What stands there says it, then the name; where neither does, OUT is the other kind than IN. */
static enum target target_of(const struct convert *c)
{
    struct stat st;
    const int exists = stat(c->out, &st) == 0;
    if (c->to)
        return strcmp(c->to, "bnn") == 0 ? NETWORK_FILE : strcmp(c->to, "npz") == 0 ? ARCHIVE : FOLDER;
    if (exists ? S_ISDIR(st.st_mode) : ends_in(c->out, "/"))
        return FOLDER;
    if (ends_in(c->out, ".npz"))
        return ARCHIVE;
    if (exists || ends_in(c->out, ".safetensors"))
        return NETWORK_FILE;
    return c->session.info.file_version > 0 ? FOLDER : NETWORK_FILE;
}

/* ------------------------------------------------- replacing folders -- */

static int is_parameter_file(const char *name)
{
    unsigned layer, pe;
    int end = 0;
    if (strcmp(name, "classes.txt") == 0)
        return 1;
    if (sscanf(name, "%u-%u-%n", &layer, &pe, &end) != 2 || end == 0)
        return 0;
    return strcmp(name + end, "weights.bin") == 0 || strcmp(name + end, "thres.bin") == 0;
}

/* Only a folder of nothing but parameters is ever replaced. Walks it; with
 * `remove_them`, removes what it walks over. */
static int walk_old(const char *path, int remove_them, bnn_error *err)
{
    DIR *dir = opendir(path);
    int rc = dir ? BNN_OK : tool_fail(err, BNN_EIO, "%s: cannot read: %s", path, strerror(errno));
    for (struct dirent *d; rc == BNN_OK && (d = readdir(dir)) != NULL;) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (!is_parameter_file(d->d_name))
            rc = tool_fail(err, BNN_EINVAL, "%s: holds \"%s\"; expected nothing but BNN-PYNQ parameters in a folder to be replaced", path, d->d_name);
        else if (remove_them && unlinkat(dirfd(dir), d->d_name, 0) != 0)
            rc = tool_fail(err, BNN_EIO, "%s/%s: cannot remove: %s", path, d->d_name, strerror(errno));
    }
    if (dir)
        closedir(dir);
    return rc;
}

/* 1 = holds something, 0 = empty or not there. */
static int holds_something(const char *path)
{
    DIR *dir = opendir(path);
    int found = 0;
    for (struct dirent *d; dir && !found && (d = readdir(dir)) != NULL;)
        found = strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    if (dir)
        closedir(dir);
    return found;
}

static int save_folder(const struct convert *c, const char *path, bnn_error *err)
{
    char warning[512] = "";
    const int rc = bnn_network_save_pynq(c->session.network, path, c->common.open.variant, warning, sizeof warning, err);
    if (rc == BNN_OK && *warning)
        tool_warn("%s: %s", path, warning);
    return rc;
}

static int replace_folder(const struct convert *c, const char *path, bnn_error *err)
{
    char beside[4096];
    int rc = walk_old(path, 0, err);
    if (rc != BNN_OK)
        return rc;
    if ((size_t)snprintf(beside, sizeof beside, "%s.part", path) >= sizeof beside)
        return tool_fail(err, BNN_EINVAL, "%s: the name is too long", path);
    rc = save_folder(c, beside, err);
    if (rc != BNN_OK)
        return rc;
    if (renameat2(AT_FDCWD, beside, AT_FDCWD, path, RENAME_EXCHANGE) != 0)
        rc = tool_fail(err, BNN_EIO, "%s: cannot replace: %s", path, strerror(errno));
    const int removed = walk_old(beside, 1, rc == BNN_OK ? err : &(bnn_error){ 0 });
    rmdir(beside);
    return rc == BNN_OK ? removed : rc;
}

static int write_folder(const struct convert *c, bnn_error *err)
{
    char *path = strdup(c->out);
    if (!path)
        return tool_fail(err, BNN_ENOMEM, "not enough memory");
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
    int rc;
    if (!holds_something(path))
        rc = save_folder(c, path, err);
    else if (c->force)
        rc = replace_folder(c, path, err);
    else
        rc = tool_fail(err, BNN_EINVAL, "%s: the folder is not empty; expected a new or empty one, or --force", path);
    free(path);
    return rc;
}

/* ------------------------------------------------------------- files -- */

/* A device or a pipe would be replaced by a file of its name. */
static int write_file(const struct convert *c, enum target target, bnn_error *err)
{
    struct stat st;
    if (stat(c->out, &st) == 0 && !S_ISREG(st.st_mode))
        return tool_fail(err, BNN_EINVAL, "%s: %s; expected a file to write or replace", c->out, S_ISDIR(st.st_mode) ? "a folder" : "not a file");
    return (target == ARCHIVE ? bnn_network_save_npz : bnn_network_save)(c->session.network, c->out, err);
}

/* ---------------------------------------------------- output thresholds -- */

/* All images of the session's data: scores of all rows, and the classes that labels mean. */
struct scored { int32_t *scores; uint16_t *truth; size_t count, right; };

static int append_chunk(struct scored *all, const tool_chunk *k, const tool_session *s, const uint32_t *class_of, bnn_error *err)
{
    for (size_t i = 0; i < k->count; i++) {
        if (k->truth[i] >= s->info.classes)
            return tool_fail(err, BNN_EINVAL, "%s: image %zu has no label of the network's %u classes", bnn_dataset_source(s->data, k->first + i, NULL),
                             k->first + i, s->info.classes);
        const uint16_t truth = (uint16_t)class_of[k->truth[i]];
        all->truth[k->first + i] = truth;
        all->right += truth == k->labels[i];
    }
    memcpy(all->scores + k->first * s->info.rows, k->scores, k->count * s->info.rows * sizeof *all->scores);
    return BNN_OK;
}

static int score_all(struct scored *all, const tool_session *s, const uint32_t *class_of, bnn_error *err)
{
    tool_chunk k;
    tool_progress progress = tool_progress_start("scores");
    int rc = tool_chunk_new(&k, s, err);
    while (rc == BNN_OK && (rc = tool_chunk_next(&k, s, err)) == BNN_OK && k.count > 0) {
        rc = append_chunk(all, &k, s, class_of, err);
        tool_progress_show(&progress, k.first + k.count, s->count);
    }
    tool_progress_end(&progress);
    tool_chunk_free(&k);
    return rc;
}

/* Replaces the session's network by one that ends in bits, and tells what they cost. */
static int choose_on(struct convert *c, struct scored *all, bnn_error *err)
{
    tool_session *s = &c->session;
    bnn_network *bits;
    size_t right;
    const int rc = bnn_network_choose_bits(&bits, s->network, all->scores, all->truth, all->count, &right, err);
    if (rc != BNN_OK)
        return rc;
    tool_print("%s: %zu images; right by the network: %.2f %%, by the highest bit: %.2f %%\n", c->data, all->count,
               100.0 * (double)all->right / (double)all->count, 100.0 * (double)right / (double)all->count);
    bnn_runtime_close(s->runtime);
    bnn_network_close(s->network);
    s->runtime = NULL;
    s->network = bits;
    return BNN_OK;
}

static int choose_bits(struct convert *c, bnn_error *err)
{
    tool_session *s = &c->session;
    char *paths[] = { (char *)c->data };
    int rc = tool_open_runtime(s, &c->common, err);
    if (rc == BNN_OK)
        rc = tool_open_data(s, &c->common, paths, 1, err);
    if (rc != BNN_OK)
        return rc;
    struct scored all = { .scores = malloc(s->count * s->info.rows * sizeof *all.scores),
                          .truth = malloc(s->count * sizeof *all.truth), .count = s->count };
    uint32_t *class_of = calloc(s->info.classes, sizeof *class_of);
    rc = all.scores && all.truth && class_of ? tool_match_classes(s, &c->common, c->data, class_of, err)
                                             : tool_fail(err, BNN_ENOMEM, "not enough memory for %zu images", s->count);
    if (rc == BNN_OK)
        rc = score_all(&all, s, class_of, err);
    if (rc == BNN_OK)
        rc = choose_on(c, &all, err);
    free(all.scores);
    free(all.truth);
    free(class_of);
    return rc;
}

/* --------------------------------------------------------------- run -- */

static int run(tool_line *line, bnn_error *err)
{
    struct convert c = { .common = tool_common_default() };
    const tool_option options[] = {
        OPTION_CHOICE(0, "to", "bnn|bnn-pynq|npz", &c.to, "what is written (default: what OUT is or its name says, else the other kind)"),
        OPTION_FLAG(0, "force", &c.force, "replace a folder of BNN-PYNQ parameters"),
        OPTION_CHOICE(0, "fold", "exact|finnthesizer", &c.common.open.fold, "how a trained archive becomes integers (default exact)"),
        OPTION_TEXT(0, "names", "FILE", &c.common.open.names, "class names of a trained archive, a line each"),
        OPTION_TEXT(0, "data", "DATASET", &c.data, "labelled images to choose an LFC's output thresholds on"),
        OPTIONS_NETWORK(&c.common), OPTIONS_DATA(&c.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = tool_take_network(line, &c.common, err);
    if (rc == BNN_OK)
        rc = tool_expect(line, 1, 1, "IN OUT", err);
    if (rc != BNN_OK)
        return rc;
    c.out = line->argv[0];
    rc = tool_open_network(&c.session, &c.common, err);
    if (rc == BNN_OK && c.data)
        rc = choose_bits(&c, err);
    if (rc == BNN_OK) {
        const enum target target = target_of(&c);
        rc = target == FOLDER ? write_folder(&c, err) : write_file(&c, target, err);
    }
    tool_close(&c.session);
    return rc;
}

const tool_command tool_convert = {
    "convert", "IN OUT", "convert between network files and BNN-PYNQ folders",
    "Writes the network IN as OUT: as a network file when OUT ends in .safetensors, as a\n"
    "BNN-PYNQ parameter folder when it ends in '/' or is a folder already, as an archive of\n"
    "BNN-PYNQ's training scripts when it ends in .npz, and otherwise as the other kind than\n"
    "IN, which may be any of them. A file is replaced in one step; a folder must be new or\n"
    "empty, or --force given. --variant is that of the folder, on either side.",
    run
};
