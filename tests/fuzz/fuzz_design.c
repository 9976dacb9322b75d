/* fuzz_design.c -- any bytes as the description of an overlay; what parses must print and parse again. */
#include "net/design.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char out[BNN_DESIGN_TEXT], second[BNN_DESIGN_TEXT];
    static bnn_design d, again;
    if (bnn_design_parse(&d, (const char *)data, size, NULL) != BNN_OK)
        return 0;
    const size_t n = bnn_design_print(&d, out, sizeof out);
    if (n >= sizeof out || bnn_design_parse(&again, out, n, NULL) != BNN_OK
        || bnn_design_print(&again, second, sizeof second) != n || memcmp(out, second, n) != 0)
        abort();
    return 0;
}
