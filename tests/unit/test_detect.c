/* test_detect.c -- what is where: shapes drawn on paper, found by a network whose weights are those shapes. */
#include "bnn/detect.h"
#include "base/mem.h"
#include "net/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = 16, BLOCK = 0, FRAME = 1, BAR = 2, NOTHING = 3 };

/* Is a point (in tile sides, 0 to 1) of a shape ink? */
static bool ink(int shape, double x, double y)
{
    const double dx = x < 0.5 ? 0.5 - x : x - 0.5, dy = y < 0.5 ? 0.5 - y : y - 0.5, far = dx > dy ? dx : dy;
    switch (shape) {
    case BLOCK: return far < 0.25;
    case FRAME: return far < 0.45 && far > 0.25;
    case BAR:   return dx < 0.2 && dy < 0.45;
    default:    return false;
    }
}

/* One layer; row `shape` has +1 where the shape has ink, so its score is the number of pixels that agree, less the others. */
static bnn_network *shapes_network(void)
{
    static const char text[] = "input 16x16x1 bit\ndense 4 w1 scores\n";
    static const char *const names[] = { "block", "frame", "bar", "Not a shape" };
    bnn_topology t;
    bnn_network *net;
    assert_int_equal(bnn_topology_parse(&t, text, sizeof text - 1, NULL), BNN_OK);
    assert_int_equal(bnn_network_new(&net, &t, NULL), BNN_OK);
    for (uint32_t shape = 0; shape < 4; shape++)
        for (uint32_t s = 0; s < SIDE * SIDE; s++)
            bnn_weight_set(&net->topology.layer[0], &net->matrix[0], shape, s,
                           ink((int)shape, (s % SIDE + 0.5) / SIDE, (s / SIDE + 0.5) / SIDE) ? 1 : -1);
    assert_int_equal(bnn_network_set_names(net, names, 4, NULL), BNN_OK);
    assert_int_equal(bnn_network_finish(net, NULL), BNN_OK);
    return net;
}

struct scene { uint8_t pixels[120 * 200 * 3]; bnn_shape shape; };

static void draw(struct scene *s, int shape, uint32_t x, uint32_t y, uint32_t side)
{
    for (uint32_t i = 0; i < side; i++)
        for (uint32_t j = 0; j < side; j++)
            if (ink(shape, (j + 0.5) / side, (i + 0.5) / side))
                memset(s->pixels + ((y + i) * s->shape.width + x + j) * 3, 255, 3);
}

struct fixture { bnn_network *net; bnn_runtime *run; struct scene scene; };

static int open_all(void **state)
{
    struct fixture *f = bnn_alloc(1, sizeof *f);
    const bnn_options options = { .threads = 1 };
    f->net = shapes_network();
    f->scene.shape = (bnn_shape){ 120, 200, 3 };
    *state = f;
    return bnn_runtime_open(&f->run, f->net, &options, NULL);
}

static int close_all(void **state)
{
    struct fixture *f = *state;
    bnn_runtime_close(f->run);
    bnn_network_close(f->net);
    bnn_free(f);
    return 0;
}

static void each_shape_is_found_once_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    static const struct { int shape; uint32_t x, y, side; } drawn[] = {
        { BLOCK, 12, 15, 16 }, { BAR, 99, 72, 16 }, { BLOCK, 150, 20, 48 }, { FRAME, 20, 60, 48 },
    };
    enum { DRAWN = sizeof drawn / sizeof *drawn };
    for (size_t i = 0; i < DRAWN; i++)
        draw(&f->scene, drawn[i].shape, drawn[i].x, drawn[i].y, drawn[i].side);
    bnn_box boxes[20];
    size_t n = 0;
    assert_int_equal(bnn_detect(f->run, f->scene.pixels, f->scene.shape, NULL, boxes, 20, &n, NULL), BNN_OK);
    assert_int_equal(n, DRAWN);
    for (size_t i = 0; i < DRAWN; i++) {
        size_t k = 0;
        while (k < n && boxes[k].label != drawn[i].shape)
            k++;
        size_t near = 0;
        for (k = 0; k < n; k++)
            near += boxes[k].label == drawn[i].shape && abs((int)boxes[k].x - (int)drawn[i].x) <= 6
                    && abs((int)boxes[k].y - (int)drawn[i].y) <= 6 && boxes[k].width == drawn[i].side;
        assert_int_equal(near, 1);
    }
    for (size_t k = 0; k < n; k++) {
        assert_true(boxes[k].votes >= 2 && boxes[k].lead >= SIDE * SIDE / 8 && boxes[k].score >= boxes[k].lead / 2);
        assert_true(k == 0 || boxes[k - 1].lead >= boxes[k].lead);
    }
}

static void limits_leave_boxes_out(void **state)
{
    struct fixture *f = *state;
    bnn_detect_options options;
    bnn_box boxes[3];
    size_t n = 0;
    draw(&f->scene, BAR, 30, 30, 16);
    draw(&f->scene, BAR, 90, 30, 16);
    bnn_detect_options_default(&options);
    assert_int_equal(bnn_detect(f->run, f->scene.pixels, f->scene.shape, &options, boxes, 1, &n, NULL), BNN_OK);
    assert_int_equal(n, 2); /* counted, though there was room for one */
    options.min_score = SIDE * SIDE + 1;
    assert_int_equal(bnn_detect(f->run, f->scene.pixels, f->scene.shape, &options, boxes, 3, &n, NULL), BNN_OK);
    assert_int_equal(n, 0);
    options.min_score  = 0;
    options.background = "bar";
    assert_int_equal(bnn_detect(f->run, f->scene.pixels, f->scene.shape, &options, boxes, 0, &n, NULL), BNN_OK);
    assert_true(n >= 1); /* paper: now the class "Not a shape" is an object */
}

static void tiles_reach_every_edge(void **state)
{
    struct fixture *f = *state;
    const bnn_shape shape = f->scene.shape;
    bnn_box boxes[4];
    size_t n = 0;
    draw(&f->scene, FRAME, shape.width - SIDE, shape.height - SIDE, SIDE);
    assert_int_equal(bnn_detect(f->run, f->scene.pixels, shape, NULL, boxes, 4, &n, NULL), BNN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(boxes[0].x, shape.width - SIDE);
    assert_int_equal(boxes[0].y, shape.height - SIDE);
    assert_int_equal(boxes[0].score, SIDE * SIDE);
}

static void mistakes_are_told(void **state)
{
    struct fixture *f = *state;
    static const double huge[] = { 1000 };
    const struct { bnn_detect_options options; bnn_shape shape; int code; const char *message; } wrong[] = {
        { { .scales = huge, .n_scales = 1 }, f->scene.shape, BNN_EINVAL, "scale 1000; expected 0.1 to 100" },
        { { .stride = 2 }, f->scene.shape, BNN_EINVAL, "stride 2; expected 0.01 to 1 of a tile's side" },
        { { .overlap = -1 }, f->scene.shape, BNN_EINVAL, "overlap -1; expected more than 0 and at most 1" },
        { { .background = "sky" }, f->scene.shape, BNN_EINVAL, "background 'sky'; expected the name of a class" },
        { { 0 }, { 9, 12, 3 }, BNN_ESHAPE, "a picture of 9x12; expected at least a tile of 16x16" },
        { { 0 }, { 50, 50, 2 }, BNN_EINVAL, "a picture of 2 channels; expected 1, 3 or 4" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bnn_error err;
        size_t n = 77;
        assert_int_equal(bnn_detect(f->run, f->scene.pixels, wrong[i].shape, &wrong[i].options, NULL, 0, &n, &err), wrong[i].code);
        assert_string_equal(err.message, wrong[i].message);
        assert_int_equal(n, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_shape_is_found_once_and_nothing_else, open_all, close_all),
        cmocka_unit_test_setup_teardown(limits_leave_boxes_out, open_all, close_all),
        cmocka_unit_test_setup_teardown(tiles_reach_every_edge, open_all, close_all),
        cmocka_unit_test_setup_teardown(mistakes_are_told, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
