/* series.c -- quantiles by sorting. */
#include "series.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void tool_series_add(tool_series *s, double value)
{
    if (s->n < TOOL_SERIES)
        s->at[s->n++] = value;
}

double tool_quantile(double *values, size_t n, double p)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof *values, by_value);
    return values[(size_t)((double)(n - 1) * p + 0.5)];
}

double tool_median(tool_series *s)
{
    return tool_quantile(s->at, s->n, 0.5);
}
