/* feeder.h -- reads the images of a data set ahead, on all cores, while others are being classified.
 *
 *     tool_feeder_start(f, first, count);                 threads fill the spare buffer
 *     rc = tool_feeder_take(f, &images, &truth, err);     waits; the buffer is the caller's
 *     tool_feeder_start(f, first + count, next);          and the other one fills
 */
#ifndef BNN_TOOLS_FEEDER_H
#define BNN_TOOLS_FEEDER_H

#include "tool.h"

typedef struct tool_feeder tool_feeder; /* used by one thread */

/* Two buffers of `capacity` images; `threads` >= 1, 0 = one per core. ENOMEM. */
int  tool_feeder_new(tool_feeder **out, const bnn_dataset *data, size_t capacity, size_t image_size, unsigned threads, bnn_error *err);
void tool_feeder_free(tool_feeder *f);

/* Begins to read a range; nothing may be under way. */
void tool_feeder_start(tool_feeder *f, size_t first, size_t count);
/* The range started last, in memory that stays until the second start from now.
 * Fails like bnn_dataset_get, with the error of the first image that cannot be read. */
int  tool_feeder_take(tool_feeder *f, uint8_t **images, uint16_t **truth, bnn_error *err);

unsigned tool_feeder_threads(const tool_feeder *f);
double   tool_feeder_seconds(const tool_feeder *f); /* processor time of all its threads, of ranges taken */

#endif
