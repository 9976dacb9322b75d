/* list.c -- a text file (.txt) that names pictures: a path a line, relative to
 * the list's own folder, and after a tab the label, an integer, if it has one.
 *
 *     # a line that starts so is a comment
 *     signs/stop 1.png<TAB>14
 *     /srv/camera/0001.jpg
 */
#include "base/mem.h"
#include "base/text.h"
#include "data/labels.h"
#include "data/picture.h"

#include <string.h>

static bool matches(const bnn_candidate *c)
{
    return !c->folder && bnn_path_ends(c->path, ".txt");
}

static bnn_span take_line(bnn_span *text)
{
    const char *end = memchr(text->at, '\n', text->size);
    bnn_span line = { text->at, end ? (size_t)(end - text->at) : text->size };
    *text = bnn_span_skip(*text, end ? line.size + 1 : line.size);
    if (line.size > 0 && line.at[line.size - 1] == '\r')
        line.size--;
    return line;
}

static int add_path(bnn_source *s, const char *folder, bnn_span path, uint16_t label, bnn_error *err)
{
    char *name = bnn_strndup(path.at, path.size);
    char *full = name ? path.at[0] == '/' ? bnn_strdup(name) : bnn_path_join(folder, name) : NULL;
    const int rc = full ? bnn_pictures_add(s, full, label, err) : bnn_fail_memory(err, path.size);
    bnn_free(name);
    bnn_free(full);
    return rc;
}

static int add_line(bnn_source *s, const char *folder, bnn_span line, unsigned number, bnn_error *err)
{
    if (line.size == 0 || line.at[0] == '#')
        return BNN_OK;
    if (memchr(line.at, '\0', line.size))
        return bnn_fail(err, BNN_EMAGIC, "%s line %u: not text; expected the path of a picture a line", s->path, number);
    const char *tab = memchr(line.at, '\t', line.size);
    const bnn_span path = { line.at, tab ? (size_t)(tab - line.at) : line.size };
    uint32_t label = BNN_NO_LABEL;
    if (tab) {
        const bnn_span word = bnn_span_skip(line, path.size + 1);
        if (!bnn_span_number(word, &label) || label > BNN_MAX_LABEL)
            return bnn_fail(err, BNN_ECORRUPT, "%s line %u: label '%.*s'; expected an integer from 0 to %d", s->path, number,
                            BNN_SPAN(word), BNN_MAX_LABEL);
    }
    if (path.size == 0)
        return bnn_fail(err, BNN_ECORRUPT, "%s line %u: no path before the tab; expected the path of a picture", s->path, number);
    return add_path(s, folder, path, (uint16_t)label, err);
}

static int read_list(bnn_source *s, bnn_span text, bnn_error *err)
{
    char *folder = bnn_path_folder(s->path);
    int rc = folder ? BNN_OK : bnn_fail_memory(err, strlen(s->path));
    for (unsigned number = 1; rc == BNN_OK && text.size > 0; number++)
        rc = add_line(s, folder, take_line(&text), number, err);
    bnn_free(folder);
    return rc;
}

static int open_list(bnn_source *s, const bnn_source_options *options, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, s->path, err);
    if (rc != BNN_OK)
        return rc;
    rc = read_list(s, (bnn_span){ (const char *)file.data, file.size }, err);
    bnn_file_close(&file);
    if (rc == BNN_OK && !s->state)
        return bnn_fail(err, BNN_ECORRUPT, "%s: names no pictures; expected a path a line", s->path);
    return rc == BNN_OK ? bnn_pictures_finish(s, options, err) : rc;
}

const bnn_source_kind bnn_source_list = {
    .name = "list", .matches = matches, .open = open_list, .decode = bnn_pictures_decode, .file = bnn_pictures_file,
    .close = bnn_pictures_close,
};
