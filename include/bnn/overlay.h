/* overlay.h -- overlays: streaming accelerators for a topology, estimated, simulated, synthesised.
 *
 * An overlay is a topology plus a folding (PE and SIMD of each layer): an
 * engine for each layer, all running at once, parameters loaded at run time.
 *
 *     bnn_overlay *o;
 *     char         object[4096];
 *
 *     if (bnn_overlay_open(&o, "lfcW1A1", NULL, NULL, &err))            goto fail;
 *     if (bnn_overlay_build(o, cache, 0, object, sizeof object, &err)) goto fail;
 *     options.backend = "overlay";                      the real RTL, cycle by cycle
 *     options.overlay = object;
 *     if (bnn_runtime_open(&run, net, &options, &err))                  goto fail;
 *
 * Estimating needs nothing but this library. Building runs Verilator and a C++
 * compiler; the functions that run tools say which Debian package is missing.
 */
#ifndef BNN_OVERLAY_H
#define BNN_OVERLAY_H

#include <bnn/bnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bnn_overlay bnn_overlay; /* immutable */

typedef struct bnn_overlay_options {
    uint32_t port_bits; /* of the stream ports: 0 = 64 (default, AXI), or 8 (a few pins) */
    uint32_t pipe;      /* 1: a register more after the memories */
    uint8_t  reserved[56];
} bnn_overlay_options;

BNN_API void bnn_overlay_options_default(bnn_overlay_options *options);

/* `topology`: name of one that ships, file, or text. `folding`: file or text;
 * NULL = the file of the same name that lies beside the topology. EINVAL, ESHAPE, EIO, ENOMEM. */
BNN_API int  bnn_overlay_open(bnn_overlay **out, const char *topology, const char *folding,
                              const bnn_overlay_options *options, bnn_error *err);
/* The overlay for a network: that of the shipped topology it has (which may
 * have more rows in its last layer), else of its own, for which `folding` must be given. */
BNN_API int  bnn_overlay_open_network(bnn_overlay **out, const bnn_network *net, const char *folding,
                                      const bnn_overlay_options *options, bnn_error *err);
BNN_API void bnn_overlay_close(bnn_overlay *overlay);

/* ------------------------------------------------------------ estimate -- */

typedef struct bnn_overlay_estimate {
    uint32_t    layers;                     /* see bnn_overlay_get_layer */
    uint64_t    initiation_interval_cycles; /* between results, exactly as simulation counts them */
    uint64_t    latency_cycles;             /* first word of an image in, last word of its result out */
    uint32_t    bottleneck;                 /* layer; UINT32_MAX = a stream port */
    uint32_t    lut;                        /* xc7, by a model fitted to synthesis */
    double      bram36;                     /* xc7, exactly as synthesis maps them; halves are 18 kbit blocks */
    uint64_t    identity;                   /* of its identity register */
} bnn_overlay_estimate;

typedef struct bnn_overlay_layer {
    const char *kind;            /* "conv", "dense", "maxpool" */
    uint32_t    PE, SIMD;        /* 0 of pools */
    uint32_t    SF, NF;
    uint64_t    cycles;          /* a frame */
    uint32_t    queue;           /* places of its output queue */
    uint32_t    lut;             /* with the converters and windows in front of it */
    double      bram36;
} bnn_overlay_layer;

/* The first call runs the cycle model (about a second for CNV). ETIMEOUT, ENOMEM. */
BNN_API int bnn_overlay_get_estimate(bnn_overlay *overlay, bnn_overlay_estimate *out, bnn_error *err);
BNN_API int bnn_overlay_get_layer(bnn_overlay *overlay, uint32_t index, bnn_overlay_layer *out, bnn_error *err);
/* Text of "topology", "folding" or "description"; NULL for other keys. */
BNN_API const char *bnn_overlay_text(const bnn_overlay *overlay, const char *key);

/* -------------------------------------------------------------- search -- */

typedef struct bnn_overlay_target {
    double      images_per_second; /* at least so many, as small as possible; 0 = as fast as fits */
    const char *device;            /* budget: "xc7z020" (default), "ecp5-85k", "ice40-hx8k" */
    double      clock_mhz;         /* 0 = 100 */
    uint8_t     reserved[40];
} bnn_overlay_target;

/* Finds the folding and opens its overlay. ESHAPE when none fits: the message says what is short. */
BNN_API int bnn_overlay_search(bnn_overlay **out, const char *topology, const bnn_overlay_target *target,
                               const bnn_overlay_options *options, bnn_error *err);

/* --------------------------------------------------------------- write -- */

/* Writes overlay.v, build scripts and, when `net` is not NULL, memory images
 * (images/) into `folder`, which is made. EIO, ESHAPE. */
BNN_API int bnn_overlay_write(bnn_overlay *overlay, const char *folder, const bnn_network *net, bnn_error *err);

/* Simulation object: Verilates and compiles into a folder of `cache` named by
 * content, unless it is there, and gives the object's path. `waves`: not 0 to build with waves (VCD).
 * EBACKEND when a tool is missing, EIO when it fails (the message names its log). */
BNN_API int bnn_overlay_build(bnn_overlay *overlay, const char *cache, int waves,
                              char *path, size_t size, bnn_error *err);

/* Writes the overlay into `folder` and runs one of its scripts: "synth" (Yosys, xc7; needs 64-bit ports),
 * "route_ice40" (HX8K) or "route_ecp5" (85F), both for ports of 8 bits. What it found is in folder/NAME.txt.
 * EBACKEND when a tool is missing, EIO when it fails (the message names its log). */
BNN_API int bnn_overlay_make(bnn_overlay *overlay, const char *folder, const char *name, bnn_error *err);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BNN_OVERLAY_H */
