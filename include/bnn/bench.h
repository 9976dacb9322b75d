/* bench.h -- measuring: what a core of this processor can do, and where a network's time goes.
 *
 * Machines differ, are shared, and change their clock: a speed means something
 * beside a peak measured in the same process, a moment before or after. `bnn
 * bench` is built on these functions.
 */
#ifndef BNN_BENCH_H
#define BNN_BENCH_H

#include "bnn/bnn.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bnn_probe_info {
    const char *name;  /* "base", "csa", "avx2", ..., "l2" */
    const char *level; /* kernel level it belongs to; "l2" is read by the best one */
    const char *unit;  /* "MAC" (one-bit, or int8 where the name says so), or "byte" */
} bnn_probe_info;

/* Walks the probes that this processor can run; 0, or EINVAL past the end. The
 * first probe of a level is the schedule that its kernels are built on; "l2"
 * reads 384 KiB (the weights of LFC) again and again, and comes last. */
BNN_API int bnn_probe_at(size_t index, bnn_probe_info *info);

/* Runs a probe for about `nanoseconds` (at least some microseconds) on the calling
 * thread; returns units a nanosecond, 0 past the end. */
BNN_API double bnn_probe_run(size_t index, uint64_t nanoseconds);

/* Cycles a nanosecond of the core that it runs on, by a chain of dependent additions; takes about 20 us. */
BNN_API double bnn_probe_clock(void);

/* Runs `count` images on the calling thread alone, and adds the nanoseconds
 * spent to ns[0] (pixels to packed input) and ns[1 + layer]. `size` is the
 * number of elements of ns: 1 + layers. EINVAL; EBACKEND where the backend has no layers to time. */
BNN_API int bnn_profile(bnn_runtime *runtime, const uint8_t *images, size_t count,
                        uint64_t *ns, size_t size, bnn_error *err);

#ifdef __cplusplus
}
#endif

#endif
