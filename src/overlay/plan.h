/* plan.h -- the units of an overlay in the order of the stream, with what converts between them.
 *
 * The one description that the cycle model walks, the emitter prints, and the
 * resource estimate adds up. Names of stages are rtl/'s modules.
 */
#ifndef BNN_OVERLAY_PLAN_H
#define BNN_OVERLAY_PLAN_H

#include "net/design.h"

enum bnn_stage_kind { BNN_STAGE_DWC, BNN_STAGE_SWU, BNN_STAGE_MVTU, BNN_STAGE_POOL };

typedef struct bnn_stage {
    enum bnn_stage_kind kind;
    uint32_t layer;           /* of the topology: the one it belongs to (a converter: the one behind it) */
    uint32_t unit;            /* MVTU: index into units */
    uint32_t bits;            /* of a lane */
    uint32_t a, b;            /* lanes of an input word, of an output word */
    uint32_t lanes;           /* DWC: of a vector */
    uint32_t height, width, K, CF; /* SWU and POOL: map in pixels, window, words a pixel */
} bnn_stage;

enum { BNN_MAX_STAGES = 5 * BNN_MAX_LAYERS };

typedef struct bnn_plan {
    bnn_design   design;
    uint32_t     in_words, out_words;   /* port words of an image, of a result */
    uint32_t     queue[BNN_MAX_LAYERS]; /* QUEUE of each unit */
    uint32_t     stages;
    bnn_stage    stage[BNN_MAX_STAGES];
} bnn_plan;

/* Queues are the least that keeps a unit at full rate; bnn_plan_queues (cycles.h) sizes them. */
void bnn_plan_make(bnn_plan *out, const bnn_design *design);

/* Words of a vector of `lanes` lanes, `per` a word. */
static inline uint32_t bnn_words(uint32_t lanes, uint32_t per) { return (lanes + per - 1) / per; }

/* How bnn_dwc.v converts: `widen` input words into one, then `narrow` output words out of it (1 = no such step). */
typedef struct bnn_ratio { uint32_t widen, narrow; } bnn_ratio;
bnn_ratio bnn_dwc_ratio(const bnn_stage *s);

/* The least QUEUE at which a unit that is never held up never waits for its own results. */
uint32_t bnn_queue_least(const bnn_unit *u, uint32_t pipe);

#endif
