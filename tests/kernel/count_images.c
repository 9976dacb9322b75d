/* count_images.c TOPOLOGY LEVEL IMAGES CALLS: runs a network of random weights CALLS times on IMAGES pictures
 * of noise, for counting its instructions. The values do not change how many there are. */
#include "backend/backend.h"
#include "random_network.h"

#include <stdlib.h>

static int fail(const bnn_error *err)
{
    fprintf(stderr, "count_images: %s\n", err->message);
    return 1;
}

static int read_topology(bnn_topology *t, const char *path, bnn_error *err)
{
    char text[4096];
    FILE *f = fopen(path, "r");
    const size_t size = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    return bnn_topology_parse(t, text, size, err);
}

int main(int argc, char **argv)
{
    random_state r = { 1 };
    bnn_error err = { 0 };
    bnn_topology t;
    bnn_network *net;
    bnn_backend_state *state;
    if (argc != 5)
        return 2;
    const bnn_options options = { .cpu = argv[2], .threads = 1 };
    const size_t images = strtoul(argv[3], NULL, 10), calls = strtoul(argv[4], NULL, 10);
    if (read_topology(&t, argv[1], &err) != BNN_OK || bnn_network_new(&net, &t, &err) != BNN_OK)
        return fail(&err);
    random_parameters(&r, net);
    if (bnn_network_finish(net, &err) != BNN_OK || bnn_backend_cpu.open(&state, net, &options, &err) != BNN_OK)
        return fail(&err);
    const size_t size = images * bnn_shape_size(t.input), rows = bnn_topology_last(&t)->MH;
    uint8_t *pixels = bnn_alloc(size, 1);
    int32_t *scores = bnn_alloc(images * rows, sizeof *scores);
    for (size_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)random_bits(&r);
    for (size_t i = 0; i < calls; i++)
        bnn_backend_cpu.run(state, pixels, images, scores, &err);
    printf("%d\n", (int)scores[0]);
    bnn_free(scores);
    bnn_free(pixels);
    bnn_backend_cpu.close(state);
    bnn_network_close(net);
    return 0;
}
