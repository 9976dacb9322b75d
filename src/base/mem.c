/* mem.c -- the library's only calls of the allocator. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void *bnn_alloc(size_t n, size_t size)
{
    size_t bytes;
    if (!bnn_mul(n, size, &bytes) || bytes > SIZE_MAX - BNN_ALIGN)
        return NULL;
    bytes = (bytes + BNN_ALIGN) & ~(size_t)(BNN_ALIGN - 1); /* at least one line */
    void *p = aligned_alloc(BNN_ALIGN, bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

void bnn_free(void *p)
{
    free(p);
}

char *bnn_strndup(const char *s, size_t n)
{
    char *copy = bnn_alloc(n + 1, 1);
    if (copy)
        memcpy(copy, s, n);
    return copy;
}

char *bnn_strdup(const char *s)
{
    return bnn_strndup(s, strlen(s));
}
