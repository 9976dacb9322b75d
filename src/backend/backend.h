/* backend.h -- what runs networks: this CPU, an overlay.
 *
 * To add a backend: write src/backend/NAME.c with a bnn_backend, add it to the
 * table in runtime.c, and a line to tests/backend, which holds every backend
 * to the scalar kernels. A backend applies the values half of the input rule
 * (net/rule.h) and gives the scores of all rows; labels are runtime.c's.
 */
#ifndef BNN_BACKEND_BACKEND_H
#define BNN_BACKEND_BACKEND_H

#include "net/network.h"

typedef struct bnn_backend_state bnn_backend_state; /* each backend defines its own */

typedef struct bnn_backend {
    const char *name, *summary;
    /* NULL when usable here, else why not. */
    const char *(*missing)(void);
    int  (*open)(bnn_backend_state **out, const bnn_network *net, const bnn_options *options, bnn_error *err);
    void (*close)(bnn_backend_state *state);
    /* Scores (acc, less the threshold of a thresholded last layer) of all rows, count x MH. */
    int  (*run)(bnn_backend_state *state, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err);
    /* Values of one layer for each image, as bnn_trace documents them. */
    int  (*trace)(bnn_backend_state *state, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, bnn_error *err);
    /* As run, on the calling thread, adding to ns[0] the time of packing and to ns[1 + layer] each layer's; NULL = cannot. */
    void (*profile)(bnn_backend_state *state, const uint8_t *images, size_t count, int32_t *scores, uint64_t *ns);
    /* Fills what the backend knows: kernels, threads, cycles. */
    void (*stats)(const bnn_backend_state *state, bnn_stats *stats);
} bnn_backend;

extern const bnn_backend bnn_backend_cpu;     /* cpu.c */
extern const bnn_backend bnn_backend_overlay; /* overlay.c */

#endif
