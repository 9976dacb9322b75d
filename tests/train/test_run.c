/* test_run.c -- whole trainings on pictures drawn here: what is learned, kept, resumed and refused. */
#include "bnn/train.h"
#include "base/file.h"
#include "net/network.h"
#include "train/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDE = 12, COUNT = 600, CLASSES = 3 };

static const char dense[] = "input 12x12x1 bit\ndense 256 w1 a1\ndense 64 w1 a2\ndense <=10 w1 scores\n";
static const char conv[] = "input 12x12x1 uint8\nconv 16 3x3 w1 a1\nmaxpool 2x2\nconv 24 3x3 w2 a2\ndense 32 w1 a1\ndense <=10 w1 scores\n";

/* A square, a cross or a line somewhere, with noise. */
static void draw(uint8_t *p, uint32_t kind, bnn_random *r)
{
    const uint32_t y = 1 + bnn_random_below(r, 5), x = 1 + bnn_random_below(r, 5), last = 5;
    for (int i = 0; i < SIDE * SIDE; i++)
        p[i] = (uint8_t)bnn_random_below(r, 100);
    for (uint32_t i = 0; i <= last; i++)
        for (uint32_t j = 0; j <= last; j++) {
            const bool on = kind == 0 ? i == 0 || j == 0 || i == last || j == last : kind == 1 ? i == j || i + j == last : i == last / 2;
            if (on)
                p[(y + i) * SIDE + x + j] = (uint8_t)(156 + bnn_random_below(r, 100));
        }
}

/* The pictures as an IDX file with labels beside it, in the test's own folder. */
static void write_set(const char *images, const char *labels, uint32_t count, uint64_t seed)
{
    static uint8_t file[16 + COUNT * SIDE * SIDE], names[8 + COUNT];
    bnn_random r = bnn_random_at(seed, BNN_FOR_WEIGHTS, 0);
    const uint8_t head[16] = { 0, 0, 8, 3, 0, 0, (uint8_t)(count >> 8), (uint8_t)count, 0, 0, 0, SIDE, 0, 0, 0, SIDE };
    memcpy(file, head, 16);
    memcpy(names, (uint8_t[8]){ 0, 0, 8, 1, 0, 0, (uint8_t)(count >> 8), (uint8_t)count }, 8);
    for (uint32_t i = 0; i < count; i++) {
        names[8 + i] = (uint8_t)(i % CLASSES);
        draw(file + 16 + i * SIDE * SIDE, i % CLASSES, &r);
    }
    assert_int_equal(bnn_file_write(images, file, 16 + count * SIDE * SIDE, NULL), BNN_OK);
    assert_int_equal(bnn_file_write(labels, names, 8 + count, NULL), BNN_OK);
}

static void write_labels_of_no_worth(void)
{
    uint8_t names[8 + COUNT] = { 0, 0, 8, 1, 0, 0, COUNT >> 8, COUNT & 255 };
    bnn_random r = bnn_random_at(9, BNN_FOR_WEIGHTS, 0);
    for (int i = 0; i < COUNT; i++)
        names[8 + i] = (uint8_t)bnn_random_below(&r, CLASSES);
    assert_int_equal(bnn_file_write("shapes-labels-idx1-ubyte", names, sizeof names, NULL), BNN_OK);
}

/* The share of a set's pictures that two networks name alike. */
static double agreement(const bnn_network *a, const bnn_network *b, const bnn_dataset *set)
{
    static uint8_t images[COUNT * SIDE * SIDE];
    uint16_t label[2][COUNT];
    int same = 0;
    assert_int_equal(bnn_dataset_get(set, 0, COUNT, images, NULL, NULL), BNN_OK);
    for (int i = 0; i < 2; i++) {
        bnn_runtime *run;
        assert_int_equal(bnn_runtime_open(&run, i ? b : a, NULL, NULL), BNN_OK);
        assert_int_equal(bnn_classify(run, images, COUNT, label[i], NULL), BNN_OK);
        bnn_runtime_close(run);
    }
    for (int i = 0; i < COUNT; i++)
        same += label[0][i] == label[1][i];
    return (double)same / COUNT;
}

struct run {
    bnn_network *blank, *best, *last;
    bnn_dataset *set;
    bnn_train_options options;
    bnn_train_comparison comparison;
    double validation; /* of the last epoch */
    uint32_t stop_at;  /* calls of the progress function until it stops the run; 0 = never */
    uint32_t calls;
    bnn_error err;
};

static int on_progress(void *user, const bnn_train_progress *p)
{
    struct run *r = user;
    if (p->epoch_end)
        r->validation = p->validation;
    return ++r->calls == r->stop_at;
}

static void start_with(struct run *r, const char *topology, const char *rule)
{
    const char *path = "shapes-images-idx3-ubyte";
    *r = (struct run){ 0 };
    bnn_train_options_default(&r->options);
    r->options.epochs     = 12;
    r->options.batch      = 32;
    r->options.keep_out   = 150;
    r->options.progress   = on_progress;
    r->options.user       = r;
    r->options.comparison = &r->comparison;
    write_set(path, "shapes-labels-idx1-ubyte", COUNT, 1);
    assert_int_equal(bnn_train_blank(&r->blank, topology, rule, &r->err), BNN_OK);
    const bnn_dataset_options o = { .network = r->blank };
    assert_int_equal(bnn_dataset_open(&r->set, &path, 1, &o, &r->err), BNN_OK);
}

static void start(struct run *r, const char *topology) { start_with(r, topology, NULL); }

static int train(struct run *r)
{
    const int rc = bnn_train(&r->best, &r->last, r->blank, r->set, NULL, &r->options, &r->err);
    if (rc == BNN_EBACKEND) {
        print_message("%s\n", r->err.message);
        exit(77);
    }
    return rc;
}

static void end(struct run *r)
{
    bnn_network_close(r->blank);
    bnn_network_close(r->best);
    bnn_network_close(r->last);
    bnn_dataset_close(r->set);
}

static uint64_t checksum(const bnn_network *net)
{
    bnn_network_info info;
    bnn_network_get_info(net, &info);
    return info.checksum;
}

static void learns(const char *topology, uint32_t epochs)
{
    struct run r;
    start(&r, topology);
    r.options.epochs = epochs;
    assert_int_equal(train(&r), BNN_OK);
    assert_true(r.validation >= 0.95);
    assert_int_equal(r.comparison.images, 150);
    assert_int_equal(r.comparison.differing, 0);
    assert_int_equal(r.comparison.differing_values, 0);
    assert_int_equal(r.best->classes, CLASSES);
    end(&r);
}

static void learns_dense(void **state) { (void)state; learns(dense, 40); }
static void learns_conv(void **state) { (void)state; learns(conv, 12); }

static void same_on_any_number_of_threads(void **state)
{
    uint64_t sum[2];
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        struct run r;
        start(&r, conv);
        r.options.epochs  = 2;
        r.options.threads = 1 + 2 * i;
        assert_int_equal(train(&r), BNN_OK);
        sum[i] = checksum(r.last);
        end(&r);
    }
    assert_true(sum[0] == sum[1]);
}

/* Stopped in the middle of an epoch, and again, the run ends with the same bits. */
static void resumes(const char *rule, double dropout)
{
    struct run r;
    uint64_t best, last;
    start_with(&r, dense, rule);
    r.options.epochs  = 3;
    r.options.dropout = dropout;
    assert_int_equal(train(&r), BNN_OK);
    best = checksum(r.best);
    last = checksum(r.last);
    end(&r);

    unlink("run.checkpoint");
    start_with(&r, dense, rule);
    r.options.epochs     = 3;
    r.options.dropout    = dropout;
    r.options.checkpoint = "run.checkpoint";
    r.stop_at = 20;
    assert_int_equal(train(&r), BNN_ECANCEL);
    r.options.resume = 1;
    r.stop_at = 30;
    assert_int_equal(train(&r), BNN_ECANCEL);
    r.stop_at = 0;
    assert_int_equal(train(&r), BNN_OK);
    assert_true(checksum(r.best) == best);
    assert_true(checksum(r.last) == last);

    bnn_train_comparison c;
    assert_int_equal(bnn_train_compare(r.best, "run.checkpoint", r.set, 1, &c, &r.err), BNN_OK);
    assert_int_equal(c.images, COUNT);
    assert_int_equal(c.differing_values, 0);

    r.options.seed = 2; /* another run than the checkpoint's */
    assert_int_equal(bnn_train(&r.best, NULL, r.blank, r.set, NULL, &r.options, &r.err), BNN_EINVAL);
    assert_string_equal(r.err.message, "run.checkpoint: made with 'seed 1', this run has 'seed 2'; expected the same");
    end(&r);
}

static void resumes_bit_for_bit(void **state) { (void)state; resumes(NULL, 0); }
static void resumes_with_thresholds(void **state) { (void)state; resumes("threshold scaled", 0); }
static void resumes_with_dropout(void **state) { (void)state; resumes(NULL, 0.2); }

/* Thresholds of the input learn with the weights, and what they are is in the network. */
static void learns_thresholds(void **state)
{
    static const char *const rules[] = { "threshold table", "threshold scaled" };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct run r;
        start_with(&r, dense, rules[i]);
        r.options.epochs = 40;
        assert_int_equal(train(&r), BNN_OK);
        assert_true(r.validation >= (i == 0 ? 0.95 : 0.6)); /* the mean is a bad start: it cuts the noise in half */
        assert_int_equal(r.comparison.differing, 0);
        assert_int_equal(r.comparison.differing_values, 0);
        assert_memory_not_equal(r.best->rule.table, r.blank->rule.table, SIDE * SIDE);
        assert_true(checksum(r.best) != checksum(r.blank));
        end(&r);
    }
}

/* A student given the teacher's answers and labels of no worth learns from the teacher. */
static void learns_from_a_teacher(void **state)
{
    struct run teacher, r;
    (void)state;
    start(&teacher, conv);
    assert_int_equal(train(&teacher), BNN_OK);
    start(&r, conv);
    write_labels_of_no_worth();
    bnn_dataset_close(r.set);
    const char *path = "shapes-images-idx3-ubyte";
    const bnn_dataset_options o = { .network = r.blank };
    assert_int_equal(bnn_dataset_open(&r.set, &path, 1, &o, &r.err), BNN_OK);
    r.options.teacher       = teacher.best;
    r.options.teacher_share = 1;
    r.options.keep_out      = 0;
    assert_int_equal(train(&r), BNN_OK);
    assert_true(agreement(r.last, teacher.best, teacher.set) >= 0.9);
    end(&r);
    end(&teacher);
}

/* Started from a trained network, one epoch goes further than from nothing. */
static void starts_from_a_network(void **state)
{
    struct run before, r;
    double from_nothing;
    (void)state;
    start(&before, conv);
    assert_int_equal(train(&before), BNN_OK);
    start(&r, conv);
    r.options.epochs = 1;
    assert_int_equal(train(&r), BNN_OK);
    from_nothing = r.validation;
    end(&r);
    start(&r, conv);
    r.options.epochs = 1;
    r.options.init   = before.best;
    assert_int_equal(train(&r), BNN_OK);
    assert_true(r.validation > from_nothing);
    end(&r);
    end(&before);
}

/* Pictures larger than the input: trained on windows in them, validated on what the deployed network's
 * own input rule takes. */
static void crops_as_deployed(void **state)
{
    static uint8_t images[COUNT * 8 * 8];
    const char *path = "shapes-images-idx3-ubyte";
    uint16_t label[COUNT], truth[COUNT];
    bnn_dataset *whole, *cut;
    bnn_runtime *run;
    struct run r;
    int right = 0;
    (void)state;
    start(&r, dense);
    bnn_network_close(r.blank);
    assert_int_equal(bnn_train_blank(&r.blank, "input 8x8x1 bit\ndense 64 w1 a1\ndense <=8 w1 scores\n", "size 12x12", &r.err), BNN_OK);
    const bnn_dataset_options o = { .network = r.blank, .uncropped = 1 };
    assert_int_equal(bnn_dataset_open(&whole, &path, 1, &o, &r.err), BNN_OK);
    r.options.epochs = 3;
    assert_int_equal(bnn_train(&r.best, &r.last, r.blank, whole, whole, &r.options, &r.err), BNN_OK);
    assert_int_equal(r.comparison.images, COUNT);
    assert_int_equal(r.comparison.differing_values, 0);

    const bnn_dataset_options deployed = { .network = r.last };
    assert_int_equal(bnn_dataset_open(&cut, &path, 1, &deployed, &r.err), BNN_OK);
    assert_int_equal(bnn_dataset_get(cut, 0, COUNT, images, truth, &r.err), BNN_OK);
    assert_int_equal(bnn_runtime_open(&run, r.last, NULL, &r.err), BNN_OK);
    assert_int_equal(bnn_classify(run, images, COUNT, label, &r.err), BNN_OK);
    for (int i = 0; i < COUNT; i++)
        right += label[i] == truth[i];
    assert_int_equal(right, (int)(r.validation * COUNT + 0.5));
    bnn_runtime_close(run);
    bnn_dataset_close(cut);
    bnn_dataset_close(whole);
    end(&r);
}

/* Dropout of a run: of one thread or three the same network, another one than without, which still learns. */
static void drops_alike_on_any_number_of_threads(void **state)
{
    uint64_t sum[3];
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        struct run r;
        start(&r, conv);
        r.options.threads = 1 + 2 * (i % 2);
        r.options.dropout = i < 2 ? 0.1 : 0;
        assert_int_equal(train(&r), BNN_OK);
        assert_true(r.validation >= 0.9);
        assert_int_equal(r.comparison.differing_values, 0);
        sum[i] = checksum(r.last);
        end(&r);
    }
    assert_true(sum[0] == sum[1]);
    assert_true(sum[0] != sum[2]);
}

static void refuses(void **state)
{
    struct run r;
    (void)state;
    start(&r, "input 12x12x1 bit\ndense 8 w1 a1\ndense <=2 w1 scores\n");
    assert_int_equal(train(&r), BNN_ESHAPE);
    assert_string_equal(r.err.message, "3 classes; the topology's last layer has 2 rows");
    r.options.dropout = 0.95;
    assert_int_equal(train(&r), BNN_EINVAL);
    assert_string_equal(r.err.message, "dropout 0.95; expected 0 to 0.9");
    r.options.dropout  = 0;
    r.options.keep_out = COUNT;
    assert_int_equal(train(&r), BNN_EINVAL);
    assert_string_equal(r.err.message, "600 of 600 images kept out for validation; expected fewer");
    r.options.keep_out = COUNT - 2;
    assert_int_equal(train(&r), BNN_ESHAPE);
    assert_string_equal(r.err.message, "a validation image has label 2; training has classes 0 to 1");
    r.options.augment = "shift=1 turn";
    assert_int_equal(train(&r), BNN_EINVAL);
    assert_string_equal(r.err.message, "augment 'turn'; expected none, shift=0..64, rotate=0..180, scale=0..50, flip or light=0..100");
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_dense),
        cmocka_unit_test(learns_conv),
        cmocka_unit_test(same_on_any_number_of_threads),
        cmocka_unit_test(resumes_bit_for_bit),
        cmocka_unit_test(learns_thresholds),
        cmocka_unit_test(resumes_with_thresholds),
        cmocka_unit_test(learns_from_a_teacher),
        cmocka_unit_test(starts_from_a_network),
        cmocka_unit_test(crops_as_deployed),
        cmocka_unit_test(resumes_with_dropout),
        cmocka_unit_test(drops_alike_on_any_number_of_threads),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
