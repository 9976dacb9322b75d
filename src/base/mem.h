/* mem.h -- memory: aligned, zeroed, checked for overflow.
 *
 * Sizes that come from files are products of untrusted numbers: they go
 * through bnn_mul or bnn_alloc, never through a bare `*`.
 */
#ifndef BNN_BASE_MEM_H
#define BNN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BNN_ALIGN 64 /* a cache line, and the widest vector */

/* *out = a * b; false when that does not fit. */
static inline bool bnn_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* n x size bytes, zeroed, aligned to BNN_ALIGN; NULL when memory or size_t runs out.
 * n or size 0 gives a valid pointer. */
void *bnn_alloc(size_t n, size_t size);
void  bnn_free(void *p); /* NULL is fine */

char *bnn_strdup(const char *s);
char *bnn_strndup(const char *s, size_t n);

#endif
