/* test_vectors.c -- the original's own parameters: outputs of its software runtime, bit for bit.
 *
 * Needs the real data (BNN_DATA); skips without it.
 */
#include "bnn/bnn.h"
#include "format/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { IMAGES = 200 };

static uint8_t *vector(const char *name, size_t expected)
{
    char sub[256];
    size_t size;
    snprintf(sub, sizeof sub, "bnn-pynq/vectors/%s", name);
    const char *path = scratch_data(sub);
    assert_non_null(path);
    uint8_t *bytes = scratch_read(path, &size);
    assert_int_equal(size, expected);
    return bytes;
}

static uint8_t *lfc_images(void)
{
    uint8_t *file = vector("lfc_structured200.idx3-ubyte", 16 + IMAGES * 784);
    memmove(file, file + 16, IMAGES * 784);
    return file;
}

/* Records of a label and three planes, to channels innermost. */
static uint8_t *cnv_images(void)
{
    uint8_t *file = vector("cnv_structured200.cifar.bin", IMAGES * 3073), *pixels = malloc(IMAGES * 3072);
    for (size_t i = 0; i < IMAGES; i++)
        for (size_t p = 0; p < 3072; p++)
            pixels[i * 3072 + p] = file[i * 3073 + 1 + p % 3 * 1024 + p / 3];
    free(file);
    return pixels;
}

static void labels_equal(const bnn_network *net, const uint8_t *pixels, const char *decode, const char *reference)
{
    bnn_runtime *run;
    bnn_options options;
    uint16_t labels[IMAGES];
    bnn_options_default(&options);
    options.decode = decode;
    assert_int_equal(bnn_runtime_open(&run, net, &options, NULL), BNN_OK);
    assert_int_equal(bnn_classify(run, pixels, IMAGES, labels, NULL), BNN_OK);
    uint8_t *expected = vector(reference, IMAGES * 4);
    for (size_t i = 0; i < IMAGES; i++)
        assert_int_equal(labels[i], expected[4 * i] | expected[4 * i + 1] << 8);
    free(expected);
    bnn_runtime_close(run);
}

static void raw_equal(const bnn_network *net, const uint8_t *pixels, const char *reference)
{
    static int32_t scores[IMAGES * 64];
    bnn_runtime *run;
    uint8_t raw[256];
    const size_t size = bnn_raw_size(net);
    assert_int_equal(bnn_runtime_open(&run, net, NULL, NULL), BNN_OK);
    assert_int_equal(bnn_run(run, pixels, IMAGES, scores, NULL, NULL), BNN_OK);
    uint8_t *expected = vector(reference, IMAGES * size);
    for (size_t i = 0; i < IMAGES; i++) {
        bnn_raw(net, scores + 64 * i, raw);
        assert_memory_equal(raw, expected + i * size, size);
    }
    free(expected);
    bnn_runtime_close(run);
}

/* Read, kept in our file, read again: the outputs are of that network, and it gives the folder back. */
static bnn_network *through_our_file(const char *folder)
{
    char scratch[256];
    bnn_network *net, *again;
    bnn_error err;
    scratch_make(scratch);
    if (bnn_network_open(&net, folder, NULL, &err) != BNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(bnn_network_save(net, scratch_path(scratch, "net"), &err), BNN_OK);
    assert_int_equal(bnn_network_open(&again, scratch_path(scratch, "net"), NULL, &err), BNN_OK);
    assert_int_equal(bnn_network_save_pynq(again, scratch_path(scratch, "back"), NULL, NULL, 0, &err), BNN_OK);
    assert_true(scratch_same(folder, scratch_path(scratch, "back")));
    bnn_network_close(net);
    scratch_remove(scratch);
    return again;
}

static void check(const char *params, const char *vectors, const char *kind, const char *raw)
{
    char sub[200];
    snprintf(sub, sizeof sub, "bnn-pynq/params/%s", params);
    bnn_network *net = through_our_file(scratch_data(sub));
    uint8_t *pixels = kind[0] == 'l' ? lfc_images() : cnv_images();
    snprintf(sub, sizeof sub, "%s/%s_structured200.%s", vectors, kind, raw);
    raw_equal(net, pixels, sub);
    snprintf(sub, sizeof sub, "%s/%s_structured200.class_multi.i32le", vectors, kind);
    labels_equal(net, pixels, NULL, sub); /* multi is the default */
    snprintf(sub, sizeof sub, "%s/%s_structured200.class_single.i32le", vectors, kind);
    labels_equal(net, pixels, "single", sub);
    free(pixels);
    bnn_network_close(net);
}

static void mnist_lfcW1A1(void **state) { (void)state; check("mnist/lfcW1A1", "lfcW1A1-mnist", "lfc", "word.u64le"); }
static void mnist_lfcW1A2(void **state) { (void)state; check("mnist/lfcW1A2", "lfcW1A2-mnist", "lfc", "word.u64le"); }
static void cifar10_cnvW1A1(void **state) { (void)state; check("cifar10/cnvW1A1", "cnvW1A1-cifar10", "cnv", "scores.i32le"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnist_lfcW1A1), cmocka_unit_test(mnist_lfcW1A2), cmocka_unit_test(cifar10_cnvW1A1),
    };
    if (!scratch_data("bnn-pynq/params")) {
        printf("skipped: no bnn-pynq/params in BNN_DATA (../shared/data/unpack makes it)\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
