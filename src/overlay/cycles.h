/* cycles.h -- the exact number of cycles: the handshakes of an overlay, without its data.
 *
 * Each stage keeps the counters that its Verilog keeps; every cycle, valid
 * goes down the stream, ready comes up, words move. So initiation interval and
 * latency come out as the hardware's, to the cycle, whatever the stages do to
 * each other. The ports are ideal: an image word is there, and a result word
 * is taken, in every cycle.
 */
#ifndef BNN_OVERLAY_CYCLES_H
#define BNN_OVERLAY_CYCLES_H

#include "overlay/plan.h"

typedef struct bnn_cycles {
    uint64_t interval;             /* between results, once full */
    uint64_t latency;              /* first word in to last word of the first result, both counted */
    uint32_t peak[BNN_MAX_LAYERS]; /* most places of each unit's queue in use */
} bnn_cycles;

/* Runs frames until the interval repeats. ETIMEOUT when the stream stands still; ENOMEM. */
int bnn_cycles_run(bnn_cycles *out, const bnn_plan *plan, bnn_error *err);

/* The slowest unit's (or port's) cycles a frame: the interval can be no less. */
uint64_t bnn_cycles_bound(const bnn_plan *plan);

/* Gives each unit's queue the least size, by halves, at which the interval is
 * what it is with long queues. */
int bnn_plan_queues(bnn_plan *plan, bnn_cycles *out, bnn_error *err);

#endif
