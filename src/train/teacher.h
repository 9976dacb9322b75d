/* teacher.h -- probabilities of a trained network, to learn from beside the labels.
 *
 * Hinton, Vinyals, Dean (2015), with the teacher's integer scores: over a batch
 * they are brought to variance 1, multiplied by a gain that leaves several
 * classes probable, and put through softmax.
 */
#ifndef BNN_TRAIN_TEACHER_H
#define BNN_TRAIN_TEACHER_H

#include "backend/backend.h"

typedef struct bnn_teacher {
    bnn_backend_state *backend;
    uint32_t  rows, classes;
    uint8_t  *images;        /* [batch] pictures as the student sees them, before they become values */
    int32_t  *scores;        /* [batch][rows] */
    float    *probabilities; /* [batch][classes] */
} bnn_teacher;

/* ESHAPE when the network's input or classes are others than the student's. */
int  bnn_teacher_open(bnn_teacher *out, const bnn_network *net, bnn_shape input, uint32_t classes, size_t batch,
                      uint32_t threads, bnn_error *err);
void bnn_teacher_close(bnn_teacher *t);
/* Probabilities of the n pictures in t->images. */
int  bnn_teacher_ask(bnn_teacher *t, size_t n, bnn_error *err);

#endif
