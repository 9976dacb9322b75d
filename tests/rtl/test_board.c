/* test_board.c -- a network with drawn parameters on the overlay of a board, against the scalar kernels.
 *
 *     test_board TOPOLOGY ROOT IMAGES window|registers
 *
 * Scores of all images must be equal. What the driver says is wrong goes to
 * standard error, one line, and the exit status is 1. With board_trap.c in the
 * program, ROOT/dev/uio0 may be board_peer's socket.
 */
#include "base/mem.h"
#include "drawn_network.h"

#include <stdio.h>
#include <stdlib.h>

static int run(const bnn_network *net, const bnn_options *options, const uint8_t *images, size_t count, int32_t *scores,
               bnn_stats *stats, bnn_error *err)
{
    bnn_runtime *runtime;
    int rc = bnn_runtime_open(&runtime, net, options, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_run(runtime, images, count, scores, NULL, err);
    bnn_runtime_get_stats(runtime, stats);
    bnn_runtime_close(runtime);
    return rc;
}

static int compare(const int32_t *given, const int32_t *expected, size_t count, size_t rows)
{
    for (size_t i = 0; i < count * rows; i++)
        if (given[i] != expected[i]) {
            fprintf(stderr, "image %zu, row %zu: score %d; expected %d\n", i / rows, i % rows, given[i], expected[i]);
            return 1;
        }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    bnn_error err = { 0 };
    bnn_stats stats = { 0 };
    bnn_options scalar, board;
    bnn_options_default(&scalar);
    bnn_options_default(&board);
    scalar.backend = "cpu";
    scalar.cpu     = "scalar";
    board.backend      = "overlay";
    board.overlay      = "uio";
    board.overlay_root = argv[2];
    board.overlay_load = argv[4];
    bnn_network *net = NULL;
    if (drawn_network(&net, argv[1], &err) != BNN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    const size_t count = strtoul(argv[3], NULL, 10), rows = bnn_topology_last(&net->topology)->MH;
    const size_t pixels = bnn_shape_size(net->topology.input);
    uint8_t *images = bnn_alloc(count, pixels);
    draw_images(images, pixels, count);
    int32_t *expected = bnn_alloc(count * rows, sizeof *expected), *given = bnn_alloc(count * rows, sizeof *given);
    int bad = run(net, &scalar, images, count, expected, &stats, &err) || run(net, &board, images, count, given, &stats, &err);
    if (bad)
        fprintf(stderr, "%s\n", err.message);
    else
        bad = compare(given, expected, count, rows);
    if (!bad)
        printf("%zu images equal, %llu cycles\n", count, (unsigned long long)stats.cycles);
    bnn_free(given);
    bnn_free(expected);
    bnn_free(images);
    bnn_network_close(net);
    return bad;
}
