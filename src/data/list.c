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

/* Relative paths start from the list's folder: what its own path has before its name. */
static int add_path(bnn_source *s, bnn_span path, uint16_t label, bnn_error *err)
{
    const size_t before = path.at[0] == '/' ? 0 : (size_t)(bnn_path_base(s->path) - s->path);
    char *full = bnn_alloc(before + path.size + 1, 1);
    if (!full)
        return bnn_fail_memory(err, before + path.size + 1);
    memcpy(full, s->path, before);
    memcpy(full + before, path.at, path.size);
    const int rc = bnn_pictures_add(s, full, label, err);
    bnn_free(full);
    return rc;
}

static int add_line(bnn_source *s, bnn_span line, unsigned number, bnn_error *err)
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
    return add_path(s, path, (uint16_t)label, err);
}

static int read_list(bnn_source *s, bnn_span text, bnn_error *err)
{
    int rc = BNN_OK;
    for (unsigned number = 1; rc == BNN_OK && text.size > 0; number++)
        rc = add_line(s, take_line(&text), number, err);
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
