/* folder.c -- a folder of pictures: a folder a class, or pictures without labels.
 *
 * Sub-folders are the classes: sorted bytewise, their names are the labels 0, 1,
 * ... and the pictures directly in them the images. Files beside class folders
 * are not looked at. A folder without sub-folders gives its pictures, unlabelled.
 * Names that start with a dot are passed over. A file is taken for a picture by
 * its name (.png, .jpg ...) or by its content; others are left out, with a note.
 */
#include "base/mem.h"
#include "data/labels.h"
#include "data/picture.h"

#include <stdio.h>
#include <string.h>

static bool matches(const bnn_candidate *c)
{
    return c->folder;
}

static bool named_picture(const char *path)
{
    static const char *const suffix[] = { ".png", ".jpg", ".jpeg", ".pnm", ".pbm", ".pgm", ".ppm" };
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++)
        if (bnn_path_ends(path, suffix[i]))
            return true;
    return false;
}

static int leave_out(const bnn_source_options *o, const char *path, const char *why, bnn_error *err)
{
    bnn_error line;
    bnn_fail(&line, BNN_EMAGIC, "%s: %s", path, why);
    return bnn_notes_add(o->left_out, line.message, err);
}

static int add_file(bnn_source *s, const char *path, uint16_t label, const bnn_source_options *o, bnn_error *err)
{
    if (bnn_is_folder(path))
        return leave_out(o, path, "a folder within a class", err);
    if (!named_picture(path) && !bnn_is_picture(path))
        return leave_out(o, path, "not a picture", err);
    return bnn_pictures_add(s, path, label, err);
}

/* The pictures of one folder; `names` are what it holds. */
static int add_files(bnn_source *s, const char *folder, const bnn_names *names, uint16_t label, const bnn_source_options *o, bnn_error *err)
{
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < names->count; i++) {
        if (names->name[i][0] == '.')
            continue;
        char *path = bnn_path_join(folder, names->name[i]);
        rc = path ? add_file(s, path, label, o, err) : bnn_fail_memory(err, strlen(folder));
        bnn_free(path);
    }
    return rc;
}

static int add_class(bnn_source *s, const char *folder, uint16_t label, const bnn_source_options *o, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, folder, err);
    if (rc != BNN_OK)
        return rc;
    const size_t before = bnn_pictures_count(s);
    rc = add_files(s, folder, &names, label, o, err);
    if (rc == BNN_OK && bnn_pictures_count(s) == before)
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: no pictures; expected at least one in the folder of each class", folder);
    bnn_names_free(&names);
    return rc;
}

/* Keeps of `names` those of folders; they become the class names. */
static int keep_folders(bnn_names *names, const char *folder, bnn_error *err)
{
    size_t kept = 0;
    int rc = BNN_OK;
    for (size_t i = 0; i < names->count; i++) {
        char *path = bnn_path_join(folder, names->name[i]);
        if (!path)
            rc = bnn_fail_memory(err, strlen(folder));
        if (path && names->name[i][0] != '.' && bnn_is_folder(path))
            names->name[kept++] = names->name[i];
        else
            bnn_free(names->name[i]);
        bnn_free(path);
    }
    names->count = kept;
    return rc;
}

static int add_classes(bnn_source *s, const bnn_source_options *o, bnn_error *err)
{
    int rc = BNN_OK;
    if (s->classes.count > BNN_MAX_LABEL)
        return bnn_fail(err, BNN_ESHAPE, "%s: %zu folders; expected at most %d classes", s->path, s->classes.count, BNN_MAX_LABEL);
    for (size_t i = 0; rc == BNN_OK && i < s->classes.count; i++) {
        char *path = bnn_path_join(s->path, s->classes.name[i]);
        rc = path ? add_class(s, path, (uint16_t)i, o, err) : bnn_fail_memory(err, strlen(s->path));
        bnn_free(path);
    }
    return rc;
}

static int add_unlabelled(bnn_source *s, const bnn_source_options *o, bnn_error *err)
{
    bnn_names names;
    int rc = bnn_names_read(&names, s->path, err);
    if (rc == BNN_OK) {
        rc = add_files(s, s->path, &names, BNN_NO_LABEL, o, err);
        bnn_names_free(&names);
    }
    if (rc == BNN_OK && bnn_pictures_count(s) == 0)
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: no pictures; expected pictures, or a folder of them for each class", s->path);
    return rc;
}

static int open_folder(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    int rc = bnn_names_read(&s->classes, s->path, err);
    if (rc == BNN_OK)
        rc = keep_folders(&s->classes, s->path, err);
    if (rc == BNN_OK)
        rc = (s->classes.count > 0 ? add_classes : add_unlabelled)(s, options, err);
    return rc == BNN_OK ? bnn_pictures_finish(s, options, err) : rc;
}

const bnn_source_kind bnn_source_folder = {
    .name = "folder", .matches = matches, .open = open_folder, .decode = bnn_pictures_decode, .file = bnn_pictures_file,
    .close = bnn_pictures_close,
};
