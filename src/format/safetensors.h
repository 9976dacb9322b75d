/* safetensors.h -- the container of our network file: named tensors behind a JSON header.
 *
 *     0        8                  8 + N (a multiple of 64)
 *     | N, u64 | JSON, N bytes ...| tensors, little endian, without holes |
 *
 * The header is {"__metadata__": {"key": "text", ...}, "name": {"dtype": "I32",
 * "shape": [10, 1], "data_offsets": [begin, end]}, ...}, padded with spaces. It
 * starts with the bytes {"__metadata__":{"checksum":" and 64 hexadecimal digits:
 * SHA-256 of the whole file with these digits replaced by '0'. docs/format.md has
 * the rules; this file knows nothing of networks.
 */
#ifndef BNN_FORMAT_SAFETENSORS_H
#define BNN_FORMAT_SAFETENSORS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

enum {
    BNN_ST_MAX_HEADER = 1 << 22, /* bytes of JSON */
    BNN_ST_MAX_RANK   = 4,
};

enum bnn_dtype { BNN_U8, BNN_I32, BNN_U64 }; /* what network files use; others are refused */

typedef struct bnn_tensor {
    const char    *name;
    enum bnn_dtype dtype;
    unsigned       rank;
    size_t         shape[BNN_ST_MAX_RANK];
    const void    *data; /* read: bytes of the file; to write: values in this host's order */
    size_t         size; /* bytes */
} bnn_tensor;

/* A file that was read: views into its bytes, which must outlive it. */
typedef struct bnn_safetensors {
    json_t     *header;
    bnn_tensor *tensor; /* in the order of the header */
    size_t      tensors;
} bnn_safetensors;

/* Reads the header and checks every offset. EMAGIC when it is no such file, ECORRUPT. */
int  bnn_safetensors_read(bnn_safetensors *out, const void *data, size_t size, bnn_error *err);
void bnn_safetensors_free(bnn_safetensors *st);

/* Text of a metadata entry, NULL when there is none. */
const char       *bnn_safetensors_text(const bnn_safetensors *st, const char *key);
const bnn_tensor *bnn_safetensors_find(const bnn_safetensors *st, const char *name);

/* Copies a tensor's values into this host's memory. */
void bnn_tensor_copy(void *to, const bnn_tensor *from);

/* True when the bytes could be such a file: its start is as described above. */
bool bnn_safetensors_is(const void *data, size_t size);
/* Compares the checksum. ECORRUPT. */
int  bnn_safetensors_check(const void *data, size_t size, bnn_error *err);
/* Puts the right checksum into a whole file. */
void bnn_safetensors_seal(void *data, size_t size);

/* Lays out a sealed file of `n` tensors in the order given, wider dtypes
 * before narrower so that all are aligned. Takes over `metadata`, an object
 * of strings; NULL is ENOMEM. Free *out with bnn_free. */
int bnn_safetensors_write(uint8_t **out, size_t *size, json_t *metadata, const bnn_tensor *tensor, size_t n,
                          bnn_error *err);

#endif
