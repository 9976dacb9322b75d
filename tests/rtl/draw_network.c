/* draw_network.c -- a network file for a topology of which no trained network is there.
 *
 *     draw_network TOPOLOGY FILE
 */
#include "drawn_network.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    bnn_error err = { 0 };
    bnn_network *net = NULL;
    if (argc != 3)
        return 2;
    int rc = drawn_network(&net, argv[1], &err);
    if (rc == BNN_OK)
        rc = bnn_network_save(net, argv[2], &err);
    bnn_network_close(net);
    if (rc != BNN_OK)
        printf("%s\n", err.message);
    return rc != BNN_OK;
}
