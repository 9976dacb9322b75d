/* verify.c -- `bnn verify`: every backend and kernel level against the scalar kernels, layer by layer.
 *
 * The reference sees one image at a time on one thread; the others see them in
 * blocks and whole batches, so that a fault of batching shows too. Layers are
 * walked from the input on, all images of a layer before the next: the first
 * difference named is the earliest place where the arithmetic parts.
 */
#include "open.h"
#include "output.h"

#include <bnn/train.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CANDIDATES = 32, BLOCK = 8 /* images traced at a time */ };

struct candidate {
    char         name[64]; /* "cpu avx2" */
    bnn_runtime *runtime;
    char         found[256]; /* first difference; "" = none */
};

struct verify {
    tool_common      common;
    tool_session     session;   /* its runtime is the reference */
    tool_hardware    hardware;
    uint32_t         seed, count;
    const char      *against;   /* checkpoint of the training that made the network */
    uint8_t         *images;
    int32_t         *expected, *given; /* [BLOCK][values of a layer], or [count][rows] */
    uint16_t        *labels[2]; /* [count]: expected, given */
    struct candidate candidate[MOST_CANDIDATES];
    size_t           candidates;
    tool_progress    progress;
};

static size_t values_of(bnn_shape s)
{
    return (size_t)s.height * s.width * s.channels;
}

/* ------------------------------------------------------------ images -- */

/* splitmix64: every seed gives a good stream. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Structured kinds first: they meet extremes, ties and borders that noise does not. */
static uint8_t pixel(uint32_t kind, uint32_t image, bnn_shape s, size_t i, uint64_t *random)
{
    const uint32_t x = (uint32_t)(i / s.channels % s.width), y = (uint32_t)(i / s.channels / s.width);
    const uint64_t r = next_random(random);
    switch (kind) {
    case 0: return 0;
    case 1: return 255;
    case 2: return (uint8_t)(127 + (i + image) % 2);                /* both sides of the middle */
    case 3: return (x + y) % 2 ? 255 : 0;                           /* chequers */
    case 4: return (uint8_t)(255 * x / (s.width > 1 ? s.width - 1 : 1)); /* a ramp across */
    case 5: return y / 2 % 2 ? 255 : 0;                             /* stripes */
    case 6: return i % s.channels == image % s.channels ? 255 : 0;  /* one channel */
    case 7: return i == (size_t)image * 37 % values_of(s) ? 255 : 0; /* one value */
    case 8: return r % 16 ? 0 : 255;                                /* sparse */
    case 9: return r % 2 ? 255 : 0;
    default: return (uint8_t)r;
    }
}

static void draw_images(struct verify *v)
{
    enum { STRUCTURED = 10, CYCLE = 16 }; /* six of sixteen are plain noise */
    const bnn_shape s = v->session.info.input;
    uint64_t random = v->seed;
    uint8_t *out = v->images;
    for (uint32_t image = 0; image < v->count; image++)
        for (size_t i = 0; i < values_of(s); i++)
            *out++ = pixel(image % CYCLE < STRUCTURED ? image % CYCLE : STRUCTURED, image, s, i, &random);
}

/* -------------------------------------------------------- candidates -- */

static int add_candidate(struct verify *v, const char *backend, const char *level, const char *missing, bnn_error *err)
{
    struct candidate *c = &v->candidate[v->candidates];
    bnn_options options = v->common.run;
    snprintf(c->name, sizeof c->name, "%s%s%s", backend, level ? " " : "", level ? level : "");
    const int asked = v->common.run.backend || (v->common.run.cpu && level);
    if (missing && !asked) {
        tool_print("%-16s skipped: %s\n", c->name, missing);
        return BNN_OK;
    }
    options.backend = backend;
    options.cpu     = level;
    int rc = tool_hardware_prepare(&v->hardware, level ? NULL : v->common.overlay, v->session.network, &options, err);
    if (rc == BNN_OK)
        rc = bnn_runtime_open(&c->runtime, v->session.network, &options, err);
    v->candidates += rc == BNN_OK;
    return rc;
}

static int wanted(const char *asked, const char *name)
{
    return !asked || strcmp(asked, name) == 0;
}

static int add_levels(struct verify *v, bnn_error *err)
{
    bnn_backend_info level;
    const char *asked = v->common.run.cpu;
    int rc = BNN_OK;
    if (asked && strcmp(asked, "auto") == 0)
        return add_candidate(v, "cpu", "auto", NULL, err);
    for (size_t i = 0; rc == BNN_OK && v->candidates < MOST_CANDIDATES && bnn_cpu_level_at(i, &level) == BNN_OK; i++)
        if (wanted(asked, level.name))
            rc = add_candidate(v, "cpu", level.name, level.missing, err);
    return rc;
}

static int add_candidates(struct verify *v, bnn_error *err)
{
    bnn_backend_info backend;
    const bnn_options *asked = &v->common.run;
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && v->candidates < MOST_CANDIDATES && bnn_backend_at(i, &backend) == BNN_OK; i++) {
        const int cpu = strcmp(backend.name, "cpu") == 0;
        if (!wanted(asked->backend, backend.name) || (asked->cpu && !cpu))
            continue;
        if (!cpu && !tool_hardware_asked(&v->common)) {
            tool_print("%-16s skipped: has to be built first, which takes some tens of seconds; --backend %s does it\n", backend.name, backend.name);
            continue;
        }
        rc = cpu ? add_levels(v, err) : add_candidate(v, backend.name, NULL, backend.missing, err);
    }
    return rc;
}

static size_t without_difference(const struct verify *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->candidates; i++)
        n += v->candidate[i].found[0] == '\0';
    return n;
}

/* ------------------------------------------------------------ layers -- */

static void describe_layer(const struct verify *v, uint32_t layer, bnn_shape *out, char *name, size_t size)
{
    bnn_layer_info l;
    *out = v->session.info.input;
    snprintf(name, size, "the packed input");
    if (layer == UINT32_MAX || bnn_network_get_layer(v->session.network, layer, &l) != BNN_OK)
        return;
    *out = l.output;
    if (l.kernel)
        snprintf(name, size, "layer %u (%s %ux%u)", layer, l.kind, l.kernel, l.kernel);
    else
        snprintf(name, size, "layer %u (%s)", layer, l.kind);
}

static void note_difference(const struct verify *v, struct candidate *c, uint32_t layer, size_t image, size_t at)
{
    bnn_shape s;
    char name[64];
    describe_layer(v, layer, &s, name, sizeof name);
    const size_t i = at % values_of(s);
    snprintf(c->found, sizeof c->found, "%s, neuron (y %zu, x %zu, channel %zu), image %zu: %d; expected %d", name,
             i / s.channels / s.width, i / s.channels % s.width, i % s.channels, image, v->given[at], v->expected[at]);
}

static int trace(const struct verify *v, bnn_runtime *r, size_t first, size_t count, uint32_t layer, int32_t *out, bnn_error *err)
{
    bnn_shape s;
    char name[64];
    describe_layer(v, layer, &s, name, sizeof name);
    return bnn_trace(r, v->images + first * values_of(v->session.info.input), count, layer, out, count * values_of(s) * sizeof *out, err);
}

/* Images first .. first + count - 1 of one layer, on every candidate that was right so far. */
static int compare_block(struct verify *v, uint32_t layer, size_t first, size_t count, bnn_error *err)
{
    bnn_shape s;
    char name[64];
    describe_layer(v, layer, &s, name, sizeof name);
    const size_t values = values_of(s);
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < count; i++)
        rc = trace(v, v->session.runtime, first + i, 1, layer, v->expected + i * values, err);
    for (size_t j = 0; rc == BNN_OK && j < v->candidates; j++) {
        struct candidate *c = &v->candidate[j];
        if (c->found[0] || (rc = trace(v, c->runtime, first, count, layer, v->given, err)) != BNN_OK)
            continue;
        size_t at = 0;
        while (at < count * values && v->given[at] == v->expected[at])
            at++;
        if (at < count * values)
            note_difference(v, c, layer, first + at / values, at);
    }
    return rc;
}

static int compare_layers(struct verify *v, bnn_error *err)
{
    const uint32_t layers = v->session.info.layers;
    const uint64_t total = (uint64_t)(layers + 1) * v->count;
    for (uint32_t l = 0; l <= layers; l++)
        for (size_t first = 0; first < v->count && without_difference(v) > 0; first += BLOCK) {
            const size_t count = v->count - first < BLOCK ? v->count - first : BLOCK;
            const int rc = compare_block(v, l - 1, first, count, err); /* l - 1 of 0 is UINT32_MAX: the input */
            if (rc != BNN_OK)
                return rc;
            tool_progress_show(&v->progress, (uint64_t)l * v->count + first + count, total);
        }
    return BNN_OK;
}

/* ----------------------------------------------------------- batches -- */

static void compare_scores(const struct verify *v, struct candidate *c)
{
    const uint32_t rows = v->session.info.rows;
    for (size_t i = 0; i < v->count && !c->found[0]; i++) {
        const int32_t *given = v->given + i * rows, *expected = v->expected + i * rows;
        for (uint32_t r = 0; r < rows && !c->found[0]; r++)
            if (given[r] != expected[r])
                snprintf(c->found, sizeof c->found, "scores of a batch of %u, row %u, image %zu: %d; expected %d", v->count, r, i, given[r], expected[r]);
        if (!c->found[0] && v->labels[1][i] != v->labels[0][i])
            snprintf(c->found, sizeof c->found, "label of image %zu in a batch of %u: %u; expected %u", i, v->count, v->labels[1][i], v->labels[0][i]);
    }
}

/* All images in one call on each candidate; one by one on the reference. */
static int compare_batches(struct verify *v, bnn_error *err)
{
    const size_t image = values_of(v->session.info.input);
    int rc = BNN_OK;
    for (size_t i = 0; rc == BNN_OK && i < v->count; i++)
        rc = bnn_run(v->session.runtime, v->images + i * image, 1, v->expected + i * v->session.info.rows, v->labels[0] + i, err);
    for (size_t j = 0; rc == BNN_OK && j < v->candidates; j++) {
        struct candidate *c = &v->candidate[j];
        if (c->found[0])
            continue;
        rc = bnn_run(c->runtime, v->images, v->count, v->given, v->labels[1], err);
        if (rc == BNN_OK)
            compare_scores(v, c);
    }
    return rc;
}

/* --------------------------------------------------------------- run -- */

static int allocate(struct verify *v, bnn_error *err)
{
    size_t most = values_of(v->session.info.input) * BLOCK;
    bnn_layer_info l;
    for (uint32_t i = 0; bnn_network_get_layer(v->session.network, i, &l) == BNN_OK; i++)
        if (values_of(l.output) * BLOCK > most)
            most = values_of(l.output) * BLOCK;
    if ((size_t)v->count * v->session.info.rows > most)
        most = (size_t)v->count * v->session.info.rows;
    v->images    = malloc(v->count * values_of(v->session.info.input));
    v->expected  = malloc(most * sizeof *v->expected);
    v->given     = malloc(most * sizeof *v->given);
    v->labels[0] = malloc(v->count * sizeof *v->labels[0]);
    v->labels[1] = malloc(v->count * sizeof *v->labels[1]);
    if (v->images && v->expected && v->given && v->labels[0] && v->labels[1])
        return BNN_OK;
    return tool_fail(err, BNN_ENOMEM, "not enough memory for %u images", v->count);
}

/* The first images of the files, or drawn ones. */
static int get_images(struct verify *v, const tool_line *line, bnn_error *err)
{
    int rc = BNN_OK;
    if (line->argc > 0) {
        rc = tool_open_data(&v->session, &v->common, line->argv, line->argc, err);
        if (rc == BNN_OK && v->session.count < v->count)
            v->count = (uint32_t)v->session.count;
    }
    if (rc == BNN_OK)
        rc = allocate(v, err);
    if (rc == BNN_OK && line->argc > 0)
        return bnn_dataset_get(v->session.data, 0, v->count, v->images, NULL, err);
    if (rc == BNN_OK)
        draw_images(v);
    return rc;
}

static int open_reference(struct verify *v, bnn_error *err)
{
    tool_common scalar = v->common;
    scalar.run.backend = "cpu";
    scalar.run.cpu     = "scalar";
    scalar.run.threads = 1;
    scalar.overlay     = NULL;
    return tool_open_runtime(&v->session, &scalar, err);
}

static int report(struct verify *v, bnn_error *err)
{
    const struct candidate *wrong = NULL;
    for (size_t i = 0; i < v->candidates; i++) {
        const struct candidate *c = &v->candidate[i];
        tool_print("%-16s %s\n", c->name, c->found[0] ? "differs" : "equal in every layer, score and label");
        if (!wrong && c->found[0])
            wrong = c;
    }
    for (size_t i = 0; i < v->candidates; i++) {
        char hardware[400];
        if (tool_hardware_text(&v->hardware, v->candidate[i].runtime, hardware, sizeof hardware))
            tool_print("%s", hardware);
    }
    if (!wrong)
        return BNN_OK;
    return tool_fail(err, BNN_ECORRUPT, "%s on %s: %s", v->common.network, wrong->name, wrong->found);
}

/* --against: the network beside the float graph it was folded from. */
static int verify_against(struct verify *v, const tool_line *line, bnn_error *err)
{
    bnn_train_comparison c;
    int rc = line->argc > 0 ? BNN_OK : tool_fail(err, TOOL_USAGE, "no data set; expected NET --against CHECKPOINT DATASET...");
    if (rc == BNN_OK)
        rc = tool_open_network(&v->session, &v->common, err);
    if (rc == BNN_OK)
        rc = tool_open_data(&v->session, &v->common, line->argv, line->argc, err);
    if (rc == BNN_OK)
        rc = bnn_train_compare(v->session.network, v->against, v->session.data, v->common.run.threads, &c, err);
    if (rc != BNN_OK)
        return rc;
    tool_print("%llu images: %llu labels and %llu of %llu values of layers differ from the float graph of %s\n",
               (unsigned long long)c.images, (unsigned long long)c.differing, (unsigned long long)c.differing_values,
               (unsigned long long)c.values, v->against);
    if (c.differing || c.differing_values)
        return tool_fail(err, BNN_ECORRUPT, "%s: layer %u, neuron %u, image %llu is the first value that differs", v->common.network,
                         c.layer, c.neuron, (unsigned long long)c.image);
    return BNN_OK;
}

static int verify(struct verify *v, const tool_line *line, bnn_error *err)
{
    int rc = tool_open_network(&v->session, &v->common, err);
    if (rc == BNN_OK)
        rc = tool_check_runtime(&v->common, err);
    if (rc == BNN_OK)
        rc = get_images(v, line, err);
    if (rc == BNN_OK)
        rc = open_reference(v, err);
    if (rc != BNN_OK)
        return rc;
    if (line->argc > 0)
        tool_print("%u images of %s; reference: cpu scalar\n", v->count, line->argv[0]);
    else
        tool_print("seed %u: %u images, structured and random; reference: cpu scalar\n", v->seed, v->count);
    rc = add_candidates(v, err);
    v->progress = tool_progress_start("verify");
    if (rc == BNN_OK)
        rc = compare_layers(v, err);
    if (rc == BNN_OK)
        rc = compare_batches(v, err);
    tool_progress_end(&v->progress);
    return rc == BNN_OK ? report(v, err) : rc;
}

static void free_all(struct verify *v)
{
    for (size_t i = 0; i < v->candidates; i++)
        bnn_runtime_close(v->candidate[i].runtime);
    tool_close(&v->session);
    free(v->images);
    free(v->expected);
    free(v->given);
    free(v->labels[0]);
    free(v->labels[1]);
}

static int run(tool_line *line, bnn_error *err)
{
    struct verify v = { .common = tool_common_default(), .seed = 1, .count = 64 };
    const tool_option options[] = {
        OPTION_NUMBER(0, "seed", "N", &v.seed, 0, UINT32_MAX, "of the drawn images (default 1)"),
        OPTION_TEXT(0, "against", "CHECKPOINT", &v.against, "compare with the float graph of `bnn train`'s checkpoint instead"),
        OPTION_NUMBER(0, "count", "N", &v.count, 1, 1000000, "images, or at most so many of FILE's (default 64)"),
        OPTIONS_NETWORK(&v.common), OPTIONS_RUNTIME(&v.common), OPTIONS_DATA(&v.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK)
        rc = tool_take_network(line, &v.common, err);
    if (rc != BNN_OK)
        return rc;
    rc = (v.against ? verify_against : verify)(&v, line, err);
    free_all(&v);
    return rc;
}

const tool_command tool_verify = {
    "verify", "NET [FILE...]", "compare every backend and kernel level with the scalar kernels",
    "Runs images through every backend and kernel level that this machine has, or the one\n"
    "that --backend or --cpu names, and compares each layer, the scores and the labels\n"
    "with the scalar kernels. The images are FILE's, or drawn from the seed. On a\n"
    "difference, names the first layer, neuron and image, and exits with status 1.",
    run
};
