/* scratch.c -- see scratch.h. Anything that fails here is the machine's fault and ends the test. */
#include "format/scratch.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        exit(1);
    }
}

void scratch_make(char out[256])
{
    const char *tmp = getenv("TMPDIR");
    if (!tmp)
        tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* thousands of files, none of them to be kept */
    snprintf(out, 256, "%s/bnn-format-XXXXXX", tmp);
    must(mkdtemp(out) != NULL, out);
}

void scratch_remove(const char *folder)
{
    bnn_names names;
    bnn_error err;
    must(bnn_names_read(&names, folder, &err) == BNN_OK, folder);
    for (size_t i = 0; i < names.count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, names.name[i]);
        if (unlink(path) != 0) /* a folder */
            scratch_remove(path);
    }
    bnn_names_free(&names);
    must(rmdir(folder) == 0, folder);
}

const char *scratch_path(const char *folder, const char *name)
{
    static char ring[8][1024];
    static unsigned at;
    char *out = ring[at++ % 8];
    snprintf(out, sizeof ring[0], "%s/%s", folder, name);
    return out;
}

void scratch_write(const char *folder, const char *name, const void *data, size_t size)
{
    const char *path = scratch_path(folder, name);
    FILE *f = fopen(path, "wb");
    must(f && fwrite(data, 1, size, f) == size && fclose(f) == 0, path);
}

uint8_t *scratch_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    *size = 0;
    if (!f)
        return NULL;
    must(fseek(f, 0, SEEK_END) == 0, path);
    const long n = ftell(f);
    rewind(f);
    uint8_t *data = malloc((size_t)n + 1);
    must(data && fread(data, 1, (size_t)n, f) == (size_t)n, path);
    fclose(f);
    *size = (size_t)n;
    return data;
}

static bool same_file(const char *a, const char *b)
{
    size_t m, n;
    uint8_t *x = scratch_read(a, &m), *y = scratch_read(b, &n);
    const bool same = x && y && m == n && memcmp(x, y, n) == 0;
    if (!same)
        fprintf(stderr, "%s and %s differ\n", a, b);
    free(x);
    free(y);
    return same;
}

bool scratch_same(const char *a, const char *b)
{
    bnn_names x, y;
    bnn_error err;
    must(bnn_names_read(&x, a, &err) == BNN_OK && bnn_names_read(&y, b, &err) == BNN_OK, a);
    bool same = x.count == y.count;
    if (!same)
        fprintf(stderr, "%s has %zu files, %s has %zu\n", a, x.count, b, y.count);
    for (size_t i = 0; same && i < x.count; i++) {
        char left[1024], right[1024]; /* a and b may be of the ring */
        snprintf(left, sizeof left, "%s/%s", a, x.name[i]);
        snprintf(right, sizeof right, "%s/%s", b, y.name[i]);
        same = strcmp(x.name[i], y.name[i]) == 0 && same_file(left, right);
    }
    bnn_names_free(&x);
    bnn_names_free(&y);
    return same;
}

uint64_t scratch_next(scratch_rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

int scratch_between(scratch_rng *r, int low, int high)
{
    return low + (int)(scratch_next(r) % (uint64_t)(high - low + 1));
}

const char *scratch_data(const char *sub)
{
    static char path[1024];
    const char *data = getenv("BNN_DATA"), *source = getenv("BNN_SOURCE");
    if (data)
        snprintf(path, sizeof path, "%s/%s", data, sub);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source ? source : ".", sub);
    return access(path, R_OK) == 0 ? path : NULL;
}
