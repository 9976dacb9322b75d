/* hardware.h -- what --backend overlay needs before a runtime can be opened: settings, and a built overlay. */
#ifndef BNN_TOOLS_HARDWARE_H
#define BNN_TOOLS_HARDWARE_H

#include "options.h"

/* --overlay's settings, "word=value,...". */
typedef struct tool_hardware {
    char folding[1024], object[4096], root[1024], load[16], waves[1024];
} tool_hardware;

/* Where simulation objects are kept: $XDG_CACHE_HOME/bnn, or ~/.cache/bnn. */
void tool_cache(char *out, size_t size);

/* Reads the settings and, for backend overlay, builds the network's overlay
 * unless it is in the cache or an object or a board is named. `h` must live as
 * long as `options` is used. TOOL_USAGE; errors of bnn_overlay_build. */
int tool_hardware_prepare(tool_hardware *h, const char *settings, const bnn_network *net, bnn_options *options, bnn_error *err);

/* Cycles, images/s at `mhz` and stalls of an overlay's last run; nothing for other backends. */
void tool_hardware_report(const bnn_stats *stats, double mhz);

#endif
