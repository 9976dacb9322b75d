/* make_networks.c -- writes small random networks with pictures and their scores, for the second reader.
 *
 *     make_networks FOLDER
 *
 * For each: NAME.safetensors, NAME.pixels (5 pictures) and NAME.scores (int32,
 * little endian), as the library computes them.
 */
#include "format/scratch.h"
#include "format/small.h"
#include "base/bytes.h"

#include <stdio.h>

enum { IMAGES = 5 };

static int write_network(const char *folder, size_t i)
{
    bnn_network *net;
    bnn_runtime *run;
    bnn_error err;
    scratch_rng r = { 1000 + i };
    uint8_t pixels[IMAGES * SMALL_PIXELS], bytes[4 * IMAGES * SMALL_ROWS];
    int32_t scores[IMAGES * SMALL_ROWS];
    char file[64];
    net = small_network(i, &r);
    snprintf(file, sizeof file, "%s.safetensors", small_name(i));
    const size_t size = bnn_shape_size(net->topology.input), rows = bnn_topology_last(&net->topology)->MH;
    for (size_t k = 0; k < IMAGES * size; k++)
        pixels[k] = (uint8_t)scratch_next(&r);
    if (bnn_network_save(net, scratch_path(folder, file), &err) != BNN_OK || bnn_runtime_open(&run, net, NULL, &err) != BNN_OK
        || bnn_run(run, pixels, IMAGES, scores, NULL, &err) != BNN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t k = 0; k < IMAGES * rows; k++)
        bnn_put_u32le(bytes + 4 * k, (uint32_t)scores[k]);
    snprintf(file, sizeof file, "%s.pixels", small_name(i));
    scratch_write(folder, file, pixels, IMAGES * size);
    snprintf(file, sizeof file, "%s.scores", small_name(i));
    scratch_write(folder, file, bytes, 4 * IMAGES * rows);
    bnn_runtime_close(run);
    bnn_network_close(net);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = argc != 2;
    for (size_t i = 0; !failed && small_name(i); i++)
        failed = write_network(argv[1], i);
    return failed;
}
