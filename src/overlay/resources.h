/* resources.h -- block RAM by arithmetic, LUT by a model, on 7-series parts. */
#ifndef BNN_OVERLAY_RESOURCES_H
#define BNN_OVERLAY_RESOURCES_H

#include "overlay/plan.h"

typedef struct bnn_resources {
    double   lut;    /* logic and LUT RAM */
    uint32_t bram18; /* 18 kbit blocks; two share a 36 kbit one */
} bnn_resources;

/* Blocks of a memory of `width` bits x `depth`, as Yosys maps it: the least over the shapes that a block has. */
uint32_t bnn_bram18(uint32_t width, uint32_t depth);

/* A memory at most this deep is made of LUT RAM (rtl's "distributed"), a deeper one of blocks. */
enum { BNN_LUT_DEPTH = 64, BNN_LUT_REPLAY = 256 };

/* What a unit's LUTs grow with, beside what follows from its structure: the unit itself; a bit of a counter or an
 * address; a row at a time (PE); a bit of a weight word (reading back); a bit of a comparison; a lane of bytes, and one
 * with ternary weights. */
enum { BNN_FIT_ONE, BNN_FIT_ADDRESS, BNN_FIT_PE, BNN_FIT_WEIGHT, BNN_FIT_COMPARE, BNN_FIT_BYTE, BNN_FIT_BYTE_TERNARY, BNN_FIT_COUNT };

bnn_resources bnn_unit_structure(const bnn_unit *u, uint32_t queue); /* without what is fitted */
void bnn_unit_features(const bnn_unit *u, double *out /* [BNN_FIT_COUNT] */);
bnn_resources bnn_unit_resources(const bnn_unit *u, uint32_t queue);
bnn_resources bnn_stage_resources(const bnn_plan *plan, const bnn_stage *s);
bnn_resources bnn_plan_resources(const bnn_plan *plan); /* all stages, and with ports of 64 bits the shell */

#endif
