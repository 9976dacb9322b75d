/* bnn.h -- binarized neural networks: load a network, classify images.
 *
 * A network is a topology (the layers and their shapes) plus parameters (one
 * or two bits per weight, thresholds per neuron). It never changes once
 * loaded, so threads may share it. A runtime runs a network on one backend
 * and owns its threads and all scratch memory; use one runtime per thread.
 *
 *     bnn_network *net;
 *     bnn_runtime *run;
 *     bnn_error    err;
 *     uint16_t     label;
 *
 *     if (bnn_network_open(&net, "lfcW1A1-fashion-mnist", NULL, &err)) goto fail;
 *     if (bnn_runtime_open(&run, net, NULL, &err))                     goto fail;
 *     if (bnn_classify(run, pixels, 1, &label, &err))                  goto fail;
 *     puts(bnn_network_class_name(net, label));
 *
 * Conventions
 *   - A bit 1 stands for +1 and a bit 0 for -1, everywhere, in memory and on disk.
 *   - Images are uint8_t, height x width x channels, channels innermost, of the
 *     network's input shape. A data set brings pictures of any size to it.
 *   - Functions that can fail return 0 (BNN_OK) or a negative BNN_E... code and
 *     leave their outputs untouched. `err` may be NULL.
 *   - `close` functions accept NULL.
 *   - Structs with a `reserved` member are made by their `_default` function;
 *     zeroed memory means the same.
 *   - The library never prints, never exits, and keeps no mutable globals.
 */
#ifndef BNN_BNN_H
#define BNN_BNN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef BNN_API
#  if defined(__GNUC__)
#    define BNN_API __attribute__((visibility("default")))
#  else
#    define BNN_API
#  endif
#endif

/* ------------------------------------------------------------- version -- */

/* Versions with the same major number are ABI stable (from 1.0 on). */
#define BNN_VERSION_MAJOR 0
#define BNN_VERSION_MINOR 1
#define BNN_VERSION_PATCH 0

/* Version of the library linked at run time: (major << 16) | (minor << 8) | patch. */
BNN_API unsigned bnn_version(void);
BNN_API const char *bnn_version_string(void); /* "0.1.0" */

/* -------------------------------------------------------------- errors -- */

/* Values are pinned: a code never changes its number, new ones are appended. */
#define BNN_ERROR_MAP(X)                                                  \
    X(EINVAL,   -1, "invalid argument")                                   \
    X(ENOMEM,   -2, "not enough memory")                                  \
    X(EIO,      -3, "input/output error")                                 \
    X(EMAGIC,   -4, "not a file of this kind")                            \
    X(EVERSION, -5, "file version not supported")                         \
    X(ECORRUPT, -6, "file is damaged")                                    \
    X(ESHAPE,   -7, "shapes do not fit together")                         \
    X(EBACKEND, -8, "backend not available on this machine")              \
    X(ETIMEOUT, -9, "device did not answer in time")                      \
    X(ECANCEL, -10, "stopped by the caller")

enum {
    BNN_OK = 0,
#define BNN_X(name, value, text) BNN_##name = value,
    BNN_ERROR_MAP(BNN_X)
#undef BNN_X
    BNN_ERROR_END_ = -1000 /* never returned */
};

/* Filled on failure. Plain memory: nothing to free, safe to copy. */
typedef struct bnn_error {
    int      code;         /* BNN_E... */
    uint64_t offset;       /* byte in the file the message is about, or 0 */
    char     message[496]; /* one line: where, what was found, what was expected */
} bnn_error;

BNN_API const char *bnn_strerror(int code); /* "file is damaged"; "unknown error" */
BNN_API const char *bnn_err_name(int code); /* "ECORRUPT"; "EUNKNOWN" */

/* ------------------------------------------------------------- network -- */

typedef struct bnn_network bnn_network; /* immutable; share between threads */

typedef struct bnn_shape { uint32_t height, width, channels; } bnn_shape;

typedef struct bnn_open_options {
    const char *topology; /* name, file or text, where a BNN-PYNQ folder's name does not say (default NULL) */
    const char *variant;  /* of a BNN-PYNQ folder: NULL or "xilinx", or "workshop" (2017) */
    uint32_t    classes;  /* rows that take part; 0 = as many as there are class names (default) */
    uint32_t    reserved0;
    const char *fold;     /* of a trained archive (.npz): NULL or "exact", or "finnthesizer" (docs/format.md) */
    const char *names;    /* file of class names, a line each, for a trained archive (default NULL) */
    uint8_t     reserved[24];
} bnn_open_options;

BNN_API void bnn_open_options_default(bnn_open_options *options);

/* Opens a network file, a BNN-PYNQ parameter folder, a trained archive of
 * BNN-PYNQ's scripts (told apart by content), or a network that ships, by name.
 * `options` may be NULL. */
BNN_API int  bnn_network_open(bnn_network **out, const char *name_or_path,
                              const bnn_open_options *options, bnn_error *err);
/* Reads a network file from memory; keeps no pointer to `data`. */
BNN_API int  bnn_network_read(bnn_network **out, const void *data, size_t size, bnn_error *err);
/* Writes a network file of the newest version. It appears whole or not at all. */
BNN_API int  bnn_network_save(const bnn_network *net, const char *path, bnn_error *err);
/* Writes a BNN-PYNQ parameter folder, which must not exist or must be empty;
 * it appears whole or not at all. The topology must be one of the five
 * overlays, with 1 to 64 rows. `variant` is as in bnn_open_options; NULL = the
 * one that the network came from, else "xilinx". A network that came from a
 * folder of the same variant gives the same bytes again. What a folder cannot say
 * is told in `warning` (one line, "" if nothing; may be NULL). ESHAPE, EINVAL,
 * ECORRUPT, EIO, ENOMEM. */
BNN_API int  bnn_network_save_pynq(const bnn_network *net, const char *path, const char *variant,
                                   char *warning, size_t warning_size, bnn_error *err);
/* Writes an archive (.npz) as BNN-PYNQ's training scripts do, of floats that
 * mean the network's integers: opened again, with either fold, it is the same
 * network, of the rows that are classes. Class names and the input rule do not
 * go with it. It appears whole or not at all. EIO, ENOMEM. */
BNN_API int  bnn_network_save_npz(const bnn_network *net, const char *path, bnn_error *err);
/* BNN-PYNQ's LFC overlays end in bits, and its label is the highest row that
 * fires. Makes of a network for one of them (one that ends in scores, say) the
 * network that ends in bits, with thresholds that get most of the given images
 * right so: `scores` of all rows (count x rows, as bnn_run gives them) and
 * `labels` (0 .. classes-1). *correct, when not NULL, is how many that are.
 * Takes some seconds. ESHAPE (another topology), EINVAL, ENOMEM. */
BNN_API int  bnn_network_choose_bits(bnn_network **out, const bnn_network *net, const int32_t *scores,
                                     const uint16_t *labels, size_t count, size_t *correct, bnn_error *err);
BNN_API void bnn_network_close(bnn_network *net); /* after all runtimes on it */

typedef struct bnn_network_info {
    bnn_shape   input;
    uint32_t    classes;      /* labels are 0 .. classes-1 */
    uint32_t    rows;         /* outputs of the last layer, padding rows included */
    uint32_t    layers;       /* see bnn_network_get_layer */
    int         ends_in_bits; /* last layer gives threshold bits (imported LFC), not scores */
    uint64_t    weight_bits;  /* of all layers */
    uint64_t    ops;          /* operations an image, 2 per use of a weight */
    uint32_t    file_version; /* of the file it was read from; 0 = another format */
    uint64_t    checksum;     /* over topology, input rule, classes and parameters */
    const char *decode;       /* default rule from scores to label: "argmax", "multi", ... */
} bnn_network_info;

BNN_API void bnn_network_get_info(const bnn_network *net, bnn_network_info *info);

typedef struct bnn_layer_info {
    const char *kind;        /* "dense", "conv", "maxpool" */
    bnn_shape   input, output;
    uint32_t    kernel;      /* K of a K x K window; 0 for dense */
    uint32_t    MW, MH;      /* matrix width (inputs a neuron) and height (neurons); 0 for pools */
    uint32_t    weight_bits; /* 1, or 2 = ternary; 0 for pools */
    uint32_t    input_bits;  /* 1, 2 = ternary, 8 */
    uint32_t    output_bits; /* 1, 2 = ternary, 32 = scores */
    uint32_t    thresholds;  /* per neuron: 0, 1 or 2 */
    uint64_t    ops;         /* 2 x MW x MH x output positions */
} bnn_layer_info;

/* `index` from 0 to info.layers - 1; the input line is not a layer. EINVAL past the end. */
BNN_API int bnn_network_get_layer(const bnn_network *net, uint32_t index, bnn_layer_info *info);

/* The parameters of a layer. `size` in bytes must be exactly that of `out`; of a
 * pool it is 0. EINVAL.
 * weights: MH x MW values -1, 0, +1; a row of a conv is kernel x kernel x channels.
 * thresholds: MH x thresholds; a neuron fires when sum >= threshold. */
BNN_API int bnn_network_weights(const bnn_network *net, uint32_t layer, int8_t *out, size_t size, bnn_error *err);
BNN_API int bnn_network_thresholds(const bnn_network *net, uint32_t layer, int32_t *out, size_t size, bnn_error *err);

/* Name, or "" when unnamed or out of range; lives as long as the network. */
BNN_API const char *bnn_network_class_name(const bnn_network *net, uint32_t label);
/* Text of "topology", "input" (the input rule) or an entry of the provenance
 * ("name", "recipe", "data", ...); NULL when there is none. */
BNN_API const char *bnn_network_text(const bnn_network *net, const char *key);
/* Walks the keys of the provenance; NULL past the end. */
BNN_API const char *bnn_network_key(const bnn_network *net, size_t index);

/* Where shipped networks (kind "networks") and topologies ("topologies") are
 * found: names without suffix, sorted; NULL past the end. */
typedef struct bnn_catalog bnn_catalog;
BNN_API int         bnn_catalog_open(bnn_catalog **out, const char *kind, bnn_error *err);
BNN_API const char *bnn_catalog_name(const bnn_catalog *catalog, size_t index);
BNN_API const char *bnn_catalog_path(const bnn_catalog *catalog, size_t index);
BNN_API void        bnn_catalog_close(bnn_catalog *catalog);

/* ------------------------------------------------------------- backend -- */

typedef struct bnn_backend_info {
    const char *name;    /* "cpu", "overlay" */
    const char *summary; /* one line for people */
    const char *missing; /* NULL when usable here, else why it is not */
} bnn_backend_info;

/* Walks the backends, best first; 0, or EINVAL when `index` is past the end. */
BNN_API int bnn_backend_at(size_t index, bnn_backend_info *info);

/* Walks the CPU levels, weakest first ("scalar", "avx2", "avx512", ...), as backends. */
BNN_API int bnn_cpu_level_at(size_t index, bnn_backend_info *info);

/* ------------------------------------------------------------- runtime -- */

typedef struct bnn_runtime bnn_runtime; /* one thread at a time */

typedef struct bnn_options {
    const char *backend;  /* NULL = the best one available (default) */
    const char *cpu;      /* kernel level of backend cpu: NULL or "auto", "scalar", "avx2", ... */
    const char *decode;   /* NULL = the network's own; "argmax"; BNN-PYNQ sets: "multi", "single", "margin" */
    uint32_t    threads;  /* worker threads, 0 = one per core (default) */
    uint32_t    reserved0;
    void      (*log)(void *user, const char *line); /* NULL = silent (default) */
    void       *log_user;
    const char *overlay;       /* backend overlay: simulation object (bnn/overlay.h), or "uio": the board under overlay_root */
    const char *overlay_root;  /* of a board: where sys/, dev/ and lib/ are (default "/") */
    const char *overlay_load;  /* parameters through the "window" (default), the original's "registers", or the "back" door */
    const char *overlay_waves; /* VCD file to write, of objects built with waves (default NULL) */
    uint32_t    overlay_stall; /* percent of cycles in which the simulated memory makes the overlay wait (default 0) */
    uint32_t    overlay_seed;  /* of those */
    uint8_t     reserved[24];
} bnn_options;

BNN_API void bnn_options_default(bnn_options *options);

/* Allocates everything that classifying needs. NULL options = defaults. `net` must outlive it. */
BNN_API int  bnn_runtime_open(bnn_runtime **out, const bnn_network *net,
                              const bnn_options *options, bnn_error *err);
BNN_API void bnn_runtime_close(bnn_runtime *runtime);
/* The network that it runs. */
BNN_API const bnn_network *bnn_runtime_network(const bnn_runtime *runtime);
/* Another rule from scores to label, named as in bnn_options, from the next call on. EINVAL: the network has no such rule. */
BNN_API int  bnn_runtime_set_decode(bnn_runtime *runtime, const char *name, bnn_error *err);

/* `images`: count x height x width x channels bytes; one label each. Allocates
 * nothing on the CPU backend. Of equal scores the lower label wins (or as the
 * decode rule says). */
BNN_API int bnn_classify(bnn_runtime *runtime, const uint8_t *images, size_t count,
                         uint16_t *labels, bnn_error *err);
/* As bnn_classify, but gives count x classes scores: signed dot products, less
 * the threshold where the last layer has one. Identical on every backend. */
BNN_API int bnn_score(bnn_runtime *runtime, const uint8_t *images, size_t count,
                      int32_t *scores, bnn_error *err);
/* Both in one pass: `scores` are count x rows (padding rows included), `labels` may be NULL. */
BNN_API int bnn_run(bnn_runtime *runtime, const uint8_t *images, size_t count,
                    int32_t *scores, uint16_t *labels, bnn_error *err);

/* Bytes that bnn_raw writes for one image. */
BNN_API size_t bnn_raw_size(const bnn_network *net);
/* The last layer's outputs of one image from its `rows` scores, in the domain
 * of the network's origin: int32 (BNN-PYNQ cnvW1A1: popcounts), or 64-bit words
 * of threshold bits, ceil(rows / 64), where the network ends in bits. Little endian. */
BNN_API void   bnn_raw(const bnn_network *net, const int32_t *scores, void *out);

/* The outputs of one layer, count x output height x width x channels as int32:
 * -1 and +1 (and 0 of ternary), or scores. `size` in bytes must be exactly that;
 * this is how backends are compared. layer = UINT32_MAX gives the packed input as
 * values (-1, +1, or q of 8 bits). */
BNN_API int bnn_trace(bnn_runtime *runtime, const uint8_t *images, size_t count,
                      uint32_t layer, int32_t *out, size_t size, bnn_error *err);

typedef struct bnn_stats {
    const char *backend;     /* "cpu" */
    const char *kernels;     /* level in use: "scalar" */
    uint32_t    threads;
    uint64_t    images;      /* so far */
    uint64_t    nanoseconds; /* spent computing them */
    uint64_t    cycles;      /* of the overlay's clock; 0 on the CPU, as all below */
    uint64_t    latency_cycles;  /* of the last run: first word in to first result out */
    double      interval_cycles; /* of the last run of several images: between results */
    uint64_t    starved_cycles, waiting_cycles; /* without input where it was wanted; with output nobody took */
} bnn_stats;

BNN_API void bnn_runtime_get_stats(const bnn_runtime *runtime, bnn_stats *stats);

/* ------------------------------------------------------------- dataset -- */

typedef struct bnn_dataset bnn_dataset; /* share between threads */

#define BNN_NO_LABEL 0xffff

typedef struct bnn_dataset_options {
    const bnn_network *network; /* its input rule brings every image to its input shape;
                                   NULL: images as they are, all of one shape (default) */
    const char *rule;           /* text of an input rule (docs/format.md), instead of a network's */
    bnn_shape   record;         /* shape of records; zero = CIFAR-10's 32x32x3 (default) */
    const char *labels;         /* file of labels (IDX1 or one integer a line); NULL = beside an IDX file, by name */
    const char *input;          /* NULL, or "photo": a dark digit on paper */
    int         skip_bad;       /* leave out pictures that cannot be decoded, instead of failing (default 0) */
    int         uncropped;      /* deliver the rule's whole size, not the centre that a smaller input takes of it:
                                   training then crops at random (default 0) */
    uint8_t     reserved[56];
} bnn_dataset_options;

BNN_API void bnn_dataset_options_default(bnn_dataset_options *options);

/* Opens IDX files (also .gz), CIFAR-10 records, folders with a folder per
 * class, lists of picture files (.txt, a path a line), and PNG, JPEG or PNM
 * pictures, one after the other; each kind is told by content (docs/data.md). A
 * folder with MNIST's or CIFAR-10's own files stands for its training set.
 * With skip_bad all pictures are decoded once here; without it only their
 * headers are looked at, and a picture that turns out to be damaged fails
 * bnn_dataset_get. EIO, EMAGIC, EVERSION, ECORRUPT, ESHAPE, EINVAL (options), ENOMEM. */
BNN_API int    bnn_dataset_open(bnn_dataset **out, const char *const *paths, size_t n_paths,
                                const bnn_dataset_options *options, bnn_error *err);
/* Number of images, at least 1; `shape` (may be NULL) is what bnn_dataset_get delivers. */
BNN_API size_t bnn_dataset_count(const bnn_dataset *set, bnn_shape *shape);
/* Copies a range; either output may be NULL. Unlabelled images give BNN_NO_LABEL.
 * Several threads may call this at once. After a failure the outputs are
 * undefined. EINVAL (past the end), EIO, ECORRUPT, ENOMEM. */
BNN_API int    bnn_dataset_get(const bnn_dataset *set, size_t first, size_t count,
                               uint8_t *images, uint16_t *labels, bnn_error *err);
/* File an image comes from, and its index there (may be NULL); NULL past the
 * end; lives as long as the set. */
BNN_API const char *bnn_dataset_source(const bnn_dataset *set, size_t image, size_t *index);
/* Names of the labels (folder names, or a file of names beside the images); NULL
 * past the end or when there are none. */
BNN_API const char *bnn_dataset_class_name(const bnn_dataset *set, uint32_t label);
/* What was left out, a line each, "path: why": with skip_bad pictures that cannot
 * be decoded, and always files of a folder that are no pictures. NULL past the end. */
BNN_API const char *bnn_dataset_left_out(const bnn_dataset *set, size_t index);
BNN_API void        bnn_dataset_close(bnn_dataset *set);

/* What a data set does to each picture, for one in memory: the network's input
 * rule, then `out` holds the network's input shape. `input` is as in
 * bnn_dataset_options. ESHAPE, ENOMEM, EINVAL; of a file also EMAGIC (neither
 * PNG, JPEG nor PNM), ECORRUPT, EVERSION.
 * pixels: height x width x channels, 1 = grey, 3 = RGB, 4 = RGBA. */
BNN_API int bnn_prepare_pixels(const bnn_network *net, const uint8_t *pixels, bnn_shape shape,
                               const char *input, uint8_t *out, bnn_error *err);
/* file: the bytes of a PNG, JPEG or PNM file. */
BNN_API int bnn_prepare_file(const bnn_network *net, const void *file, size_t size,
                             const char *input, uint8_t *out, bnn_error *err);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BNN_BNN_H */
