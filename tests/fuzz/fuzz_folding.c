/* fuzz_folding.c -- any bytes as a folding; what parses must print and parse again. */
#include "net/folding.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "input 30x20x1 bit\nconv 64 3x3 w1 a1\nmaxpool 2x2\ndense 1000 w1 scores\n";
    char out[256];
    bnn_topology t;
    bnn_folding f, again;
    if (bnn_topology_parse(&t, text, sizeof text - 1, NULL) != BNN_OK)
        abort();
    if (bnn_folding_parse(&f, &t, (const char *)data, size, NULL) != BNN_OK)
        return 0;
    const size_t n = bnn_folding_print(&f, out, sizeof out);
    if (n >= sizeof out || bnn_folding_parse(&again, &t, out, n, NULL) != BNN_OK || memcmp(&f, &again, sizeof f) != 0)
        abort();
    return 0;
}
