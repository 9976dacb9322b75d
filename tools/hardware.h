/* hardware.h -- what --backend overlay needs before a runtime can be opened: settings, and a built overlay. */
#ifndef BNN_TOOLS_HARDWARE_H
#define BNN_TOOLS_HARDWARE_H

#include "options.h"

#include <jansson.h>

/* --overlay's settings, "word=value,...". */
typedef struct tool_hardware {
    char   folding[1024], object[4096], root[1024], load[16], waves[1024];
    double clock; /* MHz, that images a second are told for */
} tool_hardware;

/* Where simulation objects are kept: $XDG_CACHE_HOME/bnn, or ~/.cache/bnn. */
void tool_cache(char *out, size_t size);

/* Reads the settings and, for backend overlay, builds the network's overlay
 * unless it is in the cache or an object or a board is named. `h` must live as
 * long as `options` is used. TOOL_USAGE; errors of bnn_overlay_build. */
int tool_hardware_prepare(tool_hardware *h, const char *settings, const bnn_network *net, bnn_options *options, bnn_error *err);

/* Backend overlay is asked for: by name, or, where none is named, by its settings. */
int tool_hardware_asked(const tool_common *c);

/* Cycles and stalls of all runs so far, images/s of the last at the overlay's clock; false for other backends. */
int tool_hardware_text(const tool_hardware *h, const bnn_runtime *runtime, char *out, size_t size);
/* The same as an object; NULL for other backends. */
json_t *tool_hardware_json(const tool_hardware *h, const bnn_runtime *runtime);

#endif
