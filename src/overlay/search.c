/* search.c -- the folding for a frame rate or a budget. */
#include "bnn/overlay.h"
#include "base/error.h"

int bnn_overlay_search(bnn_overlay **out, const char *topology, const bnn_overlay_target *target, const bnn_overlay_options *options, bnn_error *err)
{
    (void)out, (void)topology, (void)target, (void)options;
    return bnn_fail(err, BNN_EINVAL, "overlay search is not there yet");
}
