/* fuzz_lasagne.c -- any bytes as a trained archive of a small topology, folded exactly. */
#include "bnn/bnn.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bnn_network *net;
    bnn_error err;
    bnn_open_options options;
    bnn_open_options_default(&options);
    options.topology = "input 6x6x1 uint8\nconv 2 3x3 w1 a2\nmaxpool 2x2\ndense 3 w2 a1\ndense <=4 w1 scores\n";
    const int fd = memfd_create("archive", 0);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (bnn_network_open(&net, path, &options, &err) == BNN_OK)
        bnn_network_close(net);
    close(fd);
    return 0;
}
