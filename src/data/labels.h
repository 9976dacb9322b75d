/* labels.h -- files of labels and of class names. */
#ifndef BNN_DATA_LABELS_H
#define BNN_DATA_LABELS_H

#include "base/file.h"

enum { BNN_MAX_LABEL = 65534 }; /* 65535 is BNN_NO_LABEL */

/* A file of labels: IDX1 of bytes (also .gz), or text with an integer a line.
 * `*out` is freed with bnn_free. EIO, EMAGIC, ECORRUPT, ENOMEM. */
int bnn_labels_read(uint16_t **out, size_t *count, const char *path, bnn_error *err);

/* A name a line; blank lines at the end do not count. */
int bnn_classes_read(bnn_names *out, const char *path, bnn_error *err);
/* The first of these files that is in `folder`; none gives no names. */
int bnn_classes_find(bnn_names *out, const char *folder, const char *const *names, bnn_error *err);

#endif
