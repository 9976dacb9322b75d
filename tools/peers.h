/* peers.h -- what a user would otherwise pick, on the layer shapes of a network.
 *
 * OpenBLAS (fp32) and oneDNN (fp32, int8) are loaded when they are asked for;
 * this command is not linked with them. Only their matrix products and
 * convolutions are timed, layer after layer as a network runs them: no packing,
 * no thresholds, no pooling, which flatters the peer.
 */
#ifndef BNN_TOOLS_PEERS_H
#define BNN_TOOLS_PEERS_H

#include "tool.h"

typedef struct tool_peer {
    const char *name, *missing; /* "openblas-fp32"; why it was not measured, or NULL */
    double      images_per_second, latency_us; /* medians, one thread */
} tool_peer;

enum { TOOL_PEERS = 3 };

/* Measures each for about `seconds`. ENOMEM. */
int tool_peers_measure(tool_peer peers[TOOL_PEERS], const bnn_network *net, uint32_t batch, double seconds, bnn_error *err);

#endif
