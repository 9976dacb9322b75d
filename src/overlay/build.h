/* build.h -- an overlay as files, and the tools that work on them. */
#ifndef BNN_OVERLAY_BUILD_H
#define BNN_OVERLAY_BUILD_H

#include "overlay/emit.h"

/* Writes a text that `print` prints, sized by a first call, to folder/name. */
typedef void (*bnn_print_fn)(bnn_printer *p, const void *what);
int bnn_write_text(const char *folder, const char *name, bnn_print_fn print, const void *what, bnn_error *err);

/* Makes a folder and those above it. EIO. */
int bnn_make_folders(const char *path, bnn_error *err);

/* overlay.v, overlay_description.h and simulate.sh. */
int bnn_write_design(const bnn_plan *plan, const char *folder, bool waves, bnn_error *err);

/* Runs `sh script` in `folder`, its output in folder/script.log. EBACKEND when
 * `tool` is not on the path (the message names `package`); EIO when it fails. */
int bnn_run_script(const char *folder, const char *script, const char *tool, const char *package, bnn_error *err);

/* Simulation object in `cache`, built unless it is there. */
int bnn_build_simulation(const bnn_plan *plan, const char *cache, bool waves, char *path, size_t size, bnn_error *err);

#endif
