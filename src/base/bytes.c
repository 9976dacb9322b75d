/* bytes.c -- the bounded cursor. */
#include "base/bytes.h"

bnn_bytes bnn_bytes_of(const void *data, size_t size)
{
    return (bnn_bytes){ .data = data, .size = size };
}

size_t bnn_bytes_left(const bnn_bytes *b)
{
    return b->size - b->at;
}

const uint8_t *bnn_bytes_take(bnn_bytes *b, size_t n)
{
    if (n > bnn_bytes_left(b)) {
        b->at         = b->size;
        b->short_read = true;
        return NULL;
    }
    const uint8_t *p = b->data + b->at;
    b->at += n;
    return p;
}

uint8_t bnn_bytes_u8(bnn_bytes *b)
{
    const uint8_t *p = bnn_bytes_take(b, 1);
    return p ? *p : 0;
}

uint16_t bnn_bytes_u16le(bnn_bytes *b)
{
    const uint8_t *p = bnn_bytes_take(b, 2);
    return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

uint32_t bnn_bytes_u32be(bnn_bytes *b)
{
    const uint8_t *p = bnn_bytes_take(b, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

uint32_t bnn_bytes_u32le(bnn_bytes *b)
{
    const uint8_t *p = bnn_bytes_take(b, 4);
    return p ? bnn_get_u32le(p) : 0;
}

uint64_t bnn_bytes_u64le(bnn_bytes *b)
{
    const uint8_t *p = bnn_bytes_take(b, 8);
    return p ? bnn_get_u64le(p) : 0;
}

uint32_t bnn_get_u32le(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

uint64_t bnn_get_u64le(const uint8_t *p)
{
    return (uint64_t)bnn_get_u32le(p + 4) << 32 | bnn_get_u32le(p);
}

void bnn_put_u16le(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void bnn_put_u32le(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

void bnn_put_u64le(uint8_t *p, uint64_t v)
{
    bnn_put_u32le(p, (uint32_t)v);
    bnn_put_u32le(p + 4, (uint32_t)(v >> 32));
}
