/* fuzz_dataset.c -- any bytes as files of a data set. The first byte says which:
 *
 *     i  an IDX file of images       r  records of 2x3x3, and names of classes
 *     l  a file of labels            t  a list of pictures
 *     n  both: images, and labels after the last 0xff 'L'
 */
#include "bnn/bnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/bnn-fuzz-XXXXXX";

/* The files that are written, all in a folder of this process. */
enum { IMAGES, LABELS, RECORDS, CLASSES, LIST, PICTURE, OTHER_LABELS, N_FILES };
static char path[N_FILES][64];

static void clean(void)
{
    for (int i = 0; i < N_FILES; i++)
        unlink(path[i]);
    rmdir(folder);
}

static void start(void)
{
    static const char *const names[] = { "f-images-idx3-ubyte", "f-labels-idx1-ubyte", "f.bin", "classes.txt", "f.txt", "p.pgm", "labels" };
    if (path[0][0])
        return;
    if (!mkdtemp(folder))
        abort();
    for (int i = 0; i < N_FILES; i++)
        snprintf(path[i], sizeof path[i], "%s/%s", folder, names[i]);
    atexit(clean);
}

static void put(int file, const void *data, size_t size)
{
    FILE *f = fopen(path[file], "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

/* Reads every image, the last ones first, then all. */
static void read_all(const bnn_dataset *set)
{
    bnn_shape s;
    const size_t count = bnn_dataset_count(set, &s), size = (size_t)s.height * s.width * s.channels;
    if (count > 4096 || size > 1 << 16 || count * size > 1 << 22)
        return;
    uint8_t *images = malloc(count * size);
    uint16_t *labels = malloc(count * sizeof *labels);
    for (size_t i = count; i-- > 0 && i + 5 > count;)
        bnn_dataset_get(set, i, 1, images, labels, NULL);
    bnn_dataset_get(set, 0, count, images, labels, NULL);
    for (size_t i = 0; i < count; i++)
        bnn_dataset_class_name(set, labels[i]), bnn_dataset_source(set, i, NULL);
    free(images);
    free(labels);
}

static void open_all(int file, bnn_dataset_options *o)
{
    const char *name = path[file];
    static const char *const rules[] = { NULL, "size 5x4 grey", "size 3x7 fit stretch colour invert" };
    for (size_t i = 0; i < 3; i++) {
        bnn_dataset *set;
        bnn_error err;
        o->rule = rules[i];
        o->skip_bad = i == 1;
        if (bnn_dataset_open(&set, &name, 1, o, &err) != BNN_OK) {
            if (err.message[0] == '\0' || strchr(err.message, '\n'))
                abort(); /* a failure is told in one line */
            continue;
        }
        read_all(set);
        bnn_dataset_close(set);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t images[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 7, 8 };
    bnn_dataset_options o;
    if (size == 0)
        return 0;
    start();
    bnn_dataset_options_default(&o);
    const uint8_t *rest = data + 1;
    size_t n = size - 1, split = n;
    switch (data[0]) {
    case 'n':
        while (split > 1 && !(rest[split - 2] == 0xff && rest[split - 1] == 'L'))
            split--;
        put(LABELS, rest + split, n - split);
        n = split;
        /* fall through */
    case 'i':
        put(IMAGES, rest, n);
        open_all(IMAGES, &o);
        unlink(path[LABELS]);
        break;
    case 'l':
        put(IMAGES, images, sizeof images);
        put(OTHER_LABELS, rest, n);
        o.labels = path[OTHER_LABELS];
        open_all(IMAGES, &o);
        break;
    case 'r':
        put(RECORDS, rest, n);
        put(CLASSES, rest, n);
        o.record = (bnn_shape){ 2, 3, 3 };
        open_all(RECORDS, &o);
        unlink(path[CLASSES]);
        break;
    default:
        put(PICTURE, "P5 1 1 255 x", 12);
        put(LIST, rest, n);
        open_all(LIST, &o);
    }
    return 0;
}
