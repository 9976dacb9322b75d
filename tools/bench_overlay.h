/* bench_overlay.h -- `bnn bench --backend overlay`. */
#ifndef BNN_TOOLS_BENCH_OVERLAY_H
#define BNN_TOOLS_BENCH_OVERLAY_H

#include "options.h"

/* Measures for about `seconds`, `batch` images a call (0 = as many as take half a second), and prints. */
int tool_bench_overlay(const tool_common *common, uint32_t batch, double seconds, int json, bnn_error *err);

#endif
