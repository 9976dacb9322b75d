/* pynq_model.h -- BNN-PYNQ's arithmetic, written down a second time.
 *
 * Straight from the description of the original: its own tables, its own
 * domains (popcounts over padded widths, signed sums, 24-bit fixed point), one
 * synapse after another. It shares no line with src/format, and is slow.
 */
#ifndef BNN_TESTS_FORMAT_PYNQ_MODEL_H
#define BNN_TESTS_FORMAT_PYNQ_MODEL_H

#include "format/scratch.h"

typedef struct model {
    const char *name; /* lfcW1A1, ... */
    bool        lfc, workshop;
    int         wbits, abits, layers;
    const int  *MW, *MH, *SIMD, *PE;
    int8_t     *weight[9];    /* [MH][MW], padded, -1 0 +1 */
    int64_t    *threshold[9]; /* [MH][nTH], as compared */
} model;

void model_describe(model *m, const char *name, bool workshop);
int  model_nth(const model *m, int layer);

/* What is wrong with a random folder, beyond its numbers. */
enum { MODEL_SHORT = 1, MODEL_LONG = 2, MODEL_GARBAGE = 4, MODEL_EXTREME = 8, MODEL_PADDING = 16, MODEL_STORED_ROWS = 32 };
/* Fills `folder` with random .bin files. */
void model_random(const model *m, const char *folder, scratch_rng *r, unsigned flags);

void model_load(model *m, const char *folder);
void model_free(model *m);

/* 784 pixels -> the 64-bit output word. */
uint64_t model_lfc(const model *m, const uint8_t *pixels);
/* 32 x 32 x 3 pixels, channels innermost -> 64 scores as the hardware gives them. */
void model_cnv(const model *m, const uint8_t *pixels, int32_t scores[64]);

#endif
