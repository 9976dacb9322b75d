/* faulty.c -- loaded before libbnn (LD_PRELOAD): a backend that is wrong about blocks of images, for
 * the test of `bnn verify`. FAULT is "LAYER IMAGE VALUE" for traces, or "scores IMAGE ROW" for batches.
 * The reference sees one image at a time and so stays right. */
#include <bnn/bnn.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* A function pointer from dlsym without a cast that ISO C forbids. */
#define NEXT(type, name) \
    union { void *object; type *function; } next = { dlsym(RTLD_NEXT, name) }

typedef int trace_function(bnn_runtime *, const uint8_t *, size_t, uint32_t, int32_t *, size_t, bnn_error *);
typedef int run_function(bnn_runtime *, const uint8_t *, size_t, int32_t *, uint16_t *, bnn_error *);

int bnn_trace(bnn_runtime *r, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, size_t size, bnn_error *err)
{
    NEXT(trace_function, "bnn_trace");
    unsigned at, image, value;
    const int rc = next.function(r, images, count, layer, out, size, err);
    if (sscanf(getenv("FAULT"), "%u %u %u", &at, &image, &value) == 3 && count > 1 && layer == at && image < count)
        out[image * (size / sizeof *out / count) + value] ^= -2; /* -1 becomes 1, 1 becomes -1 */
    return rc;
}

int bnn_run(bnn_runtime *r, const uint8_t *images, size_t count, int32_t *scores, uint16_t *labels, bnn_error *err)
{
    NEXT(run_function, "bnn_run");
    unsigned image, row;
    const int rc = next.function(r, images, count, scores, labels, err);
    if (sscanf(getenv("FAULT"), "scores %u %u", &image, &row) == 2 && count > 1)
        scores[image * 3 + row] += 2; /* of the 3 rows of the test's network */
    return rc;
}
