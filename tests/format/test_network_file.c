/* test_network_file.c -- our network file: what is kept, what is refused and how, and version 1 for ever. */
#include "format/format.h"
#include "format/safetensors.h"
#include "format/small.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bnn_network *make(size_t index)
{
    scratch_rng r = { 7 * index };
    return small_network(index, &r);
}

static uint8_t *write_small(size_t index, size_t *size)
{
    uint8_t *file = NULL;
    bnn_network *net = make(index);
    assert_int_equal(bnn_network_write(&file, size, net, NULL), BNN_OK);
    bnn_network_close(net);
    return file;
}

/* ------------------------------------------------------------ round trip -- */

static void everything_is_kept_and_the_bytes_are_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; small_name(i); i++) {
        bnn_network *net = make(i), *again;
        uint8_t *a, *b;
        size_t m, n;
        bnn_error err;
        assert_int_equal(bnn_network_add_extra(net, "bnn-pynq.test", "\1\2\3", 3, &err), BNN_OK);
        assert_int_equal(bnn_network_write(&a, &m, net, &err), BNN_OK);
        if (bnn_network_read(&again, a, m, &err) != BNN_OK)
            fail_msg("%s: %s", small_name(i), err.message);
        assert_true(bnn_topology_equal(&net->topology, &again->topology));
        assert_string_equal(net->rule_text, again->rule_text);
        assert_true(net->checksum == again->checksum);
        assert_int_equal(again->classes, 3);
        assert_int_equal(again->file_version, 1);
        assert_string_equal(bnn_network_class_name(again, 1), "gr\xc3\xbc\xc3\x9f");
        assert_string_equal(bnn_network_class_name(again, 2), "\"third\"\n");
        assert_string_equal(bnn_network_text(again, "recipe"), small_name(i));
        assert_string_equal(bnn_network_key(again, 0), "data");
        assert_int_equal(bnn_network_find_extra(again, "bnn-pynq.test")->size, 3);
        assert_int_equal(bnn_network_write(&b, &n, again, &err), BNN_OK);
        assert_int_equal(m, n);
        assert_memory_equal(a, b, n);
        bnn_free(a);
        bnn_free(b);
        bnn_network_close(net);
        bnn_network_close(again);
    }
}

static void the_layout_is_aligned(void **state)
{
    (void)state;
    for (size_t i = 0; small_name(i); i++) {
        size_t size;
        uint8_t *file = write_small(i, &size);
        bnn_safetensors st;
        assert_int_equal(bnn_get_u64le(file) % 64, 56);
        assert_int_equal(bnn_safetensors_read(&st, file, size, NULL), BNN_OK);
        for (size_t k = 0; k < st.tensors; k++) {
            const size_t at = (size_t)((const uint8_t *)st.tensor[k].data - file);
            assert_int_equal(at % (st.tensor[k].dtype == BNN_U64 ? 8 : st.tensor[k].dtype == BNN_I32 ? 4 : 1), 0);
        }
        bnn_safetensors_free(&st);
        bnn_free(file);
    }
}

static void classes_can_be_chosen_when_opening(void **state)
{
    char scratch[256];
    bnn_network *net = make(3), *again;
    bnn_open_options options;
    bnn_error err;
    (void)state;
    scratch_make(scratch);
    assert_int_equal(bnn_network_save(net, scratch_path(scratch, "net"), &err), BNN_OK);
    bnn_open_options_default(&options);
    options.classes = 4;
    assert_int_equal(bnn_network_open(&again, scratch_path(scratch, "net"), &options, &err), BNN_OK);
    assert_int_equal(again->classes, 4);
    bnn_network_close(again);
    options.classes = 5;
    assert_int_equal(bnn_network_open(&again, scratch_path(scratch, "net"), &options, &err), BNN_ESHAPE);
    assert_non_null(strstr(err.message, "/net: 5 classes; the last layer has 4 rows"));
    bnn_network_close(net);
    scratch_remove(scratch);
}

/* --------------------------------------------------------------- damaged -- */

static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        uint8_t *file = write_small(6 * i, &size); /* dense-table, one-layer */
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bnn_network *net = NULL;
            bnn_error err = { 0 };
            file[bit / 8] ^= (uint8_t)(1 << bit % 8);
            const int rc = bnn_network_read(&net, file, size, &err);
            if (rc == BNN_OK || net || err.code != rc || err.message[0] == '\0')
                fail_msg("bit %zu of byte %zu: code %d, '%s'", bit % 8, bit / 8, rc, err.message);
            file[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        bnn_free(file);
    }
}

static void any_shortened_or_lengthened_file_is_refused(void **state)
{
    size_t size;
    bnn_network *net;
    uint8_t *file = write_small(0, &size), *longer = calloc(size + 64, 1);
    (void)state;
    for (size_t n = 0; n < size; n++) {
        memcpy(longer, file, n); /* in a block of its own, so that a sanitizer sees its end */
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, file, n);
        assert_int_not_equal(bnn_network_read(&net, cut, n, NULL), BNN_OK);
        free(cut);
    }
    memcpy(longer, file, size);
    for (size_t n = size + 1; n <= size + 64; n++)
        assert_int_equal(bnn_network_read(&net, longer, n, NULL), BNN_ECORRUPT);
    free(longer);
    bnn_free(file);
}

/* Files wrong in one way, made from a good one by replacing a text of the
 * header by another of the same length or shorter (padded with spaces at the
 * end of the header) and sealing it again. */
static const struct bad { const char *name, *from, *to; int code; const char *message; } bad[] = {
    { "checksum-not-sealed", "", "", BNN_ECORRUPT, "checksum 0000000000000000..., but the file's bytes give " },
    { "version-9", "\"version\":\"1\"", "\"version\":\"9\"", BNN_EVERSION, "file version 9, this library reads up to 1" },
    { "version-0", "\"version\":\"1\"", "\"version\":\"0\"", BNN_ECORRUPT, "version '0'; expected a number" },
    { "other-kind", "bnn-network", "bnn-latents", BNN_EMAGIC, "safetensors of format 'bnn-latents'; expected 'bnn-network'" },
    { "json-cut", "\"version\":", "\"version\" ", BNN_ECORRUPT, "header: ':' expected near '\"1\"' (byte " },
    { "json-duplicate", "\"format\":", "\"classes\":", BNN_ECORRUPT, "header: duplicate object key near '\"classes\"' (byte " },
    { "metadata-number", "\"classes\":\"3\"", "\"classes\":3", BNN_ECORRUPT, "metadata 'classes' is not a string" },
    { "no-topology", "\"topology\":", "\"topologi\":", BNN_ECORRUPT, "metadata has no 'topology'" },
    { "no-input", "\"input\":", "\"inpud\":", BNN_ECORRUPT, "metadata has no 'input'" },
    { "no-classes", "\"classes\":", "\"klasses\":", BNN_ECORRUPT, "metadata has no 'classes'" },
    { "classes-word", "\"classes\":\"3\"", "\"classes\":\"x\"", BNN_ECORRUPT, "metadata 'classes' is 'x'; expected a number" },
    { "classes-many", "\"classes\":\"3\"", "\"classes\":\"4\"", BNN_ESHAPE, "4 classes; the last layer has 3 rows" },
    { "topology-bad", "dense 3 w1", "dense 3 w7", BNN_EINVAL, "topology line 3: weights 'w7'; expected w1 or w2" },
    { "rule-bad", "threshold table", "threshold tabla", BNN_EINVAL, "input rule: threshold 'tabla'; expected 0 to 255, mean, table or scaled" },
    { "rule-without-table", "threshold table", "threshold 99", BNN_ECORRUPT, "1 tensors that the topology has no layers for" },
    { "names-not-array", "\"names\":\"[", "\"names\":\" ", BNN_ECORRUPT, "metadata 'names' is not a JSON array" },
    { "names-number", "\\\"no\\\"", "7", BNN_ECORRUPT, "metadata 'names': entry 0 is not a string" },
    { "origin-unknown", "\"provenance.data\":\"random numbers\"", "\"origin\":\"elsewhere\"", BNN_ECORRUPT, "origin 'elsewhere' is not known" },
    { "tensor-renamed", "\"layers.0.weights\"", "\"layers.0.weighty\"", BNN_ECORRUPT, "no tensor 'layers.0.weights'; the topology has such a layer" },
    { "tensor-dtype", "\"I32\"", "\"F32\"", BNN_ECORRUPT, "tensor 'layers.0.thresholds': dtype 'F32'; expected U8, I32 or U64" },
    { "tensor-shape", "\"shape\":[70,1]", "\"shape\":[35,2]", BNN_ECORRUPT,
      "tensor 'layers.0.thresholds': shape or dtype is not the topology's, 70 x 1 x 1" },
    { "tensor-shape-not-its-bytes", "\"shape\":[70,1]", "\"shape\":[71,1]", BNN_ECORRUPT,
      "tensor 'layers.0.thresholds': 280 bytes between its offsets; its shape has 284" },
    { "tensor-shape-huge", "\"shape\":[70,1]", "\"shape\":[9e9]", BNN_ECORRUPT, "tensor 'layers.0.thresholds': shape out of range" },
    { "tensor-shape-negative", "\"shape\":[70,1]", "\"shape\":[-70]", BNN_ECORRUPT, "tensor 'layers.0.thresholds': shape out of range" },
    { "tensor-offsets-not-two", "\"data_offsets\":[608,888]", "\"data_offsets\":[608]", BNN_ECORRUPT,
      "tensor 'layers.0.thresholds': data_offsets are not [begin, end]" },
    { "tensor-overlaps", "[608,888]", "[604,884]", BNN_ECORRUPT,
      "tensor 'layers.0.thresholds' begins at byte 604 of the data, the one before it ends at 608" },
    { "tensor-past-the-end", "[608,888]", "[908,1188]", BNN_ECORRUPT,
      "tensor 'layers.0.thresholds' ends at byte 1188 of the data, which has 923: cut short" },
};

/* Replaces `from` in the header by `to`; the header keeps its length. */
static void replace(uint8_t *file, const char *from, const char *to)
{
    const size_t length = (size_t)bnn_get_u64le(file), m = strlen(from), n = strlen(to);
    uint8_t *at = memmem(file + 8, length, from, m);
    assert_non_null(at);
    const size_t left = (size_t)(file + 8 + length - (at + m));
    if (n > m) /* into the padding */
        assert_true(file[8 + length - (n - m)] == ' ' && file[8 + length - 1] == ' ');
    memmove(at + n, at + m, n > m ? left - (n - m) : left);
    memcpy(at, to, n);
    for (size_t i = n; i < m; i++)
        file[8 + length - 1 - (i - n)] = ' ';
}

static void each_defect_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bnn_network *net = NULL;
        bnn_error err = { 0 };
        size_t size;
        uint8_t *file = write_small(0, &size);
        replace(file, bad[i].from, bad[i].to);
        if (bad[i].from[0])
            bnn_safetensors_seal(file, size);
        else
            memset(file + 8 + strlen("{\"__metadata__\":{\"checksum\":\""), '0', 64);
        const int rc = bnn_network_read(&net, file, size, &err);
        if (rc != bad[i].code || strncmp(err.message, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: code %d, '%s'; expected %d, '%s'", bad[i].name, rc, err.message, bad[i].code, bad[i].message);
        bnn_free(file);
    }
}

/* Defects of the bytes behind the header. */
static void parameters_out_of_range_are_named(void **state)
{
    size_t size;
    bnn_network *net;
    bnn_error err;
    uint8_t *file = write_small(0, &size);
    uint8_t *data = file + 8 + bnn_get_u64le(file);
    (void)state;
    data[8 * 3 + 7] = 0x80; /* dense-table: 35 synapses a row, so bit 63 of row 3 is padding */
    bnn_safetensors_seal(file, size);
    assert_int_equal(bnn_network_read(&net, file, size, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "layer 0 row 3: weight bits beyond its 35 synapses; expected 0 there");
    data[8 * 3 + 7] = 0;
    bnn_put_u32le(data + 608 + 4 * 5, 0x7fffffff);
    bnn_safetensors_seal(file, size);
    assert_int_equal(bnn_network_read(&net, file, size, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "layer 0 row 5: threshold 2147483647; expected -2^30 to 2^30");
    bnn_free(file);
}

/* A small file may not make the reader ask for the memory of a large network. */
static void a_topology_larger_than_its_file_is_refused_before_it_costs(void **state)
{
    static const char huge[] = "{\"__metadata__\":{\"checksum\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"classes\":\"1\",\"format\":\"bnn-network\",\"input\":\"\",\"topology\":\"input 256x256x1 bit\\ndense 32768 w1 a1\\n"
        "dense 65536 w1 a1\\ndense 1 w1 scores\\n\",\"version\":\"1\"}}";
    uint8_t file[1024];
    bnn_network *net;
    bnn_error err;
    const size_t length = (sizeof huge - 1 + 8 + 63) / 64 * 64 - 8;
    (void)state;
    memset(file, ' ', sizeof file);
    bnn_put_u64le(file, length);
    memcpy(file + 8, huge, sizeof huge - 1);
    bnn_safetensors_seal(file, 8 + length);
    assert_int_equal(bnn_network_read(&net, file, 8 + length, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "no tensor 'layers.0.weights'; the topology has such a layer");
}

static void headers_that_are_none(void **state)
{
    size_t size;
    bnn_network *net;
    bnn_error err;
    uint8_t *file = write_small(0, &size);
    (void)state;
    assert_int_equal(bnn_network_read(&net, "", 0, &err), BNN_EMAGIC);
    assert_string_equal(err.message, "not a network file: expected safetensors that start with '{\"__metadata__\":{\"checksum\":\"' at byte 8");
    bnn_put_u64le(file, (uint64_t)1 << 40);
    assert_int_equal(bnn_network_read(&net, file, size, &err), BNN_ECORRUPT);
    assert_string_equal(err.message, "header of 1099511627776 bytes; expected at most 4194304, and 8 less than a multiple of 64");
    bnn_put_u64le(file, 64 * 1000 - 8);
    assert_int_equal(bnn_network_read(&net, file, size, &err), BNN_ECORRUPT);
    assert_non_null(strstr(err.message, " bytes, the header alone has 64000: cut short"));
    bnn_free(file);
}

/* --------------------------------------------------------------- writing -- */

/* `err` may be NULL, and the code is the same. */
static void codes_do_not_depend_on_the_message(void **state)
{
    static const struct { const char *name, *text; } files[] = {
        { "a.npz", "PK\3\4 and no archive" }, { "b.safetensors", "text" }, { "c.topology", "input 1x1x1 bit\n" },
    };
    char scratch[256];
    (void)state;
    scratch_make(scratch);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        bnn_network *net;
        bnn_topology t;
        bnn_error err;
        const char *path = scratch_path(scratch, files[i].name);
        assert_int_equal(bnn_file_write(path, files[i].text, strlen(files[i].text), &err), BNN_OK);
        assert_int_equal(bnn_network_open(&net, path, NULL, NULL), bnn_network_open(&net, path, NULL, &err));
        assert_int_equal(bnn_topology_open(&t, path, NULL), bnn_topology_open(&t, path, &err));
    }
    scratch_remove(scratch);
}

static void a_file_that_cannot_be_written_leaves_nothing(void **state)
{
    char scratch[256];
    bnn_network *net = make(0);
    bnn_error err;
    (void)state;
    scratch_make(scratch);
    assert_int_equal(bnn_network_save(net, scratch_path(scratch, "no/where"), &err), BNN_EIO);
    assert_non_null(strstr(err.message, "/no/where: cannot create: No such file or directory"));
    assert_int_equal(bnn_network_save(net, scratch, &err), BNN_EIO); /* a folder is in the way */
    assert_int_equal(bnn_network_set_text(net, "recipe", "\xff", &err), BNN_OK);
    assert_int_equal(bnn_network_save(net, scratch_path(scratch, "net"), &err), BNN_EINVAL);
    assert_non_null(strstr(err.message, "/net: provenance 'recipe' is not UTF-8"));
    scratch_remove(scratch); /* fails if anything but this folder were left */
    assert_int_not_equal(access(scratch, F_OK), 0);
    bnn_network_close(net);
}

/* -------------------------------------------------------------- version 1 -- */

/* Written by the first release; must load, and give these scores, in every later one. */
static void version_1_loads_for_ever(void **state)
{
    static const char *const names[] = { "dense-table", "conv-round", "dense-scaled" };
    const char *source = getenv("BNN_SOURCE");
    char folder[1024];
    (void)state;
    snprintf(folder, sizeof folder, "%s/tests/format/v1", source ? source : ".");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[64];
        bnn_network *net;
        bnn_runtime *run;
        bnn_error err;
        int32_t scores[5 * SMALL_ROWS];
        size_t pixels_size, expected_size;
        snprintf(file, sizeof file, "%s.safetensors", names[i]);
        if (bnn_network_open(&net, scratch_path(folder, file), NULL, &err) != BNN_OK)
            fail_msg("%s", err.message);
        snprintf(file, sizeof file, "%s.pixels", names[i]);
        uint8_t *pixels = scratch_read(scratch_path(folder, file), &pixels_size);
        snprintf(file, sizeof file, "%s.scores", names[i]);
        uint8_t *expected = scratch_read(scratch_path(folder, file), &expected_size);
        assert_int_equal(bnn_runtime_open(&run, net, NULL, &err), BNN_OK);
        assert_int_equal(bnn_run(run, pixels, pixels_size / bnn_shape_size(net->topology.input), scores, NULL, &err), BNN_OK);
        for (size_t k = 0; k < expected_size / 4; k++)
            assert_int_equal(scores[k], (int32_t)bnn_get_u32le(expected + 4 * k));
        assert_string_equal(bnn_network_text(net, "data"), "random numbers");
        free(pixels);
        free(expected);
        bnn_runtime_close(run);
        bnn_network_close(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_kept_and_the_bytes_are_the_same),
        cmocka_unit_test(the_layout_is_aligned),
        cmocka_unit_test(classes_can_be_chosen_when_opening),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(any_shortened_or_lengthened_file_is_refused),
        cmocka_unit_test(each_defect_has_its_message),
        cmocka_unit_test(parameters_out_of_range_are_named),
        cmocka_unit_test(a_topology_larger_than_its_file_is_refused_before_it_costs),
        cmocka_unit_test(headers_that_are_none),
        cmocka_unit_test(codes_do_not_depend_on_the_message),
        cmocka_unit_test(a_file_that_cannot_be_written_leaves_nothing),
        cmocka_unit_test(version_1_loads_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
