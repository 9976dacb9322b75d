/* train.h -- train a network for a topology, and get it with integer thresholds.
 *
 *     bnn_network *blank, *net;
 *     bnn_dataset *set;
 *
 *     if (bnn_train_blank(&blank, "lfcW1A1", "threshold mean", &err)) goto fail;
 *     if (open_set(&set, blank, &err))                                goto fail;
 *     if (bnn_train(&net, NULL, blank, set, NULL, NULL, &err))        goto fail;
 *     bnn_network_save(net, "my.safetensors", &err);
 *
 * where open_set opens the pictures with blank as bnn_dataset_options.network.
 *
 * The network that comes out gives the same labels as the float graph that was
 * trained: batch norm is folded exactly. The same seed, data and options on
 * the same level of CPU give the same bits, on any number of threads.
 *
 * On CPUs without AVX-512 VBMI and VNNI, training needs a maths library at run
 * time (Debian: libdnnl2, or libopenblas0-pthread); classifying does not.
 */
#ifndef BNN_TRAIN_H
#define BNN_TRAIN_H

#include <bnn/bnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network that has a topology (name, file or text) and an input rule (words
 * of docs/format.md; NULL = the default) but is not trained: all weights -1.
 * It brings data sets to the topology's input. Its last layer may be
 * "<= rows"; bnn_train gives it as many as there are classes. EINVAL, ESHAPE, EIO, ENOMEM. */
BNN_API int bnn_train_blank(bnn_network **out, const char *topology, const char *rule, bnn_error *err);

/* What a progress function sees: after every batch, and once more (epoch_end)
 * when the network of an epoch has been measured. */
typedef struct bnn_train_progress {
    uint32_t epoch, epochs;      /* epoch 1 .. epochs */
    uint32_t step, steps;        /* batches of this epoch that are done */
    uint64_t images;             /* one epoch's */
    double   loss, accuracy;     /* means over this epoch's training images so far; accuracy 0 .. 1 */
    double   learning_rate;
    double   seconds;            /* since bnn_train was called */
    double   images_per_second;  /* of this epoch */
    int      epoch_end;
    double   validation;         /* at the end of an epoch: accuracy 0 .. 1 of the frozen network; -1 = no validation images */
    int      best;               /* at the end of an epoch: the best so far on validation */
    const char *maths;           /* how gradients are multiplied: "int6", "onednn-bf16" ... */
} bnn_train_progress;

/* How a network compares with the float graph in a checkpoint. */
typedef struct bnn_train_comparison {
    uint64_t images;
    uint64_t differing;   /* images whose label differs */
    uint64_t values;      /* values of layers compared */
    uint64_t differing_values;
    uint64_t image;       /* the first value that differs: image, layer of the topology, neuron */
    uint32_t layer, neuron;
} bnn_train_comparison;

typedef struct bnn_train_options {
    uint32_t epochs;          /* default 40 */
    uint32_t batch;           /* images a step; 0 = 256, fewer of small sets so that an epoch has 16 steps (default) */
    double   learning_rate;   /* at the start; falls to 0 along a cosine. Default 0.02 */
    const char *augment;      /* "shift=1 flip" ...: docs/training.md; NULL = "shift=1" */
    uint64_t seed;            /* default 1 */
    uint32_t threads;         /* 0 = one per core (default) */
    uint32_t keep_out;        /* without a validation set: images kept out of training to validate with: the last,
                                 or of a set sorted by class the last of each class. Default 0 */
    const char *checkpoint;   /* file rewritten after each epoch and when stopped; NULL = none (default) */
    int      resume;          /* go on from `checkpoint`, which must be of the same options and data */
    const char *maths;        /* NULL = the fastest here; "int6", "onednn-bf16", "onednn-f32", "openblas-f32": docs/training.md */
    /* NULL, or called as above; a value other than 0 stops the training (ECANCEL) with a checkpoint. */
    int    (*progress)(void *user, const bnn_train_progress *progress);
    void    *user;
    const bnn_network *teacher; /* NULL, or a network of the same input and classes to learn from as well */
    double   teacher_share;   /* its weight beside the labels', 0 .. 1 */
    const bnn_network *init;  /* NULL, or a network whose weights are the start, in layers of the same shape */
    const char *const *names; /* NULL, or a name for each class; else those of the data set, if it has any */
    uint32_t n_names;         /* must be the number of classes when names are given (ESHAPE) */
    bnn_train_comparison *comparison; /* NULL, or filled with `best` beside its float graph on the validation images */
    /* NULL, or a number less than the count of images for each: those of one number (pictures of one thing, one
     * writer's letters) are kept out together, in groups evenly spread, about keep_out images in all. */
    const uint32_t *groups;
    uint64_t n_groups;        /* must be the number of images when groups are given (ESHAPE) */
    double   dropout;         /* the share of hidden values that a step leaves to chance, 0 .. 0.9; default 0 */
    uint8_t  reserved[40];
} bnn_train_options;

BNN_API void bnn_train_options_default(bnn_train_options *options);

/* Trains on images of the topology's input shape, or of the input rule's size
 * where that is larger (bnn_dataset_options.uncropped): then `augment` moves a
 * window in them, and validation takes their centre, as the rule says.
 * `best` gets the network of the epoch that was best on validation
 * images (the last one of equals; of all epochs the last, when there are none);
 * `last` may be NULL, else gets that of the last epoch. `validation` may be
 * NULL. `options` NULL = defaults.
 * Refused: unlabelled images, labels beyond the topology's rows (ESHAPE), a
 * class without images (EINVAL), images of another shape (ESHAPE). ECANCEL
 * when the progress function stopped it; EIO, ECORRUPT from the checkpoint;
 * EBACKEND without a maths library; ENOMEM. */
BNN_API int bnn_train(bnn_network **best, bnn_network **last, const bnn_network *blank, const bnn_dataset *train,
                      const bnn_dataset *validation, const bnn_train_options *options, bnn_error *err);

/* Runs the float graph of a checkpoint (its best or its last epoch, whichever
 * `net` was folded from) and the network beside it on every image, layer by
 * layer. ESHAPE when the checkpoint is of another topology or weights. */
BNN_API int bnn_train_compare(const bnn_network *net, const char *checkpoint, const bnn_dataset *set, uint32_t threads,
                              bnn_train_comparison *out, bnn_error *err);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BNN_TRAIN_H */
