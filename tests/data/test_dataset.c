/* test_dataset.c -- what each kind of data set delivers: pixels, labels, names, sources; from many threads at once. */
#include "base/file.h"
#include "base/mem.h"
#include "bnn/bnn.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>
#include <zlib.h>

#include <cmocka.h>

/* ---------------------------------------------------------------- files -- */

static void put(const char *path, const void *data, size_t size)
{
    bnn_error err;
    if (bnn_file_write(path, data, size, &err) != BNN_OK)
        fail_msg("%s", err.message);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static void put_gzip(const char *path, const uint8_t *data, size_t size, const char *mode)
{
    gzFile f = gzopen(path, mode);
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)size), size);
    assert_int_equal(gzclose(f), Z_OK);
}

static void put_u32be(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint8_t pixel(size_t i) { return (uint8_t)(i * 2654435761u >> 13); }

/* An IDX3 file in memory; freed with free. */
static uint8_t *idx_images(uint32_t count, uint32_t height, uint32_t width, size_t *size)
{
    const size_t n = (size_t)count * height * width;
    uint8_t *p = malloc(16 + n);
    put_u32be(p, 0x803), put_u32be(p + 4, count), put_u32be(p + 8, height), put_u32be(p + 12, width);
    for (size_t i = 0; i < n; i++)
        p[16 + i] = pixel(i);
    *size = 16 + n;
    return p;
}

static void put_idx_labels(const char *path, uint32_t count)
{
    uint8_t *p = malloc(8 + count);
    put_u32be(p, 0x801), put_u32be(p + 4, count);
    for (uint32_t i = 0; i < count; i++)
        p[8 + i] = (uint8_t)(i % 10);
    put(path, p, 8 + count);
    free(p);
}

/* A grey picture of one value. */
static void put_grey(const char *path, int width, int height, int value)
{
    char text[8192];
    int n = snprintf(text, sizeof text, "P2 %d %d 255\n", width, height);
    for (int i = 0; i < width * height; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%d ", value);
    put(path, text, (size_t)n);
}

/* ----------------------------------------------------------------- sets -- */

static bnn_dataset *open_with(const bnn_dataset_options *o, const char *a, const char *b)
{
    const char *paths[] = { a, b };
    bnn_dataset *set;
    bnn_error err;
    if (bnn_dataset_open(&set, paths, b ? 2 : 1, o, &err) != BNN_OK)
        fail_msg("%s", err.message);
    return set;
}

static bnn_dataset *open_plain(const char *path) { return open_with(NULL, path, NULL); }

static void get(const bnn_dataset *set, size_t first, size_t count, uint8_t *images, uint16_t *labels)
{
    bnn_error err;
    if (bnn_dataset_get(set, first, count, images, labels, &err) != BNN_OK)
        fail_msg("%s", err.message);
}

static void check_shape(const bnn_dataset *set, size_t count, uint32_t height, uint32_t width, uint32_t channels)
{
    bnn_shape s;
    assert_int_equal(bnn_dataset_count(set, &s), count);
    assert_int_equal(s.height, height);
    assert_int_equal(s.width, width);
    assert_int_equal(s.channels, channels);
}

static void idx_with_labels_beside(void **state)
{
    size_t size, index;
    uint8_t *file = idx_images(7, 2, 3, &size), images[12];
    uint16_t labels[2];
    (void)state;
    put("some-images-idx3-ubyte", file, size);
    put_idx_labels("some-labels-idx1-ubyte", 7);
    put_text("classes.txt", "zero\r\none\n\n\n");
    bnn_dataset *set = open_plain("some-images-idx3-ubyte");
    check_shape(set, 7, 2, 3, 1);
    get(set, 5, 2, images, labels);
    assert_memory_equal(images, file + 16 + 5 * 6, 12);
    assert_int_equal(labels[0], 5);
    assert_int_equal(labels[1], 6);
    assert_string_equal(bnn_dataset_source(set, 6, &index), "some-images-idx3-ubyte");
    assert_int_equal(index, 6);
    assert_null(bnn_dataset_source(set, 7, NULL));
    assert_string_equal(bnn_dataset_class_name(set, 1), "one");
    assert_null(bnn_dataset_class_name(set, 2));
    assert_int_equal(bnn_dataset_get(set, 6, 2, images, labels, NULL), BNN_EINVAL);
    assert_int_equal(bnn_dataset_get(set, 7, 0, images, labels, NULL), BNN_OK);
    bnn_dataset_close(set);
    free(file);
    unlink("classes.txt");
}

/* A .gz is read forwards and backwards alike, also when it is of two members. */
static void gzip_reads_as_plain(void **state)
{
    enum { N = 6000, SIZE = 28 * 28 };
    size_t size;
    uint8_t *file = idx_images(N, 28, 28, &size), *images = malloc(50 * SIZE);
    (void)state;
    put_gzip("a-images-idx3-ubyte.gz", file, size, "wb1");
    put_gzip("b-images-idx3-ubyte.gz", file, size / 3, "wb9");
    put_gzip("b-images-idx3-ubyte.gz", file + size / 3, size - size / 3, "ab1");
    put_idx_labels("b-labels-idx1-ubyte", N); /* not .gz, though the images are */
    for (const char *name = "a-images-idx3-ubyte.gz"; name; name = name[0] == 'a' ? "b-images-idx3-ubyte.gz" : NULL) {
        bnn_dataset *set = open_plain(name);
        uint16_t label;
        check_shape(set, N, 28, 28, 1);
        for (size_t i = 0; i < 40; i++) {
            const size_t first = i * 7919 % (N - 50);
            get(set, first, 50, images, NULL);
            assert_memory_equal(images, file + 16 + first * SIZE, 50 * SIZE);
        }
        get(set, 17, 1, NULL, &label);
        assert_int_equal(label, name[0] == 'a' ? BNN_NO_LABEL : 7);
        bnn_dataset_close(set);
    }
    free(images);
    free(file);
}

static void records_are_planes_and_a_rest_does_not_count(void **state)
{
    static const uint8_t file[] = { 9, 1, 2, 3, 4, 5, 6, /**/ 8, 11, 12, 13, 14, 15, 16, /**/ 7, 0, 0 };
    static const uint8_t want[] = { 1, 3, 5, 2, 4, 6, 11, 13, 15, 12, 14, 16 };
    bnn_dataset_options o;
    uint8_t images[12];
    uint16_t labels[2];
    (void)state;
    bnn_dataset_options_default(&o);
    o.record = (bnn_shape){ 1, 2, 3 };
    put("some.bin", file, sizeof file);
    put_text("batches.meta.txt", "plane\ncar");
    bnn_dataset *set = open_with(&o, "some.bin", NULL);
    check_shape(set, 2, 1, 2, 3);
    get(set, 0, 2, images, labels);
    assert_memory_equal(images, want, sizeof want);
    assert_int_equal(labels[0], 9);
    assert_int_equal(labels[1], 8);
    assert_string_equal(bnn_dataset_class_name(set, 1), "car");
    bnn_dataset_close(set);
    unlink("batches.meta.txt");
}

static void folders_are_classes(void **state)
{
    size_t index;
    uint8_t images[4 * 6];
    uint16_t labels[4];
    (void)state;
    mkdir("signs", 0777), mkdir("signs/stop", 0777), mkdir("signs/give way", 0777), mkdir("signs/.git", 0777);
    mkdir("signs/stop/more", 0777);
    put_grey("signs/stop/1.pgm", 3, 2, 10);
    put_grey("signs/stop/no suffix", 3, 2, 20);
    put_grey("signs/give way/2.pgm", 3, 2, 30);
    put_text("signs/stop/notes.csv", "not;a;picture");
    put_text("signs/stop/.hidden.pgm", "P2");
    put_text("signs/README", "not looked at");
    bnn_dataset *set = open_plain("signs");
    check_shape(set, 3, 2, 3, 1);
    get(set, 0, 3, images, labels);
    assert_int_equal(images[0], 30);
    assert_int_equal(images[6], 10);
    assert_int_equal(images[17], 20);
    assert_int_equal(labels[0], 0);
    assert_int_equal(labels[2], 1);
    assert_string_equal(bnn_dataset_class_name(set, 0), "give way");
    assert_string_equal(bnn_dataset_class_name(set, 1), "stop");
    assert_string_equal(bnn_dataset_source(set, 2, &index), "signs/stop/no suffix");
    assert_int_equal(index, 0);
    assert_string_equal(bnn_dataset_left_out(set, 0), "signs/stop/more: a folder within a class");
    assert_string_equal(bnn_dataset_left_out(set, 1), "signs/stop/notes.csv: not a picture");
    assert_null(bnn_dataset_left_out(set, 2));
    bnn_dataset_close(set);
}

static void lists_name_pictures(void **state)
{
    uint8_t images[18];
    uint16_t labels[3];
    char here[1024], text[4096];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    mkdir("listed", 0777);
    put_grey("listed/a b.pgm", 3, 2, 1);
    put_grey("listed/#c.pgm", 3, 2, 2);
    snprintf(text, sizeof text, "# pictures\r\n\r\na b.pgm\t17\r\n./#c.pgm\n%s/listed/a b.pgm\t0", here);
    put_text("listed/all.TXT", text);
    bnn_dataset *set = open_plain("listed/all.TXT");
    check_shape(set, 3, 2, 3, 1);
    get(set, 0, 3, images, labels);
    assert_int_equal(images[0], 1);
    assert_int_equal(images[6], 2);
    assert_int_equal(images[12], 1);
    assert_int_equal(labels[0], 17);
    assert_int_equal(labels[1], BNN_NO_LABEL);
    assert_int_equal(labels[2], 0);
    assert_string_equal(bnn_dataset_source(set, 0, NULL), "listed/a b.pgm");
    bnn_dataset_close(set);
}

static void bad_pictures_can_be_skipped(void **state)
{
    bnn_dataset_options o;
    uint8_t image[6];
    uint16_t labels[2];
    (void)state;
    bnn_dataset_options_default(&o);
    o.skip_bad = 1;
    mkdir("torn", 0777);
    put_grey("torn/1.pgm", 3, 2, 1);
    put_text("torn/2.pgm", "P2 3 2 255 1 2 3 x 4 5");
    put_grey("torn/3.pgm", 3, 2, 3);
    put_text("torn/list.txt", "1.pgm\t5\n2.pgm\t6\nmissing.pgm\t7\n3.pgm\t8\n");
    bnn_dataset *set = open_with(&o, "torn/list.txt", NULL);
    check_shape(set, 2, 2, 3, 1);
    get(set, 1, 1, image, NULL);
    get(set, 0, 2, NULL, labels);
    assert_int_equal(image[0], 3);
    assert_int_equal(labels[1], 8);
    assert_string_equal(bnn_dataset_source(set, 1, NULL), "torn/3.pgm");
    assert_string_equal(bnn_dataset_left_out(set, 0), "torn/2.pgm: damaged PNM: value 3 at byte 18; expected a number from 0 to 255");
    assert_string_equal(bnn_dataset_left_out(set, 1), "torn/missing.pgm: cannot open: No such file or directory");
    assert_null(bnn_dataset_left_out(set, 2));
    bnn_dataset_close(set);
}

static void published_folders_give_their_training_set(void **state)
{
    size_t size;
    uint8_t *file = idx_images(3, 4, 4, &size), record[3073] = { 4 };
    (void)state;
    mkdir("mnist", 0777), mkdir("cifar", 0777);
    put_gzip("mnist/train-images-idx3-ubyte.gz", file, size, "wb");
    put_gzip("mnist/t10k-images-idx3-ubyte.gz", file, size, "wb");
    put("cifar/data_batch_2.bin", record, sizeof record);
    put("cifar/data_batch_1.bin", record, sizeof record);
    put("cifar/test_batch.bin", record, sizeof record);
    bnn_dataset *set = open_plain("mnist");
    check_shape(set, 3, 4, 4, 1);
    assert_string_equal(bnn_dataset_source(set, 0, NULL), "mnist/train-images-idx3-ubyte.gz");
    bnn_dataset_close(set);
    set = open_plain("cifar/");
    check_shape(set, 2, 32, 32, 3);
    assert_string_equal(bnn_dataset_source(set, 1, NULL), "cifar/data_batch_2.bin");
    bnn_dataset_close(set);
    free(file);
}

static void labels_can_be_given(void **state)
{
    size_t size;
    uint8_t *file = idx_images(3, 4, 4, &size);
    uint16_t labels[4];
    bnn_dataset_options o;
    (void)state;
    put("x.idx", file, size);
    put_grey("y.pgm", 4, 4, 0);
    put_text("labels.txt", "7 # first\n\n65534\n0\r\n1\n");
    put_idx_labels("labels.idx", 4);
    bnn_dataset_options_default(&o);
    o.labels = "labels.txt";
    bnn_dataset *set = open_with(&o, "x.idx", "y.pgm");
    get(set, 0, 4, NULL, labels);
    assert_int_equal(labels[0], 7);
    assert_int_equal(labels[1], 65534);
    assert_int_equal(labels[3], 1);
    bnn_dataset_close(set);
    o.labels = "labels.idx";
    set = open_with(&o, "x.idx", "y.pgm");
    get(set, 0, 4, NULL, labels);
    assert_int_equal(labels[3], 3);
    bnn_dataset_close(set);
    free(file);
}

/* ---------------------------------------------------------------- rules -- */

static void rules_bring_images_to_a_shape(void **state)
{
    static const uint8_t file[] = { 1, 10, 20, 30, 40, 50, 60 };
    bnn_dataset_options o;
    uint8_t image[3 * 4 * 4];
    (void)state;
    put("two.bin", file, sizeof file);
    put_grey("one.pgm", 2, 1, 100);
    bnn_dataset_options_default(&o);
    o.record = (bnn_shape){ 1, 2, 3 };
    o.rule   = "size 1x2 colour invert";
    bnn_dataset *set = open_with(&o, "two.bin", "one.pgm");
    check_shape(set, 2, 1, 2, 3);
    get(set, 0, 2, image, NULL);
    const uint8_t inverted[] = { 245, 225, 205, 235, 215, 195, 155, 155, 155, 155, 155, 155 };
    assert_memory_equal(image, inverted, sizeof inverted);
    bnn_dataset_close(set);
    o.rule = "size 2x4 colour background 7,8,9";
    set = open_with(&o, "two.bin", NULL);
    get(set, 0, 1, image, NULL);
    const uint8_t pasted[] = { 7, 8, 9, 10, 30, 50, 20, 40, 60, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9 };
    assert_memory_equal(image, pasted, sizeof pasted);
    bnn_dataset_close(set);
    o.rule = "size 1x2 grey";
    set = open_with(&o, "two.bin", NULL);
    get(set, 0, 1, image, NULL);
    assert_int_equal(image[0], (19595 * 10 + 38470 * 30 + 7471 * 50 + 32768) >> 16);
    bnn_dataset_close(set);
}

/* -------------------------------------------------------------- threads -- */

struct reader { const bnn_dataset *set; const uint8_t *want; size_t step, count; unsigned seed, wrong; };

static void *read_at_random(void *arg)
{
    struct reader *r = arg;
    uint8_t *image = malloc(4 * r->step);
    for (int i = 0; i < 60; i++) {
        r->seed = r->seed * 1103515245u + 12345u;
        const size_t first = (r->seed >> 8) % (r->count - 3);
        if (bnn_dataset_get(r->set, first, 4, image, NULL, NULL) != BNN_OK
            || memcmp(image, r->want + first * r->step, 4 * r->step) != 0)
            r->wrong++;
    }
    free(image);
    return NULL;
}

static void threads_share_a_set(void **state)
{
    enum { N = 3000, STEP = 28 * 28, THREADS = 4 };
    size_t size;
    uint8_t *file = idx_images(N, 28, 28, &size), *want = malloc((N + 3) * STEP);
    struct reader r[THREADS];
    pthread_t thread[THREADS];
    (void)state;
    put_gzip("t-images-idx3-ubyte.gz", file, size, "wb1");
    mkdir("t", 0777);
    for (int i = 0; i < 3; i++) {
        char name[] = "t/0.pgm";
        name[2] = (char)('0' + i);
        put_grey(name, 28, 28, i);
    }
    bnn_dataset *set = open_with(NULL, "t-images-idx3-ubyte.gz", "t");
    check_shape(set, N + 3, 28, 28, 1);
    get(set, 0, N + 3, want, NULL);
    assert_memory_equal(want, file + 16, N * STEP);
    for (unsigned i = 0; i < THREADS; i++) {
        r[i] = (struct reader){ set, want, STEP, N + 3, i + 1, 0 };
        assert_int_equal(pthread_create(&thread[i], NULL, read_at_random, &r[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(r[i].wrong, 0);
    }
    bnn_dataset_close(set);
    free(file);
    free(want);
}

int main(void)
{
    char folder[] = "/tmp/bnn-dataset-XXXXXX", clean[64];
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_with_labels_beside),
        cmocka_unit_test(gzip_reads_as_plain),
        cmocka_unit_test(records_are_planes_and_a_rest_does_not_count),
        cmocka_unit_test(folders_are_classes),
        cmocka_unit_test(lists_name_pictures),
        cmocka_unit_test(bad_pictures_can_be_skipped),
        cmocka_unit_test(published_folders_give_their_training_set),
        cmocka_unit_test(labels_can_be_given),
        cmocka_unit_test(rules_bring_images_to_a_shape),
        cmocka_unit_test(threads_share_a_set),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(clean, sizeof clean, "rm -rf %s", folder);
    return system(clean) != 0 || failed;
}
