/* sha256.h -- SHA-256 (FIPS 180-4), for checksums of files and parameters. */
#ifndef BNN_BASE_SHA256_H
#define BNN_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct bnn_sha256 {
    uint32_t h[8];
    uint64_t size; /* bytes so far */
    uint8_t  block[64];
} bnn_sha256;

void bnn_sha256_init(bnn_sha256 *s);
void bnn_sha256_add(bnn_sha256 *s, const void *data, size_t size);
void bnn_sha256_end(bnn_sha256 *s, uint8_t digest[32]);

/* Lower-case hexadecimal of `size` bytes; out holds 2 * size + 1. */
void bnn_hex(char *out, const uint8_t *bytes, size_t size);

#endif
