/* file.h -- files: mapped whole for reading, written whole or not at all. */
#ifndef BNN_BASE_FILE_H
#define BNN_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>

/* A file mapped read-only. Empty files have data != NULL and size 0. */
typedef struct bnn_file {
    const uint8_t *data;
    size_t         size;
    bool           mapped;
} bnn_file;

/* Regular files only (a folder, fifo or device is refused, by name). EIO, ENOMEM. */
int  bnn_file_open(bnn_file *out, const char *path, bnn_error *err);
void bnn_file_close(bnn_file *file);

/* Writes `size` bytes to a temporary file beside `path`, flushes it to the
 * disk, and renames it into place. On failure nothing is left behind. EIO. */
int bnn_file_write(const char *path, const void *data, size_t size, bnn_error *err);

bool bnn_is_folder(const char *path);

/* Names in a folder, sorted bytewise, without "." and ".."; free with bnn_names_free. */
typedef struct bnn_names { char **name; size_t count; } bnn_names;
int  bnn_names_read(bnn_names *out, const char *folder, bnn_error *err);
void bnn_names_free(bnn_names *names);

/* "a/b"; NULL when memory runs out; free with bnn_free. */
char *bnn_path_join(const char *folder, const char *name);

#endif
