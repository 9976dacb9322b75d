/* series.h -- values of one thing over the rounds of a measurement, and their quantiles. */
#ifndef BNN_TOOLS_SERIES_H
#define BNN_TOOLS_SERIES_H

#include <stddef.h>

enum { TOOL_SERIES = 400 };

typedef struct tool_series { double at[TOOL_SERIES]; size_t n; } tool_series;

void   tool_series_add(tool_series *s, double value); /* what is more than TOOL_SERIES is dropped */
double tool_median(tool_series *s);

/* The value that a part p of all do not exceed, 0 of none; sorts. */
double tool_quantile(double *values, size_t n, double p);

#endif
