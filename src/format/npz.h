/* npz.h -- NumPy archives: a zip file (zip.h) of .npy arrays.
 *
 * An array is "\x93NUMPY", a version, and a Python dictionary of type, order
 * and shape as text; then the values (numpy.lib.format, versions 1.0 to 3.0).
 * Types float32 and float64, little endian, either order; in memory they are
 * float64 in C order, which holds both exactly.
 */
#ifndef BNN_FORMAT_NPZ_H
#define BNN_FORMAT_NPZ_H

#include "base/error.h"

#include <stdbool.h>

enum { BNN_ARRAY_MAX_DIMS = 8 };

typedef struct bnn_array {
    char    *name; /* of the member, without ".npy"; NULL when read from an .npy file alone */
    uint32_t dims; /* 0 = a single number */
    size_t   shape[BNN_ARRAY_MAX_DIMS];
    size_t   size; /* the product of shape */
    double  *data;
} bnn_array;

typedef struct bnn_npz { bnn_array *array; size_t count; } bnn_npz;

/* Members that do not end in ".npy" are passed over. EMAGIC, EVERSION, ECORRUPT, ENOMEM. */
int  bnn_npz_read(bnn_npz *out, const void *data, size_t size, bnn_error *err);
int  bnn_npz_open(bnn_npz *out, const char *path, bnn_error *err);
void bnn_npz_free(bnn_npz *npz);
/* The array of that name, or NULL. */
const bnn_array *bnn_npz_find(const bnn_npz *npz, const char *name);

/* One .npy file from memory. `out` gets data only; free it with bnn_free. */
int  bnn_npy_read(bnn_array *out, const void *data, size_t size, bnn_error *err);

typedef struct bnn_npz_options {
    bool wide;     /* float64 instead of float32 (to which values are rounded) */
    bool deflated; /* instead of stored */
} bnn_npz_options;

/* The file appears whole or not at all. EINVAL, EIO, ENOMEM. */
int  bnn_npz_save(const bnn_npz *npz, const bnn_npz_options *options, const char *path, bnn_error *err);

#endif
