/* train.c -- `bnn train`: from labelled pictures and a topology to a network. */
#include "curves.h"
#include "open.h"
#include "output.h"

#include <bnn/train.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct train {
    const char *topology, *path, *val, *out, *rule, *augment, *teacher, *init, *maths, *names, *groups;
    uint32_t    epochs, batch, seed, threads;
    double      rate, share, dropout;
    int         resume;
    bnn_dataset_options data;

    bnn_network *blank, *teacher_net, *init_net, *best, *last;
    bnn_dataset *set, *validation;
    uint32_t     keep_out;
    uint32_t    *group;      /* of each image; NULL without --groups */
    char        *file[4]; /* last, checkpoint, csv, svg */
    char        *names_text;
    const char  *name[1000]; /* lines of names_text */
    uint32_t     n_names;
    tool_curves  curves;
    tool_progress bar;
    bnn_error   *err;
    int          rc;      /* of writing the curves */
};

enum { FILE_LAST, FILE_CHECKPOINT, FILE_CSV, FILE_SVG };

static volatile sig_atomic_t stopped; /* Ctrl-C */

static void stop(int sig)
{
    (void)sig;
    stopped = 1;
}

/* -------------------------------------------------------------- progress -- */

static int write_curves(struct train *t, const bnn_train_progress *p)
{
    const tool_epoch e = { p->epoch, p->loss, p->accuracy, p->validation, p->learning_rate };
    const int rc = tool_curves_add(&t->curves, &e, t->err);
    return rc == BNN_OK ? tool_curves_write(&t->curves, t->file[FILE_CSV], t->file[FILE_SVG], t->err) : rc;
}

static void print_epoch(const bnn_train_progress *p)
{
    tool_print("epoch %*u of %u  loss %.4f  training %5.2f %%", p->epochs > 99 ? 3 : 2, p->epoch, p->epochs, p->loss, 100 * p->accuracy);
    if (p->validation >= 0)
        tool_print("  validation %5.2f %%%s", 100 * p->validation, p->best ? " *" : "  ");
    tool_print("  %s images/s\n", tool_grouped(p->images_per_second).text);
    fflush(stdout);
}

static int on_progress(void *user, const bnn_train_progress *p)
{
    struct train *t = user;
    const uint64_t all = p->epochs * p->images, done = (p->epoch - 1) * p->images + p->images / p->steps * p->step;
    if (p->epoch_end) {
        tool_progress_end(&t->bar);
        print_epoch(p);
        if (t->rc == BNN_OK)
            t->rc = write_curves(t, p);
    } else {
        char what[100];
        snprintf(what, sizeof what, "epoch %u of %u, loss %.4f, %.2f %%, %.0f images/s", p->epoch, p->epochs, p->loss,
                 100 * p->accuracy, p->images_per_second);
        t->bar.what = what;
        tool_progress_show(&t->bar, done, all);
    }
    return stopped || t->rc != BNN_OK;
}

/* ------------------------------------------------------------ the files -- */

/* my.safetensors -> my.checkpoint and so on: the suffix of --out replaced. */
static int name_files(struct train *t, bnn_error *err)
{
    static const char *const suffix[] = { ".last.safetensors", ".checkpoint", ".csv", ".svg" };
    static const char own[] = ".safetensors";
    size_t n = strlen(t->out);
    if (n >= sizeof own && strcmp(t->out + n - (sizeof own - 1), own) == 0)
        n -= sizeof own - 1;
    for (int i = 0; i < 4; i++) {
        const size_t room = n + strlen(suffix[i]) + 1;
        t->file[i] = malloc(room);
        if (!t->file[i])
            return tool_fail(err, BNN_ENOMEM, "not enough memory for %zu bytes", room);
        snprintf(t->file[i], room, "%.*s%s", (int)n, t->out, suffix[i]);
    }
    return BNN_OK;
}

/* A whole text file, up to its first zero. */
static int read_text(char **out, const char *path, bnn_error *err)
{
    size_t room = 0;
    FILE *f = fopen(path, "rb");
    errno = f ? 0 : errno;
    if (!f || getdelim(out, &room, '\0', f) < 0) {
        const int why = errno;
        if (f)
            fclose(f);
        return tool_fail(err, BNN_EIO, "%s: cannot read: %s", path, f && !why ? "it is empty" : strerror(why));
    }
    fclose(f);
    return BNN_OK;
}

/* --names: a line a class. */
static int read_names(struct train *t, bnn_error *err)
{
    const int rc = t->names ? read_text(&t->names_text, t->names, err) : BNN_OK;
    if (rc != BNN_OK || !t->names)
        return rc;
    for (char *line = strtok(t->names_text, "\r\n"); line && t->n_names < 1000; line = strtok(NULL, "\r\n"))
        t->name[t->n_names++] = line;
    return BNN_OK;
}

/* ------------------------------------------------------------- the data -- */

static int open_set(struct train *t, bnn_dataset **out, const char *path, bnn_error *err)
{
    bnn_dataset_options o = t->data;
    o.network   = t->blank;
    o.uncropped = 1;
    const int rc = bnn_dataset_open(out, &path, 1, &o, err);
    if (rc != BNN_OK)
        return rc;
    const char *line;
    for (size_t i = 0; (line = bnn_dataset_left_out(*out, i)) != NULL && i < 10; i++)
        tool_warn("left out: %s", line);
    return BNN_OK;
}

/* --val: a number of images to keep out, or another data set. Default: a
 * fifth of the images, at most 10,000. */
static int open_validation(struct train *t, bnn_error *err)
{
    const size_t count = bnn_dataset_count(t->set, NULL);
    char *end;
    if (!t->val) {
        t->keep_out = (uint32_t)(count / 5 < 10000 ? count / 5 : 10000);
        return BNN_OK;
    }
    const unsigned long n = strtoul(t->val, &end, 10);
    if (*end == '\0' && end != t->val) {
        if (n >= count)
            return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --val; expected less than the %zu images", t->val, count);
        t->keep_out = (uint32_t)n;
        return BNN_OK;
    }
    return open_set(t, &t->validation, t->val, err);
}

struct line { const char *text; uint32_t image; };

static int compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    return order ? order : (x->image > y->image) - (x->image < y->image);
}

/* The lines of a text, cut apart in place: how many, and the first `room` of them. */
static size_t cut_lines(char *text, struct line *out, size_t room)
{
    size_t n = 0;
    for (char *at = text; *at; n++) {
        char *end = at + strcspn(at, "\n");
        if (n < room)
            out[n] = (struct line){ at, (uint32_t)n };
        at = end + (*end == '\n');
        *end = '\0';
    }
    return n;
}

/* Images of equal lines get one number: that of the first of them. */
static void number_groups(uint32_t *group, struct line *line, size_t count)
{
    qsort(line, count, sizeof *line, compare_lines);
    for (size_t i = 0, first = 0; i < count; i++) {
        if (strcmp(line[i].text, line[first].text) != 0)
            first = i;
        group[line[i].image] = line[first].image;
    }
}

/* --groups: a line an image. */
static int read_groups(struct train *t, bnn_error *err)
{
    if (!t->groups)
        return BNN_OK;
    const size_t count = bnn_dataset_count(t->set, NULL);
    char *text = NULL;
    struct line *line = malloc(count * sizeof *line);
    t->group = malloc(count * sizeof *t->group);
    int rc = line && t->group ? read_text(&text, t->groups, err) : tool_fail(err, BNN_ENOMEM, "not enough memory for %zu lines", count);
    const size_t lines = rc == BNN_OK ? cut_lines(text, line, count) : 0;
    if (rc == BNN_OK && lines != count)
        rc = tool_fail(err, BNN_ESHAPE, "%s: %zu lines; expected %zu, one for each image", t->groups, lines, count);
    if (rc == BNN_OK)
        number_groups(t->group, line, count);
    free(line);
    free(text);
    return rc;
}

static bnn_train_options options_of(struct train *t)
{
    bnn_train_options o;
    bnn_train_options_default(&o);
    o.epochs        = t->epochs;
    o.batch         = t->batch;
    o.learning_rate = t->rate;
    o.augment       = t->augment;
    o.seed          = t->seed;
    o.threads       = t->threads;
    o.keep_out      = t->keep_out;
    o.groups        = t->group;
    o.n_groups      = t->group ? bnn_dataset_count(t->set, NULL) : 0;
    o.maths         = t->maths;
    o.names         = t->n_names ? t->name : NULL;
    o.n_names       = t->n_names;
    o.init          = t->init_net;
    o.teacher       = t->teacher_net;
    o.teacher_share = t->share;
    o.dropout       = t->dropout;
    return o;
}

/* --------------------------------------------------- the input threshold -- */

struct trial { double accuracy; };

static int on_trial(void *user, const bnn_train_progress *p)
{
    struct trial *trial = user;
    if (p->epoch_end)
        trial->accuracy = p->validation;
    return stopped;
}

static int try_rule(struct train *t, const char *rule, double *accuracy, bnn_error *err)
{
    enum { STEPS = 200 };
    struct trial trial = { 0 };
    bnn_network *blank = NULL, *net = NULL;
    bnn_train_options o = options_of(t);
    const size_t count = bnn_dataset_count(t->set, NULL), steps = count / (t->batch ? t->batch : 256) + 16;
    o.epochs   = (uint32_t)((STEPS + steps - 1) / steps);
    o.progress = on_trial;
    o.user     = &trial;
    int rc = bnn_train_blank(&blank, t->topology, rule, err);
    if (rc == BNN_OK)
        rc = bnn_train(&net, NULL, blank, t->set, t->validation, &o, err);
    bnn_network_close(net);
    bnn_network_close(blank);
    *accuracy = trial.accuracy;
    return rc;
}

/* Without --rule, the threshold of a 1-bit input is the one of three that a
 * short training on each does best with. Costs some seconds and was worth
 * over three points on Fashion-MNIST (docs/training.md). */
static int choose_rule(struct train *t, bnn_error *err)
{
    enum { RULES = 3 };
    static const char *const rule[RULES] = { "threshold 128", "threshold mean", "threshold scaled" };
    double accuracy[RULES];
    int best = 0;
    bnn_layer_info first;
    if (t->rule || bnn_network_get_layer(t->blank, 0, &first) != BNN_OK || first.input_bits != 1 || (!t->keep_out && !t->validation))
        return BNN_OK;
    for (int i = 0; i < RULES; i++) {
        const int rc = try_rule(t, rule[i], &accuracy[i], err);
        if (rc != BNN_OK)
            return rc;
        best = accuracy[i] > accuracy[best] ? i : best;
    }
    t->rule = rule[best];
    tool_print("input, in short runs:");
    for (int i = 0; i < RULES; i++)
        tool_print(" '%s' %.2f %%%s", rule[i], 100 * accuracy[i], i + 1 < RULES ? "," : "");
    tool_print("; it is '%s'\n", t->rule);
    fflush(stdout);
    bnn_network_close(t->blank);
    t->blank = NULL;
    return bnn_train_blank(&t->blank, t->topology, t->rule, err);
}

/* ----------------------------------------------------------------- train -- */

static int open_all(struct train *t, bnn_error *err)
{
    int rc = name_files(t, err);
    if (rc == BNN_OK)
        rc = read_names(t, err);
    if (rc == BNN_OK)
        rc = bnn_train_blank(&t->blank, t->topology, t->rule, err);
    if (rc == BNN_OK)
        rc = open_set(t, &t->set, t->path, err);
    if (rc == BNN_OK)
        rc = open_validation(t, err);
    if (rc == BNN_OK)
        rc = read_groups(t, err);
    if (rc == BNN_OK && t->teacher)
        rc = bnn_network_open(&t->teacher_net, t->teacher, NULL, err);
    if (rc == BNN_OK && t->init)
        rc = bnn_network_open(&t->init_net, t->init, NULL, err);
    if (rc == BNN_OK)
        rc = choose_rule(t, err);
    if (rc == BNN_OK && t->resume)
        rc = tool_curves_read(&t->curves, t->file[FILE_CSV], err);
    return rc;
}

static void print_result(const struct train *t, const bnn_train_comparison *c, double seconds)
{
    if (c->images)
        tool_print("float graph and integer network: %llu of %llu labels and %llu of %llu values differ\n",
                   (unsigned long long)c->differing, (unsigned long long)c->images, (unsigned long long)c->differing_values,
                   (unsigned long long)c->values);
    tool_print("%s: %s (%.0f s)\n", t->out, bnn_network_text(t->best, "recipe"), seconds);
}

static int train(struct train *t, bnn_error *err)
{
    bnn_train_comparison comparison = { 0 };
    bnn_train_options o = options_of(t);
    const double started = tool_seconds();
    o.checkpoint = t->file[FILE_CHECKPOINT];
    o.resume     = t->resume;
    o.comparison = &comparison;
    o.progress   = on_progress;
    o.user       = t;
    t->err = err;
    t->bar = tool_progress_start("train");
    int rc = bnn_train(&t->best, &t->last, t->blank, t->set, t->validation, &o, err);
    tool_progress_end(&t->bar);
    if (t->rc != BNN_OK)
        return t->rc;
    if (rc == BNN_ECANCEL)
        return tool_fail(err, rc, "%s; the same command with --resume goes on", "stopped");
    if (rc == BNN_OK)
        rc = bnn_network_save(t->best, t->out, err);
    if (rc == BNN_OK)
        rc = bnn_network_save(t->last, t->file[FILE_LAST], err);
    if (rc == BNN_OK)
        print_result(t, &comparison, tool_seconds() - started);
    return rc;
}

static void close_all(struct train *t)
{
    bnn_network_close(t->blank);
    bnn_network_close(t->teacher_net);
    bnn_network_close(t->init_net);
    bnn_network_close(t->best);
    bnn_network_close(t->last);
    bnn_dataset_close(t->set);
    bnn_dataset_close(t->validation);
    tool_curves_free(&t->curves);
    free(t->names_text);
    free(t->group);
    for (int i = 0; i < 4; i++)
        free(t->file[i]);
}

static int check(const struct train *t, const tool_line *line, bnn_error *err)
{
    if (!t->topology || !t->path || !t->out)
        return tool_fail(err, TOOL_USAGE, "no %s; expected --topology T --data D --out F",
                         !t->topology ? "--topology" : !t->path ? "--data" : "--out");
    return tool_expect(line, 0, 0, "arguments", err);
}

static int run(tool_line *line, bnn_error *err)
{
    bnn_train_options d;
    bnn_train_options_default(&d);
    struct train t = { .epochs = d.epochs, .batch = d.batch, .seed = (uint32_t)d.seed, .rate = d.learning_rate, .share = d.teacher_share };
    bnn_dataset_options_default(&t.data);
    const tool_option options[] = {
        OPTION_TEXT(0, "topology", "T", &t.topology, "topology: name, or file"),
        OPTION_TEXT(0, "data", "D", &t.path, "training set: folder per class, IDX file, records, or a folder of those"),
        OPTION_TEXT(0, "val", "N|DATASET", &t.val, "images kept out to validate with, or a data set (default: a fifth, at most 10000)"),
        OPTION_TEXT(0, "groups", "FILE", &t.groups, "a line an image; images of equal lines are kept out together"),
        OPTION_TEXT('o', "out", "F", &t.out, "network file; beside it come .csv, .svg, .checkpoint, .last.safetensors"),
        OPTION_NUMBER(0, "epochs", "N", &t.epochs, 1, 100000, "passes over the training set (default 40)"),
        OPTION_NUMBER(0, "batch", "N", &t.batch, 2, 65536, "images a step (default 256, fewer of small sets)"),
        OPTION_REAL(0, "lr", "R", &t.rate, 1e-6, 1, "learning rate at the start, falling to 0 (default 0.02)"),
        OPTION_TEXT(0, "augment", "WORDS", &t.augment, "none, shift=N, rotate=DEGREES, scale=PERCENT, flip, light=PERCENT (default shift=1)"),
        OPTION_REAL(0, "dropout", "P", &t.dropout, 0, 0.9, "share of hidden values that a step leaves to chance (default 0)"),
        OPTION_TEXT(0, "rule", "WORDS", &t.rule, "input rule, such as \"threshold mean\" (default: tried out)"),
        OPTION_TEXT(0, "names", "FILE", &t.names, "names of the classes, one a line (default: those of the folders)"),
        OPTION_NUMBER(0, "seed", "N", &t.seed, 0, 4294967295.0, "the same seed gives the same network (default 1)"),
        OPTION_NUMBER(0, "threads", "N", &t.threads, 0, 1024, "worker threads; 0 = one per core (default)"),
        OPTION_TEXT(0, "init", "NET", &t.init, "network whose weights are the start, in layers of the same shape"),
        OPTION_TEXT(0, "teacher", "NET", &t.teacher, "network to learn from beside the labels"),
        OPTION_REAL(0, "share", "R", &t.share, 0, 1, "the teacher's weight beside the labels' (default 0.5)"),
        OPTION_TEXT(0, "maths", "NAME", &t.maths, "int6, onednn-bf16, onednn-f32 or openblas-f32 (default: the first that works)"),
        OPTION_FLAG(0, "resume", &t.resume, "go on from the checkpoint beside --out"),
        OPTIONS_DATA(&t), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = check(&t, line, err);
    if (rc != BNN_OK)
        return rc;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    rc = open_all(&t, err);
    if (rc == BNN_OK)
        rc = train(&t, err);
    close_all(&t);
    return rc;
}

const tool_command tool_train = {
    "train", "--topology T --data D --out F", "train a network on your own pictures",
    "Trains the weights of a topology on labelled pictures and writes the network of\n"
    "the epoch that did best on pictures kept out. Its integer thresholds give the\n"
    "same answers as the floats that were trained. Ctrl-C stops with a checkpoint,\n"
    "from which --resume goes on to the same network, bit for bit.",
    run
};
