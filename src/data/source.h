/* source.h -- a source: one path of a data set, opened.
 *
 * Two ways to deliver: `read` for kinds whose images are all of one shape and
 * cheap to reach (IDX, records), `decode` for pictures. To add a kind, see data.h.
 */
#ifndef BNN_DATA_SOURCE_H
#define BNN_DATA_SOURCE_H

#include "base/file.h"
#include "data/data.h"

/* Lines about what was left out. */
typedef struct bnn_notes { char **line; size_t count, room; } bnn_notes;
int  bnn_notes_add(bnn_notes *notes, const char *line, bnn_error *err);
void bnn_notes_free(bnn_notes *notes);

/* What is asked of all sources of a data set. */
typedef struct bnn_source_options {
    const bnn_rule *rule;     /* NULL: images as they are */
    bnn_shape       record;   /* of records */
    bool            record_given;
    bool            skip_bad;
    bnn_notes      *left_out;
} bnn_source_options;

/* What a kind is told by. */
typedef struct bnn_candidate {
    const char *path;
    bool        folder;
    uint8_t     head[16]; /* of a file; zeros beyond its end */
    size_t      head_size;
    uint64_t    size;
    const bnn_source_options *options;
} bnn_candidate;

typedef struct bnn_source_kind bnn_source_kind;

typedef struct bnn_source {
    const bnn_source_kind *kind;
    char      *path;
    size_t     first, count; /* its images among those of the data set */
    bnn_shape  shape;   /* of its images; height 0 where they differ (only under a rule) */
    uint16_t  *labels;  /* [count], or NULL: no image has one */
    bnn_names  classes; /* names of the labels */
    void      *state;   /* the kind's own */
} bnn_source;

struct bnn_source_kind {
    const char *name;
    bool (*matches)(const bnn_candidate *c);
    /* `s` has kind and path; fills the rest. After a failure `close` is called too. */
    int  (*open)(bnn_source *s, const bnn_source_options *options, bnn_error *err);
    /* count images from `first`, height x width x channels; NULL for pictures. */
    int  (*read)(const bnn_source *s, size_t first, size_t count, uint8_t *out, bnn_error *err);
    int  (*decode)(const bnn_source *s, size_t image, const bnn_rule *rule, bnn_picture *out, bnn_error *err);
    /* The file of an image, and its place in that; NULL: the source's path, and `image`. */
    const char *(*file)(const bnn_source *s, size_t image, size_t *index);
    void (*close)(bnn_source *s);
};

extern const bnn_source_kind bnn_source_records, bnn_source_records_by_size, bnn_source_idx, bnn_source_picture,
                             bnn_source_list, bnn_source_folder;

typedef struct bnn_sources { bnn_source *source; size_t count; } bnn_sources;

/* Opens what a path stands for: one source, or those of a published data set's
 * training set, when it is a folder that holds one. EIO, EMAGIC, and what the kind says. */
int  bnn_sources_add(bnn_sources *all, const char *path, const bnn_source_options *o, bnn_error *err);
void bnn_sources_close(bnn_sources *all);

/* True when `path` ends in `suffix`, upper and lower case alike. */
bool bnn_path_ends(const char *path, const char *suffix);
/* The folder that a file is in: "." for a bare name; NULL when memory runs out; free with bnn_free. */
char *bnn_path_folder(const char *path);
const char *bnn_path_base(const char *path); /* the name after the last '/' */

#endif
