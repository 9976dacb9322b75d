/* board.h -- what the board of 2018 did with the same network. */
#ifndef BNN_TOOLS_BOARD_H
#define BNN_TOOLS_BOARD_H

#include "tool.h"

typedef struct tool_board {
    const char *overlay; /* "lfcW1A1" */
    double      images_per_second, latency_us;
} tool_board;

/* NULL when the network's topology is none of the board's. */
const tool_board *tool_board_find(const bnn_network *net);

#endif
