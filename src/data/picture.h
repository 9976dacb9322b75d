/* picture.h -- a source of picture files: what folders, lists and single pictures have in common. */
#ifndef BNN_DATA_PICTURE_H
#define BNN_DATA_PICTURE_H

#include "data/source.h"

/* Adds a picture file; `path` is copied. Label BNN_NO_LABEL = none. ENOMEM. */
int bnn_pictures_add(bnn_source *s, const char *path, uint16_t label, bnn_error *err);

size_t bnn_pictures_count(const bnn_source *s);

/* Looks at every picture added: its header, or, with skip_bad, all of it, and
 * leaves the bad ones out. Sets count, shape and labels. Without a rule all
 * must be of one shape: ESHAPE. */
int bnn_pictures_finish(bnn_source *s, const bnn_source_options *options, bnn_error *err);

/* The functions of a kind whose images are pictures. */
int  bnn_pictures_decode(const bnn_source *s, size_t image, const bnn_rule *rule, bnn_picture *out, bnn_error *err);
const char *bnn_pictures_file(const bnn_source *s, size_t image, size_t *index);
void bnn_pictures_close(bnn_source *s);

/* True when the file starts like a picture. */
bool bnn_is_picture(const char *path);

/* "a 32x32x3, b 28x28x1": why images do not go together; ESHAPE. */
int bnn_fail_shapes(const char *a, bnn_shape in_a, const char *b, bnn_shape in_b, bnn_error *err);

#endif
