/* trainer.h -- the state of one training run: what train.c drives and checkpoint.c keeps. */
#ifndef BNN_TRAIN_TRAINER_H
#define BNN_TRAIN_TRAINER_H

#include "bnn/train.h"
#include "train/augment.h"
#include "train/graph.h"
#include "train/split.h"
#include "train/teacher.h"
#include "train/threshold.h"

typedef struct bnn_trainer {
    bnn_train_options options;
    bnn_augment augment;
    bnn_rule    rule;
    bnn_pool   *pool;
    bnn_model  *model;
    bnn_samples train, validation;
    uint32_t   *order;        /* [train.count] of this epoch */
    uint16_t   *labels;       /* [batch] */
    uint8_t    *changed;      /* [threads][image]: a picture after augmentation ... */
    float      *values;       /* [threads][image]: ... and as numbers */
    bnn_teacher teacher;      /* backend NULL = none */
    bnn_thresholds thresholds; /* of the input, where they are learned */
    char       *settings;     /* all that decides the result, a line each: equal or no resuming */

    uint32_t    epoch, step;  /* done */
    uint32_t    steps;        /* of an epoch */
    bnn_loss    loss;         /* of this epoch so far */
    uint32_t    best_epoch;   /* 0 = none yet */
    uint32_t    best_correct; /* of the validation images */
    bnn_graph   last, best;   /* of whole epochs */
    uint64_t    started_ns;
    double      rate;         /* images a second of this epoch */
} bnn_trainer;

/* checkpoint.c. Reading checks the settings first: EINVAL names the line that
 * differs. EIO, EMAGIC, ECORRUPT, ENOMEM. */
int bnn_checkpoint_write(const bnn_trainer *t, const char *path, bnn_error *err);
int bnn_checkpoint_read(bnn_trainer *t, const char *path, bnn_error *err);

/* The graphs alone, of any checkpoint; free both with bnn_graph_free. */
int bnn_checkpoint_read_graphs(bnn_graph *last, bnn_graph *best, const char *path, bnn_error *err);

#endif
