/* split.c -- reading a training set whole, and keeping some of it out. */
#include "train/split.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <string.h>

static int allocate(bnn_samples *s, size_t count, size_t size, bnn_error *err)
{
    *s = (bnn_samples){ bnn_alloc(count, size), bnn_alloc(count, sizeof *s->labels), count, size };
    return s->images && s->labels ? BNN_OK : bnn_fail_memory(err, count * size);
}

void bnn_samples_free(bnn_samples *s)
{
    bnn_free(s->images);
    bnn_free(s->labels);
    *s = (bnn_samples){ 0 };
}

static int check_labels(const bnn_samples *s, const bnn_dataset *set, bnn_error *err)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->labels[i] == BNN_NO_LABEL) {
            size_t index = 0;
            const char *file = bnn_dataset_source(set, i, &index);
            return bnn_fail(err, BNN_EINVAL, "%s: image %zu has no label; training needs one for each", file, index);
        }
    return BNN_OK;
}

int bnn_samples_read(bnn_samples *out, const bnn_dataset *set, bnn_shape shape, bnn_error *err)
{
    bnn_shape got;
    const size_t count = bnn_dataset_count(set, &got);
    if (count == 0)
        return bnn_fail(err, BNN_EINVAL, "no images to train with");
    if (got.height != shape.height || got.width != shape.width || got.channels != shape.channels)
        return bnn_fail(err, BNN_ESHAPE, "images of %ux%ux%u; the topology takes %ux%ux%u", got.height, got.width, got.channels,
                        shape.height, shape.width, shape.channels);
    bnn_samples s;
    int rc = allocate(&s, count, (size_t)shape.height * shape.width * shape.channels, err);
    if (rc == BNN_OK)
        rc = bnn_dataset_get(set, 0, count, s.images, s.labels, err);
    if (rc == BNN_OK)
        rc = check_labels(&s, set, err);
    if (rc != BNN_OK)
        bnn_samples_free(&s);
    else
        *out = s;
    return rc;
}

/* Class after class, as folders of pictures are: there the last images are of one class only. */
static bool is_sorted(const bnn_samples *s)
{
    size_t i = 1;
    while (i < s->count && s->labels[i - 1] <= s->labels[i])
        i++;
    return i >= s->count;
}

/* keep[i] of the images that go: the last `count`, or of each class its last share. */
static int choose(const bnn_samples *s, uint8_t *keep, size_t count, bnn_error *err)
{
    if (!is_sorted(s)) {
        memset(keep + s->count - count, 1, count);
        return BNN_OK;
    }
    size_t *of_class = bnn_alloc(BNN_NO_LABEL, sizeof *of_class), *seen = bnn_alloc(BNN_NO_LABEL, sizeof *seen);
    const int rc = of_class && seen ? BNN_OK : bnn_fail_memory(err, BNN_NO_LABEL * sizeof *seen);
    for (size_t i = 0; rc == BNN_OK && i < s->count; i++)
        of_class[s->labels[i]]++;
    for (size_t i = s->count; rc == BNN_OK && i-- > 0;)
        keep[i] = (double)seen[s->labels[i]]++ + 0.5 < (double)of_class[s->labels[i]] * (double)count / (double)s->count;
    bnn_free(of_class);
    bnn_free(seen);
    return rc;
}

int bnn_samples_keep_out(bnn_samples *s, bnn_samples *kept, size_t count, bnn_error *err)
{
    if (count >= s->count)
        return bnn_fail(err, BNN_EINVAL, "%zu of %zu images kept out for validation; expected fewer", count, s->count);
    uint8_t *keep = bnn_alloc(s->count, 1);
    bnn_samples rest = { 0 }, out = { 0 };
    int rc = keep ? BNN_OK : bnn_fail_memory(err, s->count);
    size_t n = 0;
    if (rc == BNN_OK)
        rc = choose(s, keep, count, err);
    if (rc == BNN_OK) {
        for (size_t i = 0; i < s->count; i++)
            n += keep[i];
        rc = allocate(&rest, s->count - n, s->size, err);
    }
    if (rc == BNN_OK)
        rc = allocate(&out, n, s->size, err);
    size_t at[2] = { 0, 0 };
    for (size_t i = 0; rc == BNN_OK && i < s->count; i++) {
        const bnn_samples *to = keep[i] ? &out : &rest;
        const size_t k = at[keep[i]]++;
        memcpy(to->images + k * s->size, s->images + i * s->size, s->size);
        to->labels[k] = s->labels[i];
    }
    bnn_free(keep);
    if (rc != BNN_OK) {
        bnn_samples_free(&rest);
        bnn_samples_free(&out);
        return rc;
    }
    bnn_samples_free(s);
    *s    = rest;
    *kept = out;
    return BNN_OK;
}

void bnn_samples_digest(const bnn_samples *s, char out[65])
{
    bnn_sha256 hash;
    uint8_t digest[32], b[8];
    bnn_sha256_init(&hash);
    bnn_put_u64le(b, s->count);
    bnn_sha256_add(&hash, b, 8);
    bnn_put_u64le(b, s->size);
    bnn_sha256_add(&hash, b, 8);
    bnn_sha256_add(&hash, s->images, s->count * s->size);
    for (size_t i = 0; i < s->count; i++) {
        bnn_put_u32le(b, s->labels[i]);
        bnn_sha256_add(&hash, b, 2);
    }
    bnn_sha256_end(&hash, digest);
    bnn_hex(out, digest, sizeof digest);
}
