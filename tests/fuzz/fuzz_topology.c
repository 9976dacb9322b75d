/* fuzz_topology.c -- any bytes as a topology and as an input rule; what parses must print and parse again. */
#include "net/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[8192];
    bnn_topology t, again;
    bnn_rule rule;
    bnn_error err;
    if (bnn_topology_parse(&t, (const char *)data, size, &err) == BNN_OK) {
        const size_t n = bnn_topology_print(&t, text, sizeof text);
        if (n >= sizeof text || bnn_topology_parse(&again, text, n, &err) != BNN_OK || !bnn_topology_equal(&t, &again))
            abort();
    }
    static const char lfc[] = "input 28x28x1 bit\ndense 10 w1 scores\n";
    if (bnn_topology_parse(&t, lfc, sizeof lfc - 1, &err) == BNN_OK
        && bnn_rule_parse(&rule, &t, (const char *)data, size, &err) == BNN_OK)
        bnn_rule_print(&rule, text, sizeof text);
    return 0;
}
