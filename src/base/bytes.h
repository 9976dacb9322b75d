/* bytes.h -- a bounded cursor: the only code that reads numbers from file bytes.
 *
 * Reading past the end gives zeros and sets `short_read`, so a reader checks
 * once, after the fields it needs. Nothing here can touch a byte outside.
 */
#ifndef BNN_BASE_BYTES_H
#define BNN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bnn_bytes {
    const uint8_t *data;
    size_t         size;
    size_t         at;
    bool           short_read;
} bnn_bytes;

bnn_bytes bnn_bytes_of(const void *data, size_t size);

/* The next n bytes, or NULL (and short_read) when fewer are left. */
const uint8_t *bnn_bytes_take(bnn_bytes *b, size_t n);
size_t         bnn_bytes_left(const bnn_bytes *b);

uint8_t  bnn_bytes_u8(bnn_bytes *b);
uint16_t bnn_bytes_u16le(bnn_bytes *b);
uint32_t bnn_bytes_u32be(bnn_bytes *b);
uint32_t bnn_bytes_u32le(bnn_bytes *b);
uint64_t bnn_bytes_u64le(bnn_bytes *b);

/* Little-endian stores and loads of single values, for writers and word files. */
void     bnn_put_u16le(uint8_t *p, uint16_t v);
void     bnn_put_u32le(uint8_t *p, uint32_t v);
void     bnn_put_u64le(uint8_t *p, uint64_t v);
uint32_t bnn_get_u32le(const uint8_t *p);
uint64_t bnn_get_u64le(const uint8_t *p);

#endif
