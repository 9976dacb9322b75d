/* test_pynq.c -- BNN-PYNQ folders against a second, independent model of the original.
 *
 * Every overlay and variant, with all that occurs in folders and some that
 * could: short and long files, unused upper bits, padding weights that are not
 * +1, thresholds at and over the edges. Raw outputs must be equal, and the folder
 * must come back byte for byte through our network file.
 */
#include "format/format.h"
#include "format/pynq_model.h"
#include "base/file.h"
#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES = 2 };

static void random_images(uint8_t *pixels, size_t size, scratch_rng *r)
{
    for (size_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)scratch_next(r);
    for (size_t i = 0; i < size / 2; i++) /* half of them at the edges of the byte */
        pixels[i] = (uint8_t)(scratch_next(r) & 1 ? 126 + (scratch_next(r) & 3) : 0 - (scratch_next(r) & 1));
}

static void raw_outputs_are_the_models(const bnn_network *net, const model *m, scratch_rng *r)
{
    bnn_runtime *run;
    bnn_error err;
    bnn_options options;
    uint8_t pixels[IMAGES * 3072], raw[256], expected[256];
    int32_t scores[IMAGES * 64];
    const size_t size = m->lfc ? 784 : 3072, raw_size = m->lfc ? 8 : 256;
    bnn_options_default(&options);
    options.threads = 1;
    assert_int_equal(bnn_raw_size(net), raw_size);
    assert_int_equal(bnn_runtime_open(&run, net, &options, &err), BNN_OK);
    random_images(pixels, IMAGES * size, r);
    assert_int_equal(bnn_run(run, pixels, IMAGES, scores, NULL, &err), BNN_OK);
    for (size_t i = 0; i < IMAGES; i++) {
        if (m->lfc) {
            const uint64_t word = model_lfc(m, pixels + i * size);
            memcpy(expected, &word, 8);
        } else {
            model_cnv(m, pixels + i * size, (int32_t *)(void *)expected);
        }
        bnn_raw(net, scores + 64 * i, raw);
        assert_memory_equal(raw, expected, raw_size);
    }
    bnn_runtime_close(run);
}

static void comes_back_byte_for_byte(const bnn_network *net, const char *folder, const char *scratch)
{
    bnn_network *again;
    bnn_error err;
    char warning[256];
    const char *file = scratch_path(scratch, "net.safetensors"), *out = scratch_path(scratch, "out");
    assert_int_equal(bnn_network_save(net, file, &err), BNN_OK);
    assert_int_equal(bnn_network_open(&again, file, NULL, &err), BNN_OK);
    if (bnn_network_save_pynq(again, out, NULL, warning, sizeof warning, &err) != BNN_OK)
        fail_msg("%s", err.message);
    assert_string_equal(warning, "");
    assert_true(scratch_same(folder, out));
    bnn_network_close(again);
    scratch_remove(out);
}

/* One random folder, read, run, written. */
static void check_folder(const char *name, const char *variant, unsigned flags, uint64_t seed, const char *classes)
{
    char scratch[256], folder[512];
    scratch_rng r = { seed };
    bnn_open_options options;
    bnn_network *net;
    bnn_error err;
    model m;
    if (getenv("BNN_SLOW_MACHINE") && strncmp(name, "lfc", 3) != 0)
        return; /* a CNV is twenty times the work; scripts/valgrind */
    model_describe(&m, name, variant != NULL);
    scratch_make(scratch);
    snprintf(folder, sizeof folder, "%s/%s", scratch, name);
    assert_int_equal(mkdir(folder, 0777), 0);
    model_random(&m, folder, &r, flags);
    if (classes)
        scratch_write(folder, "classes.txt", classes, strlen(classes));
    bnn_open_options_default(&options);
    options.variant = variant;
    if (bnn_network_open(&net, folder, &options, &err) != BNN_OK)
        fail_msg("%s", err.message);
    model_load(&m, folder);
    raw_outputs_are_the_models(net, &m, &r);
    comes_back_byte_for_byte(net, folder, scratch);
    model_free(&m);
    bnn_network_close(net);
    scratch_remove(scratch);
}

static const char ten[] = "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj";

static void every_overlay_and_variant(void **state)
{
    (void)state;
    check_folder("lfcW1A1", NULL, 0, 1, ten);
    check_folder("lfcW1A2", NULL, 0, 2, ten);
    check_folder("cnvW1A1", NULL, 0, 3, ten);
    check_folder("cnvW1A2", NULL, 0, 4, ten);
    check_folder("cnvW2A2", NULL, 0, 5, ten);
    check_folder("lfcW1A1", "workshop", MODEL_STORED_ROWS, 6, ten);
    check_folder("cnvW1A1", "workshop", MODEL_STORED_ROWS, 7, ten);
}

static void padding_weights_of_any_value_count(void **state)
{
    (void)state;
    check_folder("lfcW1A1", NULL, MODEL_PADDING, 11, ten);
    check_folder("lfcW1A2", NULL, MODEL_PADDING, 12, ten);
    check_folder("lfcW1A1", "workshop", MODEL_PADDING, 13, ten);
}

static void short_and_long_files_garbage_and_extremes(void **state)
{
    const unsigned all = MODEL_SHORT | MODEL_LONG | MODEL_GARBAGE | MODEL_EXTREME | MODEL_PADDING;
    (void)state;
    check_folder("lfcW1A1", NULL, all, 21, NULL);
    check_folder("lfcW1A2", NULL, all, 22, "a\n\n\n");
    check_folder("cnvW1A1", NULL, all, 23, "");
    check_folder("cnvW1A2", NULL, all, 24, "a\nb");
    check_folder("cnvW2A2", NULL, all, 25, "a\rb\r");
    check_folder("lfcW1A1", "workshop", all, 26, ten);
    check_folder("cnvW1A1", "workshop", all, 27, ten);
}

static void extremes_alone_keep_their_meaning(void **state)
{
    (void)state;
    check_folder("lfcW1A1", NULL, MODEL_EXTREME, 31, ten);
    check_folder("cnvW1A2", NULL, MODEL_EXTREME, 32, ten);
    check_folder("lfcW1A1", "workshop", MODEL_EXTREME, 33, ten);
}

/* -------------------------------------------------- classes and messages -- */

/* A folder of lfcW1A1 to be changed by a test. */
struct fixture { char scratch[256], folder[512]; };

static int make_folder(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    scratch_rng r = { 41 };
    model m;
    model_describe(&m, "lfcW1A1", false);
    scratch_make(f->scratch);
    snprintf(f->folder, sizeof f->folder, "%s/lfcW1A1", f->scratch);
    const int rc = mkdir(f->folder, 0777);
    model_random(&m, f->folder, &r, 0);
    *state = f;
    return rc;
}

static int drop_folder(void **state)
{
    struct fixture *f = *state;
    scratch_remove(f->scratch);
    free(f);
    return 0;
}

static void classes_are_the_lines_empty_ones_too(void **state)
{
    static const struct { const char *text; uint32_t classes; const char *first, *last; } cases[] = {
        { "1\n2\n3", 3, "1", "3" },          { "1\r\n2\r\n3\r\n", 3, "1", "3" },  { "1\n2\n\n", 3, "1", "" },
        { " one \r\n\r\n\r\n", 3, "one", "" }, { "gr\xc3\xbcn\nbl\xe4u", 2, "gr\xc3\x83\xc2\xbcn", "bl\xc3\xa4u" },
        { "x", 1, "x", "x" },                { "\n", 1, "", "" },                 { "", 64, "", "" },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bnn_network *net;
        bnn_network_info info;
        scratch_write(f->folder, "classes.txt", cases[i].text, strlen(cases[i].text));
        assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
        bnn_network_get_info(net, &info);
        assert_int_equal(info.classes, cases[i].classes);
        assert_int_equal(info.rows, 64);
        assert_string_equal(info.decode, "multi");
        if (i != 4) /* where one line is not UTF-8, only that one is read as Latin-1 */
            assert_string_equal(bnn_network_class_name(net, 0), cases[i].first);
        else
            assert_string_equal(bnn_network_class_name(net, 0), "gr\xc3\xbcn");
        assert_string_equal(bnn_network_class_name(net, info.classes - 1), cases[i].last);
        bnn_network_close(net);
    }
}

static void the_caller_may_say_how_many_classes(void **state)
{
    struct fixture *f = *state;
    bnn_open_options options;
    bnn_network_info info;
    bnn_network *net;
    bnn_error err;
    scratch_write(f->folder, "classes.txt", ten, strlen(ten));
    bnn_open_options_default(&options);
    for (uint32_t n = 1; n <= 64; n += 21) {
        options.classes = n;
        assert_int_equal(bnn_network_open(&net, f->folder, &options, &err), BNN_OK);
        bnn_network_get_info(net, &info);
        assert_int_equal(info.classes, n);
        comes_back_byte_for_byte(net, f->folder, f->scratch);
        bnn_network_close(net);
    }
    options.classes = 65;
    assert_int_equal(bnn_network_open(&net, f->folder, &options, &err), BNN_ESHAPE);
    assert_non_null(strstr(err.message, "lfcW1A1: 65 classes; expected 1 to 64"));
}

static void fails(const struct fixture *f, const bnn_open_options *options, int code, const char *message)
{
    bnn_network *net = NULL;
    bnn_error err;
    assert_int_equal(bnn_network_open(&net, f->folder, options, &err), code);
    assert_null(net);
    if (!strstr(err.message, message))
        fail_msg("'%s' does not say '%s'", err.message, message);
}

static void defects_are_named(void **state)
{
    struct fixture *f = *state;
    bnn_open_options options;
    bnn_open_options_default(&options);
    char lines[200] = "";
    for (int i = 0; i < 65; i++)
        strcat(lines, "c\n");
    scratch_write(f->folder, "classes.txt", lines, strlen(lines));
    fails(f, NULL, BNN_ESHAPE, "/lfcW1A1/classes.txt: 65 lines; the last layer has 64 rows");
    unlink(scratch_path(f->folder, "classes.txt"));

    unlink(scratch_path(f->folder, "2-7-thres.bin"));
    fails(f, NULL, BNN_EIO, "/lfcW1A1/2-7-thres.bin: cannot open: No such file or directory");
    unlink(scratch_path(f->folder, "0-0-weights.bin"));
    fails(f, NULL, BNN_EIO, "/lfcW1A1/0-0-weights.bin: cannot open: No such file or directory");

    options.variant = "2017";
    fails(f, &options, BNN_EINVAL, "lfcW1A1: variant '2017'; expected xilinx or workshop");
    options.variant  = "workshop";
    options.topology = "cnvW2A2";
    fails(f, &options, BNN_EINVAL, "lfcW1A1: cnvW2A2 in variant workshop; it has lfcW1A1 and cnvW1A1 only");
    options.variant  = NULL;
    options.topology = "input 28x28x1 bit\ndense 64 w1 a1\ndense <=64 w1 scores\n";
    fails(f, &options, BNN_ESHAPE, "lfcW1A1: the topology is none of BNN-PYNQ's overlays");
}

static void a_weight_of_minus_two_is_refused_by_name(void **state)
{
    struct fixture f;
    scratch_rng r = { 51 };
    model m;
    size_t size;
    (void)state;
    model_describe(&m, "cnvW2A2", false);
    scratch_make(f.scratch);
    snprintf(f.folder, sizeof f.folder, "%s/cnvW2A2", f.scratch);
    assert_int_equal(mkdir(f.folder, 0777), 0);
    model_random(&m, f.folder, &r, 0);
    /* PE 3 of layer 1 has SIMD 16, SF 36: word 40 is neuron 1*16+3, synapses 4*16...; lane 5 */
    uint8_t *bytes = scratch_read(scratch_path(f.folder, "1-3-weights.bin"), &size);
    bytes[40 * 8 + 1] = (uint8_t)((bytes[40 * 8 + 1] & ~0x0c) | 0x08);
    scratch_write(f.folder, "1-3-weights.bin", bytes, size);
    free(bytes);
    fails(&f, NULL, BNN_ECORRUPT, "/cnvW2A2/1-3-weights.bin: word 40: the weight of neuron 19, synapse 69 is -2; expected -1, 0 or +1");
    scratch_remove(f.scratch);
}

/* Without a name in the path: by option, or told by the files. */
static void the_network_is_told_by_path_option_or_files(void **state)
{
    static const struct { const char *name, *variant; } cases[] = {
        { "lfcW1A1", NULL }, { "lfcW1A2", NULL }, { "cnvW1A1", NULL }, { "cnvW1A2", NULL }, { "cnvW2A2", NULL },
        { "lfcW1A1", "workshop" }, { "cnvW1A1", "workshop" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char scratch[256], origin[64];
        scratch_rng r = { 61 + i };
        bnn_open_options options;
        bnn_network *net;
        model m;
        model_describe(&m, cases[i].name, cases[i].variant != NULL);
        scratch_make(scratch);
        model_random(&m, scratch, &r, cases[i].variant ? MODEL_STORED_ROWS : 0);
        snprintf(origin, sizeof origin, "bnn-pynq %s %s", cases[i].name, cases[i].variant ? "workshop" : "xilinx");
        bnn_open_options_default(&options);
        options.variant = cases[i].variant;
        assert_int_equal(bnn_network_open(&net, scratch, &options, NULL), BNN_OK);
        assert_string_equal(net->origin->name, origin);
        bnn_network_close(net);
        options.topology = cases[i].name;
        assert_int_equal(bnn_network_open(&net, scratch, &options, NULL), BNN_OK);
        assert_string_equal(net->origin->name, origin);
        bnn_network_close(net);
        scratch_remove(scratch);
    }
}

static void the_last_name_in_the_path_counts(void **state)
{
    struct fixture *f = *state;
    bnn_network *net;
    bnn_error err;
    char here[1024];
    assert_int_equal(symlink(f->folder, scratch_path(f->scratch, "link")), 0);
    assert_int_equal(symlink(f->folder, scratch_path(f->scratch, "cnvW1A1")), 0);
    assert_int_equal(bnn_network_open(&net, scratch_path(f->scratch, "link/"), NULL, NULL), BNN_OK);
    bnn_network_close(net);
    assert_int_equal(bnn_network_open(&net, scratch_path(f->scratch, "cnvW1A1/"), NULL, &err), BNN_EIO);
    assert_non_null(strstr(err.message, "/cnvW1A1/4-0-weights.bin: cannot open"));
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(f->folder), 0);
    assert_int_equal(bnn_network_open(&net, ".", NULL, NULL), BNN_OK);
    assert_int_equal(chdir(here), 0);
    bnn_network_close(net);
}

static void other_paths_are_told_apart(void **state)
{
    struct fixture *f = *state;
    bnn_network *net;
    bnn_error err;
    assert_int_equal(bnn_network_open(&net, "no-such-thing", NULL, &err), BNN_EIO);
    assert_string_equal(err.message, "no-such-thing: no such network or file; \"bnn info\" lists the networks that ship");
    assert_int_equal(bnn_network_open(&net, f->scratch, NULL, &err), BNN_EMAGIC);
    assert_non_null(strstr(err.message, ": a folder without 0-0-weights.bin; expected a BNN-PYNQ parameter folder or a network file"));
    scratch_write(f->scratch, "text", "hello", 5);
    assert_int_equal(bnn_network_open(&net, scratch_path(f->scratch, "text"), NULL, &err), BNN_EMAGIC);
    assert_non_null(strstr(err.message, "/text: not a network file; expected safetensors"));
    assert_int_equal(bnn_network_open(&net, NULL, NULL, &err), BNN_EINVAL);
}

/* --------------------------------------------------------------- writing -- */

static void random_parameters(bnn_network *net, scratch_rng *r)
{
    const bnn_topology *t = &net->topology;
    for (uint32_t i = 0; i < t->layers; i++) {
        const bnn_layer *l = &t->layer[i];
        const int spread = l->input_bits == 8 ? 400 : 20;
        for (uint32_t n = 0; n < l->MH; n++) {
            for (uint32_t s = 0; s < l->MW; s++)
                bnn_weight_set(l, &net->matrix[i], n, s, l->weight_bits == 2 ? scratch_between(r, -1, 1) : scratch_between(r, 0, 1) * 2 - 1);
            for (uint32_t k = 0; k < l->thresholds; k++)
                net->matrix[i].thresholds[n * l->thresholds + k] = scratch_between(r, 0, 30) ? scratch_between(r, -spread, spread)
                                                                 : scratch_between(r, 0, 1) ? BNN_THRESHOLD_LIMIT : -BNN_THRESHOLD_LIMIT;
        }
    }
}

static void run_all(const bnn_network *net, const char *decode, const uint8_t *pixels, int32_t *scores, uint16_t *labels)
{
    bnn_runtime *run;
    bnn_options options;
    bnn_options_default(&options);
    options.threads = 1;
    options.decode  = decode;
    assert_int_equal(bnn_runtime_open(&run, net, &options, NULL), BNN_OK);
    assert_int_equal(bnn_run(run, pixels, IMAGES, scores, labels, NULL), BNN_OK);
    bnn_runtime_close(run);
}

/* A network of ours with 10 rows, written as a folder and read back. */
static void check_ours(const char *topology, const char *variant, const char *expected_warning)
{
    char scratch[256], warning[400];
    scratch_rng r = { 71 };
    bnn_open_options options;
    bnn_network_info info;
    bnn_topology t;
    bnn_network *net, *back;
    bnn_error err;
    uint8_t pixels[IMAGES * 3072];
    int32_t ours[IMAGES * 10], theirs[IMAGES * 64];
    uint16_t our_label[IMAGES], their_label[IMAGES];
    scratch_make(scratch);
    assert_int_equal(bnn_topology_open(&t, topology, &err), BNN_OK);
    assert_int_equal(bnn_topology_set_rows(&t, 10, &err), BNN_OK);
    assert_int_equal(bnn_network_new(&net, &t, &err), BNN_OK);
    random_parameters(net, &r);
    assert_int_equal(bnn_network_finish(net, &err), BNN_OK);
    const char *folder = scratch_path(scratch, topology);
    if (bnn_network_save_pynq(net, folder, variant, warning, sizeof warning, &err) != BNN_OK)
        fail_msg("%s", err.message);
    if (!strstr(warning, expected_warning))
        fail_msg("'%s' does not say '%s'", warning, expected_warning);
    bnn_open_options_default(&options);
    options.variant = variant;
    assert_int_equal(bnn_network_open(&back, folder, &options, &err), BNN_OK);
    bnn_network_get_info(back, &info);
    assert_int_equal(info.classes, 10);
    assert_string_equal(bnn_network_class_name(back, 9), "9");
    random_images(pixels, sizeof pixels, &r);
    if (variant && t.input_bits == 8) /* the only inputs that both variants read alike */
        for (size_t i = 0; i < sizeof pixels; i++)
            pixels[i] &= 127;
    run_all(net, NULL, pixels, ours, our_label);
    run_all(back, "margin", pixels, theirs, their_label);
    const int32_t shift = info.ends_in_bits ? 2 : 0; /* fires above 0: at 2, sums being even; so 0 means "just fired" */
    for (size_t i = 0; i < IMAGES; i++) {
        for (size_t n = 0; n < 10; n++)
            assert_true(theirs[64 * i + n] == ours[10 * i + n] - shift || (theirs[64 * i + n] == ours[10 * i + n] - 1 && shift));
        assert_int_equal(our_label[i], their_label[i]);
    }
    bnn_network_close(net);
    bnn_network_close(back);
    scratch_remove(scratch);
}

static void networks_of_ours_give_the_same_outputs_as_folders(void **state)
{
    (void)state;
    check_ours("cnvW1A1", NULL, "a folder cannot hold the input rule");
    check_ours("cnvW1A2", NULL, "decoding by multi answers 0 where no score is above 0; single takes the largest");
    check_ours("cnvW2A2", NULL, "decoding by multi answers 0");
    check_ours("lfcW1A1", NULL, "lfcW1A1 ends in threshold bits: a row fires when its score is above 0");
    check_ours("lfcW1A2", NULL, "lfcW1A2 ends in threshold bits");
    check_ours("cnvW1A1", "workshop", "neurons that always fire do not fire on a popcount of 0");
    check_ours("lfcW1A1", "workshop", "a row fires when its score is above 0");
}

static void a_folder_in_the_way_is_left_alone(void **state)
{
    struct fixture *f = *state;
    bnn_network *net;
    bnn_error err;
    char message[400];
    assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
    scratch_write(f->scratch, "file", "x", 1);
    mkdir(scratch_path(f->scratch, "full"), 0777);
    scratch_write(scratch_path(f->scratch, "full"), "mine", "x", 1);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "full"), NULL, NULL, 0, &err), BNN_EIO);
    snprintf(message, sizeof message, "%s/full: a folder of 1 files; expected a new or an empty one", f->scratch);
    assert_string_equal(err.message, message);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "file"), NULL, NULL, 0, &err), BNN_EIO);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "no/where"), NULL, NULL, 0, &err), BNN_EIO);
    mkdir(scratch_path(f->scratch, "empty"), 0777);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "empty/"), NULL, NULL, 0, &err), BNN_OK);
    assert_true(scratch_same(f->folder, scratch_path(f->scratch, "empty")));
    bnn_network_close(net);
}

/* Small files that the network does not use come back too, large ones and folders stay behind. */
static void files_of_no_use_are_kept(void **state)
{
    static const char large[70000];
    struct fixture *f = *state;
    bnn_network *net;
    scratch_write(f->folder, "README", "by hand\n", 8);
    scratch_write(f->folder, "empty", "", 0);
    scratch_write(f->folder, "7-0-thres.bin", "12345678", 8);
    assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
    comes_back_byte_for_byte(net, f->folder, f->scratch);
    bnn_network_close(net);

    scratch_write(f->folder, "large", large, sizeof large);
    mkdir(scratch_path(f->folder, "hw"), 0777);
    assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "out"), NULL, NULL, 0, NULL), BNN_OK);
    assert_int_not_equal(access(scratch_path(f->scratch, "out/large"), F_OK), 0);
    assert_int_not_equal(access(scratch_path(f->scratch, "out/hw"), F_OK), 0);
    assert_int_equal(access(scratch_path(f->scratch, "out/README"), F_OK), 0);
    bnn_network_close(net);
}

/* As a disk that fills up would: files end at 3000 bytes. */
static void a_folder_that_cannot_be_finished_leaves_nothing(void **state)
{
    const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY }, small = { 3000, RLIM_INFINITY };
    struct fixture *f = *state;
    bnn_network *net;
    bnn_names names;
    bnn_error err;
    assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "out"), NULL, NULL, 0, &err), BNN_EIO);
    assert_non_null(strstr(err.message, "/out: cannot write 0-0-weights.bin: File too large"));
    assert_int_equal(bnn_network_save(net, scratch_path(f->scratch, "net"), &err), BNN_EIO);
    assert_non_null(strstr(err.message, "/net: cannot write: File too large"));
    setrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(bnn_names_read(&names, f->scratch, NULL), BNN_OK);
    assert_int_equal(names.count, 1); /* the folder that was read */
    bnn_names_free(&names);
    bnn_network_close(net);
}

/* The other variant has its own words for the same thresholds. */
static void a_variant_can_be_changed(void **state)
{
    struct fixture *f = *state;
    bnn_open_options options;
    bnn_network *net, *back;
    bnn_error err;
    bnn_open_options_default(&options);
    assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
    assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "old"), "workshop", NULL, 0, &err), BNN_OK);
    options.variant = "workshop";
    assert_int_equal(bnn_network_open(&back, scratch_path(f->scratch, "old"), &options, &err), BNN_OK);
    assert_string_equal(back->origin->name, "bnn-pynq lfcW1A1 workshop");
    for (uint32_t i = 0; i < net->topology.layers; i++) {
        const bnn_layer *l = &net->topology.layer[i];
        assert_memory_equal(net->matrix[i].weights, back->matrix[i].weights, bnn_weight_words(l) * 8);
        assert_memory_equal(net->matrix[i].thresholds, back->matrix[i].thresholds, (size_t)l->MH * l->thresholds * 4);
    }
    bnn_network_close(net);
    bnn_network_close(back);
}

static void a_damaged_rest_is_refused(void **state)
{
    static const struct { const char *name; uint8_t bytes[24]; size_t size; } rests[] = {
        { "outside", { 5, '.', '.', '/', 'x', 'y' }, 24 }, { "cut", { 1, 'x', 9, 0 }, 4 },
        { "crc", { 1, 'x', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 14 },
        { "run", { 1, 'x', 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0 }, 22 },
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        bnn_network *net;
        bnn_error err;
        assert_int_equal(bnn_network_open(&net, f->folder, NULL, NULL), BNN_OK);
        bnn_free(net->extra[0].data);
        net->extra[0].data = bnn_alloc(rests[i].size, 1);
        net->extra[0].size = rests[i].size;
        memcpy(net->extra[0].data, rests[i].bytes, rests[i].size);
        assert_int_equal(bnn_network_save_pynq(net, scratch_path(f->scratch, "out"), NULL, NULL, 0, &err), BNN_ECORRUPT);
        assert_non_null(strstr(err.message, "tensor 'bnn-pynq.rest'"));
        assert_int_not_equal(access(scratch_path(f->scratch, "out"), F_OK), 0);
        bnn_network_close(net);
    }
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_overlay_and_variant),
        cmocka_unit_test(padding_weights_of_any_value_count),
        cmocka_unit_test(short_and_long_files_garbage_and_extremes),
        cmocka_unit_test(extremes_alone_keep_their_meaning),
        WITH_FOLDER(classes_are_the_lines_empty_ones_too),
        WITH_FOLDER(the_caller_may_say_how_many_classes),
        WITH_FOLDER(defects_are_named),
        cmocka_unit_test(a_weight_of_minus_two_is_refused_by_name),
        cmocka_unit_test(the_network_is_told_by_path_option_or_files),
        WITH_FOLDER(the_last_name_in_the_path_counts),
        WITH_FOLDER(other_paths_are_told_apart),
        cmocka_unit_test(networks_of_ours_give_the_same_outputs_as_folders),
        WITH_FOLDER(a_folder_in_the_way_is_left_alone),
        WITH_FOLDER(files_of_no_use_are_kept),
        WITH_FOLDER(a_folder_that_cannot_be_finished_leaves_nothing),
        WITH_FOLDER(a_variant_can_be_changed),
        WITH_FOLDER(a_damaged_rest_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
