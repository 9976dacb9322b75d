/* small.h -- small random networks, one for each thing that a network file can say. */
#ifndef BNN_TESTS_FORMAT_SMALL_H
#define BNN_TESTS_FORMAT_SMALL_H

#include "format/scratch.h"
#include "net/network.h"

enum { SMALL_PIXELS = 400, SMALL_ROWS = 16 }; /* at most */

/* NULL past the end. */
const char  *small_name(size_t index);
bnn_network *small_network(size_t index, scratch_rng *r);

#endif
