/* fuzz_checkpoint.c -- any bytes as a training checkpoint, as they are and with a checksum that fits. */
#include "base/sha256.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_one(const uint8_t *data, size_t size, const uint8_t *digest)
{
    char path[64];
    bnn_graph last, best;
    const int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || (digest && write(fd, digest, 32) != 32))
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (bnn_checkpoint_read_graphs(&last, &best, path, NULL) == BNN_OK) {
        bnn_rule rule;
        bnn_network *net;
        bnn_rule_default(&rule, &last.topology);
        if (bnn_fold(&net, &last, &rule, bnn_topology_last(&last.topology)->MH, NULL) == BNN_OK)
            bnn_network_close(net);
        bnn_graph_free(&last);
        bnn_graph_free(&best);
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bnn_sha256 hash;
    uint8_t digest[32];
    bnn_sha256_init(&hash);
    bnn_sha256_add(&hash, data, size);
    bnn_sha256_end(&hash, digest);
    read_one(data, size, NULL);
    read_one(data, size, digest);
    return 0;
}
