/* checkpoint.c -- the file from which a run goes on as if it had not been interrupted.
 *
 *     "bnn checkpoint 1\n"
 *     u64 size of the settings, the settings (text, a line "key value" each;
 *         "topology" comes last and fills the rest)
 *     u64 epoch, step, steps of the optimiser, best epoch, best correct,
 *         loss (bits of a double), correct
 *     the graphs "last" and "best": of each layer int8 weights [MH][MW] and
 *         float mean, scale, beta [MH]
 *     of each block latent, gamma, beta, each as float value, m, v
 *     where the input's thresholds are learned: they, as float value, m, v,
 *     and the tables "last" and "best"
 *     SHA-256 of everything before
 *
 * Numbers are little endian. The settings give every size, so a file is read
 * only when its length is exactly right. Random numbers need no place: they
 * are functions of the seed and of where they are used (random.h).
 */
#include "train/trainer.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "bnn checkpoint 1\n";
enum { MAGIC = sizeof magic - 1, NUMBERS = 7, DIGEST = 32 };

/* A walk over all arrays, in the order of the file: `visit` gets each of them. */
typedef void (*visit_fn)(void *context, void *data, size_t size);

static void walk_graph(const bnn_graph *g, visit_fn visit, void *context)
{
    for (uint32_t i = 0; i < g->topology.layers; i++) {
        const bnn_layer *l = &g->topology.layer[i];
        const bnn_graph_layer *gl = &g->layer[i];
        if (!gl->weights)
            continue;
        visit(context, gl->weights, (size_t)l->MH * l->MW);
        visit(context, gl->mean, l->MH * sizeof(float));
        visit(context, gl->scale, l->MH * sizeof(float));
        visit(context, gl->beta, l->MH * sizeof(float));
    }
}

static void walk_adam(const bnn_adam *a, visit_fn visit, void *context)
{
    visit(context, a->value, a->size * sizeof(float));
    visit(context, a->m, a->size * sizeof(float));
    visit(context, a->v, a->size * sizeof(float));
}

static void walk(const bnn_trainer *t, visit_fn visit, void *context)
{
    walk_graph(&t->last, visit, context);
    walk_graph(&t->best, visit, context);
    for (uint32_t i = 0; i < t->model->blocks; i++) {
        walk_adam(&t->model->block[i].latent, visit, context);
        walk_adam(&t->model->block[i].gamma, visit, context);
        walk_adam(&t->model->block[i].beta, visit, context);
    }
    if (t->thresholds.latent.size == 0)
        return;
    walk_adam(&t->thresholds.latent, visit, context);
    visit(context, t->thresholds.last, t->thresholds.latent.size);
    visit(context, t->thresholds.best, t->thresholds.latent.size);
}

static void add_size(void *context, void *data, size_t size)
{
    (void)data;
    *(size_t *)context += size;
}

static void put(void *context, void *data, size_t size)
{
    uint8_t **at = context;
    memcpy(*at, data, size);
    *at += size;
}

static void get(void *context, void *data, size_t size)
{
    const uint8_t *from = bnn_bytes_take(context, size);
    if (from)
        memcpy(data, from, size);
}

/* --------------------------------------------------------------- writing -- */

static void put_numbers(const bnn_trainer *t, uint8_t *at)
{
    uint64_t loss;
    memcpy(&loss, &t->loss.sum, sizeof loss);
    const uint64_t number[NUMBERS] = { t->epoch, t->step, t->model->steps, t->best_epoch, t->best_correct, loss, t->loss.correct };
    for (size_t i = 0; i < NUMBERS; i++)
        bnn_put_u64le(at + 8 * i, number[i]);
}

int bnn_checkpoint_write(const bnn_trainer *t, const char *path, bnn_error *err)
{
    const size_t text = strlen(t->settings);
    size_t size = MAGIC + 8 + text + 8 * NUMBERS;
    walk(t, add_size, &size);
    uint8_t *file = bnn_alloc(size + DIGEST, 1), *at = file;
    if (!file)
        return bnn_fail_memory(err, size);
    put(&at, (void *)(uintptr_t)magic, MAGIC);
    bnn_put_u64le(at, text);
    at += 8;
    put(&at, t->settings, text);
    put_numbers(t, at);
    at += 8 * NUMBERS;
    walk(t, put, &at);
    bnn_sha256 hash;
    bnn_sha256_init(&hash);
    bnn_sha256_add(&hash, file, size);
    bnn_sha256_end(&hash, at);
    const int rc = bnn_file_write(path, file, size + DIGEST, err);
    bnn_free(file);
    return rc;
}

/* --------------------------------------------------------------- reading -- */

static int check_digest(const bnn_file *f, const char *path, bnn_error *err)
{
    bnn_sha256 hash;
    uint8_t digest[DIGEST];
    if (f->size < MAGIC || memcmp(f->data, magic, MAGIC) != 0)
        return bnn_fail(err, BNN_EMAGIC, "%s: not a checkpoint; expected one that starts with \"bnn checkpoint 1\"", path);
    if (f->size < MAGIC + 8 + 8 * NUMBERS + DIGEST)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes; expected a whole checkpoint", path, f->size);
    bnn_sha256_init(&hash);
    bnn_sha256_add(&hash, f->data, f->size - DIGEST);
    bnn_sha256_end(&hash, digest);
    if (memcmp(digest, f->data + f->size - DIGEST, DIGEST) != 0)
        return bnn_fail(err, BNN_ECORRUPT, "%s: checksum does not fit; the checkpoint is damaged", path);
    return BNN_OK;
}

/* Opens, checks, and leaves the cursor behind the settings. */
static int open_checkpoint(bnn_file *f, bnn_bytes *b, char **settings, const char *path, bnn_error *err)
{
    int rc = bnn_file_open(f, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = check_digest(f, path, err);
    if (rc == BNN_OK) {
        *b = bnn_bytes_of(f->data, f->size - DIGEST);
        bnn_bytes_take(b, MAGIC);
        const uint64_t n = bnn_bytes_u64le(b);
        const uint8_t *text = n <= bnn_bytes_left(b) ? bnn_bytes_take(b, (size_t)n) : NULL;
        if (!text)
            rc = bnn_fail(err, BNN_ECORRUPT, "%s: settings of %llu bytes; the file ends before", path, (unsigned long long)n);
        else if (!(*settings = bnn_strndup((const char *)text, (size_t)n)))
            rc = bnn_fail_memory(err, (size_t)n);
    }
    if (rc != BNN_OK)
        bnn_file_close(f);
    return rc;
}

/* Names the first line in which two settings differ. */
static int compare_settings(const char *file, const char *run, const char *path, bnn_error *err)
{
    while (*file && *run) {
        const size_t a = strcspn(file, "\n"), b = strcspn(run, "\n");
        if (a != b || memcmp(file, run, a) != 0)
            return bnn_fail(err, BNN_EINVAL, "%s: made with '%.*s', this run has '%.*s'; expected the same", path, (int)a, file, (int)b, run);
        file += a + (file[a] != 0);
        run += b + (run[b] != 0);
    }
    return *file || *run ? bnn_fail(err, BNN_EINVAL, "%s: of another topology", path) : BNN_OK;
}

int bnn_checkpoint_read(bnn_trainer *t, const char *path, bnn_error *err)
{
    bnn_file f;
    bnn_bytes b;
    char *settings = NULL;
    int rc = open_checkpoint(&f, &b, &settings, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = compare_settings(settings, t->settings, path, err);
    size_t size = 8 * NUMBERS;
    walk(t, add_size, &size);
    if (rc == BNN_OK && bnn_bytes_left(&b) != size)
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes of state, expected %zu", path, bnn_bytes_left(&b), size);
    if (rc == BNN_OK) {
        uint64_t number[NUMBERS];
        for (size_t i = 0; i < NUMBERS; i++)
            number[i] = bnn_bytes_u64le(&b);
        t->epoch        = (uint32_t)number[0];
        t->step         = (uint32_t)number[1];
        t->model->steps = number[2];
        t->best_epoch   = (uint32_t)number[3];
        t->best_correct = (uint32_t)number[4];
        memcpy(&t->loss.sum, &number[5], sizeof t->loss.sum);
        t->loss.correct = (size_t)number[6];
        walk(t, get, &b);
        bnn_model_quantise_weights(t->model);
        bnn_thresholds_quantise(&t->thresholds, &t->rule);
    }
    bnn_free(settings);
    bnn_file_close(&f);
    return rc;
}

/* Bytes of one graph of this topology, before anything is allocated for it. */
static uint64_t graph_size(const bnn_topology *t)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < t->layers; i++)
        size += (uint64_t)t->layer[i].MH * t->layer[i].MW + (t->layer[i].MH ? 12ull * t->layer[i].MH : 0);
    return size;
}

int bnn_checkpoint_read_graphs(bnn_graph *last, bnn_graph *best, const char *path, bnn_error *err)
{
    static const char key[] = "\ntopology ";
    bnn_file f;
    bnn_bytes b;
    char *settings = NULL;
    bnn_topology t;
    *last = *best = (bnn_graph){ 0 };
    int rc = open_checkpoint(&f, &b, &settings, path, err);
    if (rc != BNN_OK)
        return rc;
    const char *text = strstr(settings, key);
    if (!text)
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: settings without a topology", path);
    else if ((rc = bnn_topology_parse(&t, text + sizeof key - 1, strlen(text + sizeof key - 1), err)) != BNN_OK)
        bnn_fail_prefix(err, path);
    else if (2 * graph_size(&t) + 8 * NUMBERS > bnn_bytes_left(&b))
        rc = bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes after the settings; expected at least %llu for the graphs", path,
                      bnn_bytes_left(&b), (unsigned long long)(2 * graph_size(&t) + 8 * NUMBERS));
    if (rc == BNN_OK)
        rc = bnn_graph_new(last, &t, err);
    if (rc == BNN_OK)
        rc = bnn_graph_new(best, &t, err);
    if (rc == BNN_OK) {
        bnn_bytes_take(&b, 8 * NUMBERS);
        walk_graph(last, get, &b);
        walk_graph(best, get, &b);
    }
    if (rc != BNN_OK) {
        bnn_graph_free(last);
        bnn_graph_free(best);
    }
    bnn_free(settings);
    bnn_file_close(&f);
    return rc;
}
