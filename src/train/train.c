/* train.c -- the loop: batches, epochs, validation, stopping and going on. */
#include "train/compare.h"
#include "train/input.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Images whose statistics the frozen network gets, at the end of every epoch. */
enum { STATISTICS = 10240 };

void bnn_train_options_default(bnn_train_options *options)
{
    *options = (bnn_train_options){ .epochs = 40, .learning_rate = 0.02, .seed = 1, .teacher_share = 0.5 };
}

int bnn_train_blank(bnn_network **out, const char *topology, const char *rule, bnn_error *err)
{
    bnn_topology t;
    bnn_network *net;
    int rc = bnn_topology_open(&t, topology, err);
    if (rc == BNN_OK)
        rc = bnn_network_new(&net, &t, err);
    if (rc != BNN_OK)
        return rc;
    if (rule)
        rc = bnn_rule_parse(&net->rule, &t, rule, strlen(rule), err);
    if (rc == BNN_OK && bnn_rule_has_table(&net->rule))
        rc = bnn_thresholds_start(&net->rule, err);
    net->topology.layer[t.layers - 1].at_most = bnn_topology_last(&t)->at_most;
    if (rc == BNN_OK)
        rc = bnn_network_finish(net, err);
    if (rc != BNN_OK)
        bnn_network_close(net);
    else
        *out = net;
    return rc;
}

/* ------------------------------------------------------------ one batch -- */

struct batch {
    bnn_trainer       *t;
    const bnn_samples *from;
    const uint32_t    *index;   /* images of `from`; NULL = first, first + 1, ... */
    size_t             first, n;
    bool               augment;
    uint64_t           draw;    /* number of the first image's random draw */
};

static size_t image_of(const struct batch *b, size_t i)
{
    return b->index ? b->index[b->first + i] : b->first + i;
}

static void prepare_slice(void *context, size_t slice, unsigned thread)
{
    const struct batch *b = context;
    bnn_trainer *t = b->t;
    const size_t size = bnn_shape_size(t->rule.shape);
    uint8_t *changed = t->changed + thread * size;
    float *values = t->values + thread * size;
    for (size_t i = bnn_slice_at(b->n, BNN_SLICES, slice); i < bnn_slice_at(b->n, BNN_SLICES, slice + 1); i++) {
        const uint8_t *pixels = b->from->images + image_of(b, i) * b->from->size;
        if (b->augment) {
            bnn_random r = bnn_random_at(t->options.seed, BNN_FOR_AUGMENT, b->draw + i);
            bnn_augment_apply(&t->augment, &r, b->from->shape, pixels, t->rule.shape, changed);
            pixels = changed;
            if (t->teacher.backend)
                memcpy(t->teacher.images + i * size, pixels, size);
        } else if (b->from->size != size) {
            bnn_samples_centre(b->from->shape, pixels, t->rule.shape, changed);
            pixels = changed;
        }
        if (t->thresholds.latent.size)
            memcpy(t->thresholds.pixels + i * size, pixels, size);
        bnn_input_values(&t->rule, pixels, values);
        bnn_model_set_input(t->model, i, values);
    }
}

static void load_batch(const struct batch *b)
{
    struct batch copy = *b;
    bnn_pool_run(b->t->pool, BNN_SLICES, prepare_slice, &copy);
    for (size_t i = 0; i < b->n; i++)
        b->t->labels[i] = b->from->labels[image_of(b, i)];
}

/* ------------------------------------------------------------ the epoch -- */

/* Cosine from the rate at the start to 0 at the end of the run. */
static double learning_rate(const bnn_trainer *t)
{
    const double done = (double)t->epoch * t->steps + t->step, all = (double)t->options.epochs * t->steps;
    return t->options.learning_rate * 0.5 * (1 + cos(3.14159265358979323846 * done / all));
}

/* Fisher-Yates over the identity, by the epoch's own random numbers. */
static void shuffle(bnn_trainer *t)
{
    bnn_random r = bnn_random_at(t->options.seed, BNN_FOR_ORDER, t->epoch);
    for (size_t i = 0; i < t->train.count; i++)
        t->order[i] = (uint32_t)i;
    for (size_t i = t->train.count; i-- > 1;) {
        const size_t j = bnn_random_below(&r, (uint32_t)i + 1);
        const uint32_t swap = t->order[i];
        t->order[i] = t->order[j];
        t->order[j] = swap;
    }
}

static int train_step(bnn_trainer *t, bnn_error *err)
{
    const size_t n = t->model->batch, first = (size_t)t->step * n;
    const struct batch b = { t, &t->train, t->order, first, n, true, (uint64_t)t->epoch * t->train.count + first };
    load_batch(&b);
    const int rc = t->teacher.backend ? bnn_teacher_ask(&t->teacher, n, err) : BNN_OK;
    if (rc != BNN_OK)
        return rc;
    bnn_model_forward(t->model, n, BNN_BATCH);
    const bnn_loss loss = bnn_loss_forward(t->model, t->labels, t->teacher.probabilities, (float)t->options.teacher_share, n);
    bnn_model_backward(t->model, n);
    bnn_model_update(t->model, (float)learning_rate(t));
    bnn_thresholds_update(&t->thresholds, &t->rule, t->model, n, (float)learning_rate(t));
    t->loss.sum += loss.sum;
    t->loss.correct += loss.correct;
    t->step++;
    return BNN_OK;
}

/* Statistics of batch norm on the frozen weights, from unchanged training images. */
static void measure(bnn_trainer *t)
{
    const size_t n = t->model->batch, batches = t->train.count / n < STATISTICS / n ? t->train.count / n : STATISTICS / n;
    for (size_t i = 0; i < (batches ? batches : 1); i++) {
        const struct batch b = { t, &t->train, t->order, i * n, n, false, 0 };
        load_batch(&b);
        bnn_model_forward(t->model, n, BNN_MEASURE);
    }
    bnn_model_measured(t->model);
}

static uint32_t validate(bnn_trainer *t)
{
    uint32_t correct = 0;
    for (size_t first = 0, n; first < t->validation.count; first += n) {
        n = t->validation.count - first < t->model->batch ? t->validation.count - first : t->model->batch;
        const struct batch b = { t, &t->validation, NULL, first, n, false, 0 };
        load_batch(&b);
        bnn_model_forward(t->model, n, BNN_FROZEN);
        correct += (uint32_t)bnn_loss_forward(t->model, t->labels, NULL, 0, n).correct;
    }
    return correct;
}

static int report(bnn_trainer *t, int epoch_end, double validation, int best)
{
    const double images = (double)t->step * (double)t->model->batch;
    const bnn_train_progress p = {
        .epoch = t->epoch + 1, .epochs = t->options.epochs, .step = t->step, .steps = t->steps,
        .images = (uint64_t)t->steps * t->model->batch,
        .loss = t->step ? t->loss.sum / images : 0, .accuracy = t->step ? (double)t->loss.correct / images : 0,
        .learning_rate = learning_rate(t), .seconds = (double)(bnn_now_ns() - t->started_ns) * 1e-9,
        .images_per_second = t->rate, .epoch_end = epoch_end, .validation = validation, .best = best,
        .maths = t->model->gemm.name,
    };
    return t->options.progress ? t->options.progress(t->options.user, &p) : 0;
}

static int write_checkpoint(const bnn_trainer *t, bnn_error *err)
{
    return t->options.checkpoint ? bnn_checkpoint_write(t, t->options.checkpoint, err) : BNN_OK;
}

/* The batches of one epoch that are still to do. ECANCEL after a checkpoint. */
static int run_steps(bnn_trainer *t, bnn_error *err)
{
    const uint64_t started = bnn_now_ns();
    const uint32_t before = t->step;
    shuffle(t);
    while (t->step < t->steps) {
        int rc = train_step(t, err);
        if (rc != BNN_OK)
            return rc;
        t->rate = (double)(t->step - before) * (double)t->model->batch / ((double)(bnn_now_ns() - started) * 1e-9);
        if (report(t, 0, -1, 0) != 0 && t->step < t->steps) {
            rc = write_checkpoint(t, err);
            return rc != BNN_OK ? rc : bnn_fail(err, BNN_ECANCEL, "stopped in epoch %u of %u", t->epoch + 1, t->options.epochs);
        }
    }
    return BNN_OK;
}

static int finish_epoch(bnn_trainer *t, bnn_error *err)
{
    measure(t);
    bnn_graph_take(&t->last, t->model);
    const uint32_t correct = validate(t);
    const int best = correct >= t->best_correct;
    if (t->thresholds.latent.size)
        memcpy(t->thresholds.last, t->rule.table, t->thresholds.latent.size);
    if (best) {
        bnn_graph_copy(&t->best, &t->last);
        if (t->thresholds.latent.size)
            memcpy(t->thresholds.best, t->rule.table, t->thresholds.latent.size);
        t->best_correct = correct;
        t->best_epoch   = t->epoch + 1;
    }
    const int stop = report(t, 1, t->validation.count ? (double)correct / (double)t->validation.count : -1, best);
    t->epoch++;
    t->step = 0;
    t->loss = (bnn_loss){ 0 };
    const int rc = write_checkpoint(t, err);
    if (rc == BNN_OK && stop && t->epoch < t->options.epochs)
        return bnn_fail(err, BNN_ECANCEL, "stopped after epoch %u of %u", t->epoch, t->options.epochs);
    return rc;
}

static int run(bnn_trainer *t, bnn_error *err)
{
    int rc = BNN_OK;
    while (rc == BNN_OK && t->epoch < t->options.epochs) {
        rc = run_steps(t, err);
        if (rc == BNN_OK)
            rc = finish_epoch(t, err);
    }
    return rc;
}

/* --------------------------------------------------------------- set-up -- */

static int check_options(const bnn_train_options *o, bnn_error *err)
{
    if (o->epochs < 1 || o->epochs > 100000)
        return bnn_fail(err, BNN_EINVAL, "%u epochs; expected 1 to 100000", o->epochs);
    if (o->batch == 1 || o->batch > 65536)
        return bnn_fail(err, BNN_EINVAL, "batches of %u images; expected 2 to 65536", o->batch);
    if (!(o->learning_rate > 0 && o->learning_rate <= 1))
        return bnn_fail(err, BNN_EINVAL, "learning rate %g; expected more than 0, at most 1", o->learning_rate);
    if (!(o->teacher_share >= 0 && o->teacher_share <= 1))
        return bnn_fail(err, BNN_EINVAL, "teacher's share %g; expected 0 to 1", o->teacher_share);
    if (!(o->dropout >= 0 && o->dropout <= 0.9))
        return bnn_fail(err, BNN_EINVAL, "dropout %g; expected 0 to 0.9", o->dropout);
    if (o->resume && !o->checkpoint)
        return bnn_fail(err, BNN_EINVAL, "to resume, a checkpoint is needed");
    return BNN_OK;
}

static uint32_t count_names(const bnn_dataset *set)
{
    uint32_t n = 0;
    while (n < BNN_MAX_CLASSES && bnn_dataset_class_name(set, n))
        n++;
    return n;
}

static const char *name_or_number(char room[16], const bnn_dataset *set, uint32_t label)
{
    bnn_printer p = { room, 16, 0 };
    bnn_print(&p, "%u", label);
    return bnn_dataset_class_name(set, label) ? bnn_dataset_class_name(set, label) : room;
}

/* Number of classes; each must have an image to learn from. */
static int count_classes(const bnn_trainer *t, const bnn_dataset *set, uint32_t *classes, bnn_error *err)
{
    char room[16];
    uint8_t seen[BNN_MAX_CLASSES] = { 0 };
    uint32_t n = count_names(set);
    for (size_t i = 0; i < t->train.count; i++) {
        const uint32_t label = t->train.labels[i];
        if (label >= BNN_MAX_CLASSES)
            return bnn_fail(err, BNN_ESHAPE, "label %u; expected less than %d", label, BNN_MAX_CLASSES);
        seen[label] = 1;
        n = label + 1 > n ? label + 1 : n;
    }
    for (uint32_t c = 0; c < n; c++)
        if (!seen[c])
            return bnn_fail(err, BNN_EINVAL, "class %s has no image to train with; expected at least one", name_or_number(room, set, c));
    for (size_t i = 0; i < t->validation.count; i++)
        if (t->validation.labels[i] >= n)
            return bnn_fail(err, BNN_ESHAPE, "a validation image has label %u; training has classes 0 to %u", t->validation.labels[i], n - 1);
    if (t->options.names && t->options.n_names != n)
        return bnn_fail(err, BNN_ESHAPE, "%u class names for %u classes; expected one each", t->options.n_names, n);
    *classes = n;
    return n >= 2 ? BNN_OK : bnn_fail(err, BNN_EINVAL, "one class; expected at least two");
}

/* 256 images a step; of small sets fewer, so that an epoch has 16 steps, but
 * at least 16, which batch norm needs. Never more than there are. */
static size_t batch_of(const bnn_trainer *t)
{
    size_t batch = t->options.batch;
    if (batch == 0)
        for (batch = 256; batch > 16 && batch * 16 > t->train.count;)
            batch /= 2;
    return batch < t->train.count ? batch : t->train.count;
}

static int set_rows(bnn_topology *topology, uint32_t classes, bnn_error *err)
{
    const bnn_layer *last = bnn_topology_last(topology);
    if (classes > last->MH)
        return bnn_fail(err, BNN_ESHAPE, "%u classes; the topology's last layer has %u rows", classes, last->MH);
    return last->at_most ? bnn_topology_set_rows(topology, classes, err) : BNN_OK;
}

static int read_images(bnn_trainer *t, const bnn_dataset *train, const bnn_dataset *validation, bnn_error *err)
{
    const bnn_train_options *o = &t->options;
    int rc = bnn_samples_read(&t->train, train, &t->rule, err);
    if (rc == BNN_OK && o->groups && o->n_groups != t->train.count)
        rc = bnn_fail(err, BNN_ESHAPE, "groups of %llu images; expected %zu, one for each", (unsigned long long)o->n_groups, t->train.count);
    if (rc == BNN_OK && validation)
        rc = bnn_samples_read(&t->validation, validation, &t->rule, err);
    else if (rc == BNN_OK && o->keep_out)
        rc = bnn_samples_keep_out(&t->train, &t->validation, o->keep_out, o->groups, err);
    return rc == BNN_OK ? bnn_samples_crop(&t->validation, t->rule.shape, err) : rc;
}

/* Everything that decides the result. */
static void print_settings(bnn_printer *p, const bnn_trainer *t)
{
    const bnn_train_options *o = &t->options;
    char digest[65], text[1024];
    bnn_print(p, "epochs %u\nbatch %zu\nlearning_rate %.9g\nseed %llu\nmaths %s\nclasses %u\n", o->epochs, t->model->batch,
              o->learning_rate, (unsigned long long)o->seed, t->model->gemm.name, t->model->classes);
    bnn_augment_print(&t->augment, text, sizeof text);
    bnn_print(p, "augment %s\n", text);
    if (o->dropout > 0)
        bnn_print(p, "dropout %.9g\n", o->dropout);
    if (o->init)
        bnn_print(p, "init %016llx\n", (unsigned long long)o->init->checksum);
    if (o->teacher)
        bnn_print(p, "teacher %016llx %.9g\n", (unsigned long long)o->teacher->checksum, o->teacher_share);
    bnn_samples_digest(&t->train, digest);
    bnn_print(p, "images %zu %s\n", t->train.count, digest);
    bnn_samples_digest(&t->validation, digest);
    bnn_print(p, "validation %zu %s\n", t->validation.count, digest);
    bnn_rule_print(&t->rule, text, sizeof text);
    bnn_print(p, "rule %s\ntopology ", text);
}

static int set_settings(bnn_trainer *t, bnn_error *err)
{
    char text[2048];
    bnn_printer p = { text, sizeof text, 0 };
    print_settings(&p, t);
    const size_t head = p.used, all = head + bnn_topology_print(&t->model->topology, NULL, 0);
    t->settings = bnn_alloc(all + 1, 1);
    if (!t->settings)
        return bnn_fail_memory(err, all);
    memcpy(t->settings, text, head);
    bnn_topology_print(&t->model->topology, t->settings + head, all - head + 1);
    return BNN_OK;
}

static int set_up(bnn_trainer *t, const bnn_network *blank, const bnn_dataset *train, const bnn_dataset *validation, bnn_error *err)
{
    bnn_topology topology = blank->topology;
    uint32_t classes = 0;
    int rc = check_options(&t->options, err);
    if (rc == BNN_OK)
        rc = bnn_augment_parse(&t->augment, t->options.augment ? t->options.augment : "shift=1", err);
    if (rc == BNN_OK)
        rc = bnn_rule_copy(&t->rule, &blank->rule, err);
    if (rc == BNN_OK)
        rc = read_images(t, train, validation, err);
    if (rc == BNN_OK)
        rc = count_classes(t, train, &classes, err);
    if (rc == BNN_OK)
        rc = set_rows(&topology, classes, err);
    if (rc == BNN_OK)
        rc = bnn_pool_open(&t->pool, t->options.threads, err);
    if (rc != BNN_OK)
        return rc;
    const size_t batch = batch_of(t);
    rc = bnn_model_new(&t->model, &topology, classes, batch, true, t->options.maths, t->pool, err);
    if (rc != BNN_OK)
        return rc;
    t->model->seed = t->options.seed;
    t->model->drop = (uint32_t)(t->options.dropout * 65536 + 0.5);
    t->steps   = (uint32_t)(t->train.count / batch);
    t->order   = bnn_alloc(t->train.count, sizeof *t->order);
    t->labels  = bnn_alloc(batch, sizeof *t->labels);
    t->changed = bnn_alloc(bnn_pool_threads(t->pool), bnn_shape_size(t->rule.shape));
    t->values  = bnn_alloc(bnn_pool_threads(t->pool), bnn_shape_size(t->rule.shape) * sizeof *t->values);
    if (!t->order || !t->labels || !t->changed || !t->values)
        return bnn_fail_memory(err, t->train.count * sizeof *t->order);
    rc = bnn_thresholds_new(&t->thresholds, &t->rule, t->model, err);
    if (rc == BNN_OK)
        rc = bnn_graph_new(&t->last, &topology, err);
    if (rc == BNN_OK && t->options.teacher)
        rc = bnn_teacher_open(&t->teacher, t->options.teacher, topology.input, classes, batch, t->options.threads, err);
    if (rc == BNN_OK)
        rc = bnn_graph_new(&t->best, &topology, err);
    return rc == BNN_OK ? set_settings(t, err) : rc;
}

static void clear(bnn_trainer *t)
{
    bnn_graph_free(&t->last);
    bnn_graph_free(&t->best);
    bnn_teacher_close(&t->teacher);
    bnn_thresholds_free(&t->thresholds);
    bnn_model_free(t->model);
    bnn_pool_close(t->pool);
    bnn_samples_free(&t->train);
    bnn_samples_free(&t->validation);
    bnn_rule_free(&t->rule);
    bnn_free(t->order);
    bnn_free(t->labels);
    bnn_free(t->changed);
    bnn_free(t->values);
    bnn_free(t->settings);
}

/* -------------------------------------------------------------- results -- */

static int name_classes(bnn_network *net, const bnn_trainer *t, const bnn_dataset *set, bnn_error *err)
{
    const char *names[BNN_MAX_CLASSES];
    const uint32_t n = count_names(set) == t->model->classes ? t->model->classes : 0;
    if (t->options.names)
        return bnn_network_set_names(net, t->options.names, t->options.n_names, err);
    for (uint32_t c = 0; c < n; c++)
        names[c] = bnn_dataset_class_name(set, c);
    return n ? bnn_network_set_names(net, names, n, err) : BNN_OK;
}

/* Provenance: what made the network, so that it can be made again. */
static int describe(bnn_network *net, const bnn_trainer *t, uint32_t epoch, const bnn_dataset *set, bnn_error *err)
{
    char text[512], digest[65], change[128];
    bnn_printer p = { text, sizeof text, 0 };
    bnn_augment_print(&t->augment, change, sizeof change);
    bnn_print(&p, "bnn train, epoch %u of %u, batch %zu, learning rate %g to 0, augment %s, %s", epoch, t->options.epochs,
              t->model->batch, t->options.learning_rate, change, t->model->gemm.name);
    if (t->options.dropout > 0)
        bnn_print(&p, ", dropout %g", t->options.dropout);
    if (t->options.init)
        bnn_print(&p, ", from %016llx", (unsigned long long)t->options.init->checksum);
    if (t->options.teacher)
        bnn_print(&p, ", teacher %016llx with share %g", (unsigned long long)t->options.teacher->checksum, t->options.teacher_share);
    int rc = bnn_network_set_text(net, "recipe", text, err);
    p = (bnn_printer){ text, sizeof text, 0 };
    bnn_print(&p, "%llu", (unsigned long long)t->options.seed);
    if (rc == BNN_OK)
        rc = bnn_network_set_text(net, "seed", text, err);
    bnn_samples_digest(&t->train, digest);
    p = (bnn_printer){ text, sizeof text, 0 };
    bnn_print(&p, "%zu images, sha256 %s", t->train.count, digest);
    if (rc == BNN_OK)
        rc = bnn_network_set_text(net, "data", text, err);
    return rc == BNN_OK ? name_classes(net, t, set, err) : rc;
}

/* The network of a graph, and of the input's thresholds of the same epoch where they are learned. */
static int make_network(bnn_network **out, const bnn_graph *g, const uint8_t *table, bnn_trainer *t, uint32_t epoch,
                        const bnn_dataset *set, bnn_error *err)
{
    bnn_network *net;
    if (t->thresholds.latent.size)
        memcpy(t->rule.table, table, t->thresholds.latent.size);
    int rc = bnn_fold(&net, g, &t->rule, t->model->classes, err);
    if (rc != BNN_OK)
        return rc;
    rc = describe(net, t, epoch, set, err);
    if (rc == BNN_OK)
        rc = bnn_network_finish(net, err);
    if (rc != BNN_OK)
        bnn_network_close(net);
    else
        *out = net;
    return rc;
}

static int read_validation(void *context, size_t first, size_t n, uint8_t *images, bnn_error *err)
{
    const bnn_samples *s = context;
    (void)err;
    memcpy(images, s->images + first * s->size, n * s->size);
    return BNN_OK;
}

static int check_fold(bnn_trainer *t, const bnn_network *net, bnn_error *err)
{
    if (!t->options.comparison)
        return BNN_OK;
    return bnn_compare(t->options.comparison, net, &t->best, t->model->gemm.name, t->pool, read_validation, &t->validation,
                       t->validation.count, err);
}

/* The first checkpoint is written before the first step: a place that cannot be written is told at once. */
static int begin(bnn_trainer *t, bnn_error *err)
{
    bnn_model_init(t->model, t->options.seed, t->options.init);
    return write_checkpoint(t, err);
}

int bnn_train(bnn_network **best, bnn_network **last, const bnn_network *blank, const bnn_dataset *train,
              const bnn_dataset *validation, const bnn_train_options *options, bnn_error *err)
{
    bnn_train_options defaults;
    bnn_train_options_default(&defaults);
    bnn_trainer *t = bnn_alloc(1, sizeof *t);
    if (!t)
        return bnn_fail_memory(err, sizeof *t);
    t->options    = options ? *options : defaults;
    t->started_ns = bnn_now_ns();
    bnn_network *a = NULL, *b = NULL;
    int rc = set_up(t, blank, train, validation, err);
    if (rc == BNN_OK && t->options.resume)
        rc = bnn_checkpoint_read(t, t->options.checkpoint, err);
    else if (rc == BNN_OK)
        rc = begin(t, err);
    if (rc == BNN_OK)
        rc = run(t, err);
    if (rc == BNN_OK)
        rc = make_network(&a, &t->best, t->thresholds.best, t, t->best_epoch, train, err);
    if (rc == BNN_OK)
        rc = check_fold(t, a, err);
    if (rc == BNN_OK && last)
        rc = make_network(&b, &t->last, t->thresholds.last, t, t->options.epochs, train, err);
    clear(t);
    bnn_free(t);
    if (rc != BNN_OK) {
        bnn_network_close(a);
        return rc;
    }
    *best = a;
    if (last)
        *last = b;
    return BNN_OK;
}
