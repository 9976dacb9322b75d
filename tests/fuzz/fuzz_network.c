/* fuzz_network.c -- any bytes as a network file, as they are and with the checksum set right, so that what lies
 * behind it is reached; what can be read must be written and read again. */
#include "base/mem.h"
#include "format/format.h"
#include "format/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_and_write(const uint8_t *data, size_t size)
{
    bnn_network *net, *again;
    bnn_error err;
    uint8_t *file;
    size_t n;
    if (bnn_network_read(&net, data, size, &err) != BNN_OK)
        return;
    if (bnn_network_write(&file, &n, net, &err) != BNN_OK || bnn_network_read(&again, file, n, &err) != BNN_OK
        || again->checksum != net->checksum)
        abort();
    bnn_network_close(again);
    bnn_network_close(net);
    bnn_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_and_write(data, size);
    if (!bnn_safetensors_is(data, size))
        return 0;
    uint8_t *sealed = malloc(size);
    memcpy(sealed, data, size);
    bnn_safetensors_seal(sealed, size);
    read_and_write(sealed, size);
    free(sealed);
    return 0;
}
