/* test_bad.c -- everything that can be wrong with a data set gets one line: where, what was found, what was expected. */
#include "base/bytes.h"
#include "base/file.h"
#include "bnn/bnn.h"

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

#define PUT(path, literal) put(path, literal, sizeof literal - 1)

static void put_gzip(const char *path, const void *data, unsigned size)
{
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, size), (int)size);
    assert_int_equal(gzclose(f), Z_OK);
}

static void cut(const char *from, const char *to, size_t size)
{
    bnn_file file;
    assert_int_equal(bnn_file_open(&file, from, NULL), BNN_OK);
    assert_true(size < file.size);
    put(to, file.data, size);
    bnn_file_close(&file);
}

struct png { uint8_t bytes[4096]; size_t size; };

static void add_u32be(struct png *p, uint32_t v)
{
    for (int i = 24; i >= 0; i -= 8)
        p->bytes[p->size++] = (uint8_t)(v >> i);
}

static void add_chunk(struct png *p, const char *kind, const void *data, uint32_t size)
{
    add_u32be(p, size);
    const size_t from = p->size;
    memcpy(p->bytes + p->size, kind, 4);
    memcpy(p->bytes + p->size + 4, data, size);
    p->size += 4 + size;
    add_u32be(p, (uint32_t)crc32(0, p->bytes + from, (unsigned)(4 + size)));
}

/* A grey PNG that says it is width x height, with these bytes of pixels. */
static void put_png(const char *path, uint32_t width, uint32_t height, const void *pixels, unsigned size)
{
    struct png p = { .bytes = "\x89PNG\r\n\x1a\n", .size = 8 };
    uint8_t head[13] = { [8] = 8 }, packed[1024];
    for (int i = 0; i < 4; i++)
        head[i] = (uint8_t)(width >> (24 - 8 * i)), head[4 + i] = (uint8_t)(height >> (24 - 8 * i));
    uLongf n = sizeof packed;
    assert_int_equal(compress(packed, &n, pixels, size), Z_OK);
    add_chunk(&p, "IHDR", head, sizeof head);
    add_chunk(&p, "IDAT", packed, (uint32_t)n);
    add_chunk(&p, "IEND", "", 0);
    put(path, p.bytes, p.size);
}

#define IDX(magic, count, height, width, rest) "\0\0" magic "\0\0\0" count "\0\0\0" height "\0\0\0" width rest

static void make_files(void)
{
    static const char two[] = IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef");
    PUT("empty", "");
    PUT("text", "hello\n");
    PUT("two.idx", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef"));
    PUT("wide.idx", IDX("\x08\x03", "\x02", "\x01", "\x04", "abcdefgh"));
    PUT("cut.idx", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcde"));
    PUT("long.idx", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdefg"));
    PUT("head.idx", "\0\0\x08\x03\0\0");
    PUT("none.idx", IDX("\x08\x03", "\0", "\x01", "\x03", ""));
    PUT("huge.idx", "\0\0\x08\x03\xff\xff\xff\xff\0\0\x10\0\0\0\x10\0");
    PUT("side.idx", "\0\0\x08\x03\0\0\0\x01\x80\0\0\0\x80\0\0\0");
    PUT("four.idx", IDX("\x08\x04", "\x02", "\x01", "\x03", "abcdef"));
    PUT("few-images-idx3", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef"));
    PUT("few-labels-idx1", "\0\0\x08\x01\0\0\0\x01\x05");
    PUT("cut-images-idx3", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef"));
    PUT("cut-labels-idx1", "\0\0\x08\x01\0\0\0\x02\x05");
    PUT("odd-images-idx3", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef"));
    PUT("odd-labels-idx1", IDX("\x08\x03", "\x02", "\x01", "\x03", "abcdef"));
    PUT("labels.txt", "1\n\nten\n");
    PUT("large.txt", "1\n65535\n");
    PUT("three.txt", "1\n2\n3\n");
    put_gzip("two.gz", two, sizeof two - 1);
    put_gzip("short.gz", two, sizeof two - 2);
    put_gzip("text.gz", "this is text, not images", 24);
    cut("two.gz", "torn.gz", 20);
    PUT("small.bin", "0123456");
    mkdir("nothing", 0777);
    mkdir("classes", 0777), mkdir("classes/a", 0777), mkdir("classes/b", 0777);
    PUT("classes/a/1.pgm", "P5 1 1 255\nx");
    PUT("classes/b/readme", "no picture");
    mkdir("x", 0777), mkdir("x/cat", 0777), mkdir("y", 0777), mkdir("y/dog", 0777);
    PUT("x/cat/1.pgm", "P5 1 1 255\nx");
    PUT("y/dog/1.pgm", "P5 1 1 255\nx");
    PUT("empty.txt", "# nothing\n");
    PUT("gone.txt", "x/cat/1.pgm\nx/cat/2.pgm\n");
    PUT("label.txt", "x/cat/1.pgm\tcat\n");
    PUT("blank.txt", "x/cat/1.pgm\n\t3\n");
    PUT("nul.txt", "x/cat\0 1.pgm\n");
    PUT("2x1.pgm", "P5 2 1 255\nxy");
    PUT("1x1.ppm", "P6 1 1 255\nrgb");
    put_png("good.png", 2, 2, "\0ab\0cd", 6);
    put_png("bomb.png", 60000, 60000, "\0ab\0cd", 6);
    put_png("side.png", 70000, 1, "\0ab\0cd", 6);
    put_png("claim.png", 9000, 9000, "\0ab\0cd", 6);
    put_png("few.png", 2, 3, "\0ab\0cd", 6);
    put_png("filter.png", 2, 2, "\0ab\7cd", 6);
    cut("good.png", "torn.png", 50);
    cut("good.png", "head.png", 20);
    PUT("none.png", "\x89PNG\r\n\x1a\n");
    PUT("bad.jpg", "\xff\xd8\xff\xe0 this is no JPEG");
    PUT("torn.jpg", "\xff\xd8\xff");
    PUT("zero.pgm", "P5 0 4 255\n");
    PUT("bomb.pgm", "P5 65000 65000 255\n");
    PUT("torn.pgm", "P5 4 4 255\nabc");
    PUT("word.pgm", "P2 2 2 255\n1 2 three 4");
    PUT("over.pgm", "P2 2 2 15\n1 2 16 4");
    PUT("bit.pbm", "P1 2 2\n1 0 2 1");
    PUT("max.pgm", "P5 2 2 65536\nabcd");
    PUT("head.pgm", "P5 2 x 255\nabcd");
}

/* ---------------------------------------------------------------- cases -- */

struct given { const char *path, *also, *rule, *labels, *input; bnn_shape record; int skip; };

static int open_and_read(const struct given *g, bnn_error *err)
{
    const char *paths[] = { g->path, g->also };
    bnn_dataset_options o;
    bnn_dataset *set;
    bnn_shape s;
    bnn_dataset_options_default(&o);
    o.rule = g->rule, o.labels = g->labels, o.input = g->input, o.record = g->record, o.skip_bad = g->skip;
    int rc = bnn_dataset_open(&set, paths, g->also ? 2 : 1, &o, err);
    if (rc != BNN_OK)
        return rc;
    const size_t count = bnn_dataset_count(set, &s);
    uint8_t *images = malloc(count * s.height * s.width * s.channels);
    rc = bnn_dataset_get(set, 0, count, images, NULL, err);
    free(images);
    bnn_dataset_close(set);
    return rc;
}

static const struct { struct given given; int code; const char *message; } cases[] = {
    /* paths */
    { { .path = "missing" }, BNN_EIO, "missing: cannot open: No such file or directory" },
    { { .path = "/dev/null" }, BNN_EIO, "/dev/null: not a regular file" },
    { { .path = "empty" }, BNN_EMAGIC, "empty: empty; expected a picture (PNG, JPEG, PNM), IDX, a list (.txt), records of 3073 bytes or a folder" },
    { { .path = "text" }, BNN_EMAGIC, "text: not of a known kind; expected a picture (PNG, JPEG, PNM), IDX, a list (.txt), records of 3073 bytes or a folder" },
    /* IDX */
    { { .path = "cut.idx" }, BNN_ECORRUPT, "cut.idx: 21 bytes; expected 22 (2 images of 1x3)" },
    { { .path = "long.idx" }, BNN_ECORRUPT, "long.idx: 23 bytes; expected 22 (2 images of 1x3)" },
    { { .path = "head.idx" }, BNN_ECORRUPT, "head.idx: ends after 6 bytes; expected 16" },
    { { .path = "none.idx" }, BNN_ECORRUPT, "none.idx: 0 images of 1x3; expected at least one, sides from 1 to 4096" },
    { { .path = "huge.idx" }, BNN_ECORRUPT, "huge.idx: 16 bytes; expected 72057594021150736 (4294967295 images of 4096x4096)" },
    { { .path = "side.idx" }, BNN_ECORRUPT, "side.idx: 1 images of 2147483648x2147483648; expected at least one, sides from 1 to 4096" },
    { { .path = "four.idx" }, BNN_EMAGIC, "four.idx: magic number 0x00000804; expected 0x00000803, an IDX file of images" },
    { { .path = "few-images-idx3" }, BNN_ESHAPE, "few-labels-idx1: 1 labels; expected 2, as many as few-images-idx3 has images" },
    { { .path = "cut-images-idx3" }, BNN_ECORRUPT, "cut-labels-idx1: 9 bytes; expected 10 (2 labels)" },
    { { .path = "odd-images-idx3" }, BNN_EMAGIC, "odd-labels-idx1: magic number 0x00000803; expected 0x00000801, an IDX file of labels" },
    { { .path = "short.gz" }, BNN_ECORRUPT, "short.gz: 21 bytes; expected 22 (2 images of 1x3)" },
    { { .path = "torn.gz" }, BNN_ECORRUPT, "torn.gz: damaged gzip: the file ends early at byte 20" },
    { { .path = "text.gz" }, BNN_EMAGIC, "text.gz: magic number 0x74686973; expected 0x00000803, an IDX file of images" },
    /* records */
    { { .path = "small.bin" }, BNN_ECORRUPT, "small.bin: 7 bytes; expected records of 3073 bytes (1 label and 32x32x3)" },
    { { .path = "small.bin", .record = { 5000, 1, 1 } }, BNN_EINVAL, "records of 5000x1x1; expected sides and channels from 1 to 4096, and at most 2^30 values" },
    { { .path = "small.bin", .record = { 4096, 4096, 4096 } }, BNN_EINVAL, "records of 4096x4096x4096; expected sides and channels from 1 to 4096, and at most 2^30 values" },
    { { .path = "small.bin", .record = { 1, 1, 5 }, .rule = "size 1x1" }, BNN_ESHAPE, "small.bin: images of 1x1x5; expected 1x1x3, or 1 or 3 channels" },
    /* labels */
    { { .path = "two.idx", .labels = "labels.txt" }, BNN_ECORRUPT, "labels.txt line 3: label 'ten'; expected an integer from 0 to 65534" },
    { { .path = "two.idx", .labels = "large.txt" }, BNN_ECORRUPT, "large.txt line 2: label '65535'; expected an integer from 0 to 65534" },
    { { .path = "two.idx", .labels = "three.txt" }, BNN_ESHAPE, "three.txt: 3 labels; expected 2, one for each image" },
    { { .path = "two.idx", .labels = "gone" }, BNN_EIO, "gone: cannot open: No such file or directory" },
    /* folders and lists */
    { { .path = "nothing" }, BNN_ECORRUPT, "nothing: no pictures; expected pictures, or a folder of them for each class" },
    { { .path = "classes" }, BNN_ECORRUPT, "classes/b: no pictures; expected at least one in the folder of each class" },
    { { .path = "x", .also = "y" }, BNN_ESHAPE, "y: class 0 is 'dog', but 'cat' of x; expected the same classes" },
    { { .path = "empty.txt" }, BNN_ECORRUPT, "empty.txt: names no pictures; expected a path a line" },
    { { .path = "gone.txt" }, BNN_EIO, "x/cat/2.pgm: cannot open: No such file or directory" },
    { { .path = "label.txt" }, BNN_ECORRUPT, "label.txt line 1: label 'cat'; expected an integer from 0 to 65534" },
    { { .path = "blank.txt" }, BNN_ECORRUPT, "blank.txt line 2: no path before the tab; expected the path of a picture" },
    { { .path = "nul.txt" }, BNN_EMAGIC, "nul.txt line 1: not text; expected the path of a picture a line" },
    /* shapes and options */
    { { .path = "two.idx", .also = "wide.idx" }, BNN_ESHAPE,
      "wide.idx: 1x4x1, but two.idx: 1x3x1; expected images of one shape, or a network to bring them to its own" },
    { { .path = "2x1.pgm", .also = "1x1.ppm" }, BNN_ESHAPE,
      "1x1.ppm: 1x1x3, but 2x1.pgm: 1x2x1; expected images of one shape, or a network to bring them to its own" },
    { { .path = "two.idx", .input = "scan" }, BNN_EINVAL, "input 'scan'; expected photo" },
    { { .path = "two.idx", .input = "photo" }, BNN_EINVAL, "input photo without a network; expected a grey one" },
    { { .path = "two.idx", .input = "photo", .rule = "size 9x9" }, BNN_ESHAPE, "input photo for an input of 3 channels; expected 1" },
    { { .path = "2x1.pgm", .input = "photo", .rule = "size 28x28 grey" }, BNN_ESHAPE, "2x1.pgm: no ink found; expected a dark digit on lighter paper" },
    { { .path = "two.idx", .rule = "grey" }, BNN_EINVAL, "input rule without a network: no size; expected 'size HEIGHTxWIDTH' from 1 to 4096" },
    { { .path = "two.idx", .rule = "size 2x2 blur" }, BNN_EINVAL,
      "input rule: 'blur'; expected size, fit, background, grey, colour, invert, threshold, round or truncate" },
    { { .path = "torn.png", .also = "few.png", .skip = 1 }, BNN_ECORRUPT,
      "no images; all 2 were left out, the first: torn.png: damaged PNG: the file ends early" },
    /* pictures */
    { { .path = "torn.png" }, BNN_ECORRUPT, "torn.png: damaged PNG: the file ends early" },
    { { .path = "head.png" }, BNN_ECORRUPT, "head.png: damaged PNG: the file ends early" },
    { { .path = "none.png" }, BNN_ECORRUPT, "none.png: damaged PNG: the file ends early" },
    { { .path = "few.png" }, BNN_ECORRUPT, "few.png: damaged PNG: Not enough image data" },
    { { .path = "filter.png" }, BNN_ECORRUPT, "filter.png: damaged PNG: bad adaptive filter value" },
    { { .path = "bomb.png" }, BNN_ESHAPE, "bomb.png: PNG of 60000x60000 pixels; expected sides up to 65535 and at most 134217728 pixels" },
    { { .path = "side.png" }, BNN_ESHAPE, "side.png: PNG of 70000x1 pixels; expected sides up to 65535 and at most 134217728 pixels" },
    { { .path = "claim.png" }, BNN_ECORRUPT, "claim.png: damaged PNG: 9000 rows of 9000 bytes in a file of 71 bytes" },
    { { .path = "bad.jpg" }, BNN_ECORRUPT, "bad.jpg: damaged JPEG: the file ends early" },
    { { .path = "torn.jpg" }, BNN_ECORRUPT, "torn.jpg: damaged JPEG: the file ends early" },
    { { .path = "zero.pgm" }, BNN_ECORRUPT, "zero.pgm: PNM of 0x4 pixels; expected at least 1x1" },
    { { .path = "bomb.pgm" }, BNN_ESHAPE, "bomb.pgm: PNM of 65000x65000 pixels; expected sides up to 65535 and at most 134217728 pixels" },
    { { .path = "torn.pgm" }, BNN_ECORRUPT, "torn.pgm: damaged PNM: 3 bytes of pixels; expected 16 for 4x4" },
    { { .path = "word.pgm" }, BNN_ECORRUPT, "word.pgm: damaged PNM: value 2 at byte 16; expected a number from 0 to 255" },
    { { .path = "over.pgm" }, BNN_ECORRUPT, "over.pgm: damaged PNM: value 2 at byte 17; expected a number from 0 to 15" },
    { { .path = "bit.pbm" }, BNN_ECORRUPT, "bit.pbm: damaged PNM: value 2 at byte 12; expected 0 or 1" },
    { { .path = "max.pgm" }, BNN_ECORRUPT, "max.pgm: damaged PNM: maximum 65536; expected 1 to 65535" },
    { { .path = "head.pgm" }, BNN_ECORRUPT, "head.pgm: damaged PNM: no number 2 in its header; expected width, height and maximum" },
};

static void each_mistake_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bnn_error err = { 0 };
        const int rc = open_and_read(&cases[i].given, &err);
        if (strcmp(err.message, cases[i].message) != 0 || rc != cases[i].code || err.code != rc)
            fail_msg("%s: %s\n     expected %s: %s", bnn_err_name(rc), err.message, bnn_err_name(cases[i].code), cases[i].message);
    }
}

static void good_ones_are_good(void **state)
{
    static const char *const good[] = { "two.idx", "two.gz", "good.png", "2x1.pgm", "1x1.ppm", "x" };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bnn_error err = { 0 };
        if (open_and_read(&(struct given){ .path = good[i] }, &err) != BNN_OK)
            fail_msg("%s", err.message);
    }
}

static void no_paths(void **state)
{
    bnn_dataset *set;
    bnn_error err;
    (void)state;
    assert_int_equal(bnn_dataset_open(&set, NULL, 0, NULL, &err), BNN_EINVAL);
    assert_string_equal(err.message, "no paths; expected at least one");
    bnn_dataset_close(NULL);
}

int main(void)
{
    char folder[] = "/tmp/bnn-bad-XXXXXX", clean[64];
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    make_files();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told),
        cmocka_unit_test(good_ones_are_good),
        cmocka_unit_test(no_paths),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(clean, sizeof clean, "rm -rf %s", folder);
    return system(clean) != 0 || failed;
}
