/* split.c -- reading a training set whole, and keeping some of it out. */
#include "train/split.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <string.h>

static int allocate(bnn_samples *s, size_t count, bnn_shape shape, bnn_error *err)
{
    const size_t size = bnn_shape_size(shape);
    *s = (bnn_samples){ bnn_alloc(count, size), bnn_alloc(count, sizeof *s->labels), count, size, shape };
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

static bool is_size(bnn_shape shape, uint32_t height, uint32_t width, uint32_t channels)
{
    return shape.height == height && shape.width == width && shape.channels == channels;
}

int bnn_samples_read(bnn_samples *out, const bnn_dataset *set, const bnn_rule *rule, bnn_error *err)
{
    const bnn_shape shape = rule->shape;
    bnn_shape got;
    const size_t count = bnn_dataset_count(set, &got);
    if (count == 0)
        return bnn_fail(err, BNN_EINVAL, "no images to train with");
    if (!is_size(got, shape.height, shape.width, shape.channels) && !is_size(got, rule->height, rule->width, shape.channels))
        return bnn_fail(err, BNN_ESHAPE, "images of %ux%ux%u; the topology takes %ux%ux%u", got.height, got.width, got.channels,
                        shape.height, shape.width, shape.channels);
    bnn_samples s;
    int rc = allocate(&s, count, got, err);
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

void bnn_samples_centre(bnn_shape from, const uint8_t *in, bnn_shape to, uint8_t *out)
{
    const size_t top = (from.height - to.height) / 2, left = (from.width - to.width) / 2, row = (size_t)to.width * to.channels;
    for (size_t y = 0; y < to.height; y++)
        memcpy(out + y * row, in + ((top + y) * from.width + left) * to.channels, row);
}

int bnn_samples_crop(bnn_samples *s, bnn_shape to, bnn_error *err)
{
    if (s->count == 0 || is_size(s->shape, to.height, to.width, to.channels))
        return BNN_OK;
    bnn_samples c;
    const int rc = allocate(&c, s->count, to, err);
    if (rc != BNN_OK) {
        bnn_samples_free(&c);
        return rc;
    }
    for (size_t i = 0; i < s->count; i++)
        bnn_samples_centre(s->shape, s->images + i * s->size, to, c.images + i * c.size);
    memcpy(c.labels, s->labels, s->count * sizeof *s->labels);
    bnn_samples_free(s);
    *s = c;
    return BNN_OK;
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

/* Whole groups, in the order of their first images: one goes when, with half of it, no more
 * than the share of the images met so far has gone. Groups of one size go at even distances. */
static int choose_groups(const bnn_samples *s, uint8_t *keep, size_t count, const uint32_t *groups, bnn_error *err)
{
    enum { UNSEEN, STAYS, GOES };
    size_t *size = bnn_alloc(s->count, sizeof *size), met = 0, gone = 0;
    uint8_t *state = bnn_alloc(s->count, 1);
    int rc = size && state ? BNN_OK : bnn_fail_memory(err, s->count * sizeof *size);
    for (size_t i = 0; rc == BNN_OK && i < s->count; i++) {
        if (groups[i] >= s->count)
            rc = bnn_fail(err, BNN_EINVAL, "image %zu is of group %u; expected less than the %zu images", i, groups[i], s->count);
        else
            size[groups[i]]++;
    }
    for (size_t i = 0; rc == BNN_OK && i < s->count; i++) {
        const uint32_t g = groups[i];
        if (state[g] == UNSEEN) {
            met += size[g];
            state[g] = (double)gone + 0.5 * (double)size[g] <= (double)met * (double)count / (double)s->count ? GOES : STAYS;
            gone += state[g] == GOES ? size[g] : 0;
        }
        keep[i] = state[g] == GOES;
    }
    bnn_free(size);
    bnn_free(state);
    if (rc == BNN_OK && (gone == 0 || gone == s->count))
        rc = bnn_fail(err, BNN_EINVAL, "%zu of %zu images kept out for validation, in whole groups; expected some to stay and some to go",
                      gone, s->count);
    return rc;
}

int bnn_samples_keep_out(bnn_samples *s, bnn_samples *kept, size_t count, const uint32_t *groups, bnn_error *err)
{
    if (count >= s->count)
        return bnn_fail(err, BNN_EINVAL, "%zu of %zu images kept out for validation; expected fewer", count, s->count);
    uint8_t *keep = bnn_alloc(s->count, 1);
    bnn_samples rest = { 0 }, out = { 0 };
    int rc = keep ? BNN_OK : bnn_fail_memory(err, s->count);
    size_t n = 0;
    if (rc == BNN_OK)
        rc = groups ? choose_groups(s, keep, count, groups, err) : choose(s, keep, count, err);
    if (rc == BNN_OK) {
        for (size_t i = 0; i < s->count; i++)
            n += keep[i];
        rc = allocate(&rest, s->count - n, s->shape, err);
    }
    if (rc == BNN_OK)
        rc = allocate(&out, n, s->shape, err);
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
