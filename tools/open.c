/* open.c -- network, runtime, data set, chunks. */
#include "feeder.h"
#include "open.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int tool_open_network(tool_session *s, const tool_common *c, bnn_error *err)
{
    const int rc = bnn_network_open(&s->network, c->network, &c->open, err);
    if (rc == BNN_OK)
        bnn_network_get_info(s->network, &s->info);
    return rc;
}

typedef int walk_names(size_t index, bnn_backend_info *info);

/* `name` is one that the walk meets (usable here or not); NULL and `also` are fine. */
static int check_name(const char *name, const char *option, const char *also, walk_names *walk, bnn_error *err)
{
    char all[200];
    bnn_backend_info info;
    size_t used = (size_t)snprintf(all, sizeof all, "%s", also);
    if (!name || (*also && strcmp(name, also) == 0))
        return BNN_OK;
    for (size_t i = 0; walk(i, &info) == BNN_OK; i++) {
        if (strcmp(name, info.name) == 0)
            return BNN_OK;
        if (used < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? "|" : "", info.name);
    }
    return tool_fail(err, TOOL_USAGE, "invalid argument \"%s\" for option --%s; expected %s", name, option, all);
}

int tool_check_runtime(const tool_common *c, bnn_error *err)
{
    const int rc = check_name(c->run.backend, "backend", "", bnn_backend_at, err);
    if (rc == BNN_OK && c->overlay && !tool_hardware_asked(c))
        return tool_fail(err, TOOL_USAGE, "option --overlay with --backend %s; expected --backend overlay", c->run.backend);
    return rc == BNN_OK ? check_name(c->run.cpu, "cpu", "auto", bnn_cpu_level_at, err) : rc;
}

int tool_open_runtime(tool_session *s, const tool_common *c, bnn_error *err)
{
    bnn_options run = c->run;
    int rc = tool_check_runtime(c, err);
    if (rc == BNN_OK)
        rc = tool_hardware_prepare(&s->hardware, c->overlay, s->network, &run, err);
    if (rc == BNN_OK)
        rc = bnn_runtime_open(&s->runtime, s->network, &run, err);
    s->threads = c->run.threads;
    return rc == BNN_EINVAL ? TOOL_USAGE : rc; /* all that it takes comes from options */
}

/* Pictures that could not be read (--skip-bad), files that are none. */
static void warn_left_out(const bnn_dataset *set)
{
    enum { MOST = 10 };
    const char *line;
    size_t i = 0;
    for (; (line = bnn_dataset_left_out(set, i)) != NULL; i++)
        if (i < MOST)
            tool_warn("left out: %s", line);
    if (i > MOST)
        tool_warn("left out: %zu more", i - MOST);
}

int tool_open_data(tool_session *s, const tool_common *c, char *const *paths, int n_paths, bnn_error *err)
{
    bnn_dataset_options options = c->data;
    options.network = s->network;
    const int rc = bnn_dataset_open(&s->data, (const char *const *)paths, (size_t)n_paths, &options, err);
    if (rc != BNN_OK)
        return rc;
    s->count = bnn_dataset_count(s->data, NULL);
    warn_left_out(s->data);
    return BNN_OK;
}

void tool_close(tool_session *s)
{
    bnn_dataset_close(s->data);
    bnn_runtime_close(s->runtime);
    bnn_network_close(s->network);
}

static uint32_t find_class(const tool_session *s, const char *name)
{
    uint32_t i = 0;
    while (i < s->info.classes && strcasecmp(bnn_network_class_name(s->network, i), name) != 0)
        i++;
    return i;
}

int tool_match_classes(const tool_session *s, const tool_common *common, const char *path, uint32_t *class_of, bnn_error *err)
{
    const uint32_t classes = s->info.classes;
    const char *name, *stranger = NULL;
    uint32_t known = 0;
    for (uint32_t i = 0; i < classes; i++)
        class_of[i] = i;
    for (uint32_t i = 0; i < classes && (name = bnn_dataset_class_name(s->data, i)) != NULL; i++) {
        const uint32_t c = find_class(s, name);
        if (c < classes)
            known++;
        else
            stranger = name;
        class_of[i] = c < classes ? c : i;
    }
    if (known > 0 && stranger)
        return tool_fail(err, BNN_ESHAPE, "%s: class \"%s\"; expected the network's class names (bnn info %s)", path, stranger, common->network);
    return BNN_OK;
}

int tool_chunk_new(tool_chunk *k, const tool_session *s, bnn_error *err)
{
    enum { BYTES = 2 << 20, MOST = 4096, FIRST = 64 };
    const bnn_shape in = s->info.input;
    const size_t image = (size_t)in.height * in.width * in.channels;
    size_t capacity = BYTES / (image + s->info.rows * sizeof *k->scores) + 1;
    capacity = capacity < MOST ? capacity : MOST;
    *k = (tool_chunk){ .capacity = capacity, .size = capacity < FIRST ? capacity : FIRST };
    k->labels = malloc(capacity * sizeof *k->labels);
    k->scores = malloc(capacity * s->info.rows * sizeof *k->scores);
    if (!k->labels || !k->scores)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for %zu images", capacity);
    return tool_feeder_new(&k->feeder, s->data, capacity, image, s->threads, err);
}

/* Has the feeder read the next chunk, which begins at `first`. */
static void read_ahead(tool_chunk *k, const tool_session *s, size_t first)
{
    const size_t left = s->count - first;
    k->pending = left < k->size ? left : k->size;
    if (k->pending > 0)
        tool_feeder_start(k->feeder, first, k->pending);
}

int tool_chunk_next(tool_chunk *k, const tool_session *s, bnn_error *err)
{
    k->first += k->count;
    if (k->pending == 0)
        read_ahead(k, s, k->first);
    k->count = k->pending;
    if (k->count == 0)
        return BNN_OK;
    const double started = tool_seconds();
    int rc = tool_feeder_take(k->feeder, &k->images, &k->truth, err);
    k->waited += tool_seconds() - started;
    if (rc != BNN_OK) {
        k->pending = 0;
        return rc;
    }
    read_ahead(k, s, k->first + k->count);
    rc = bnn_run(s->runtime, k->images, k->count, k->scores, k->labels, err);
    if (tool_seconds() - started < 0.1 && 2 * k->size <= k->capacity)
        k->size *= 2;
    return rc;
}

void tool_chunk_free(tool_chunk *k)
{
    tool_feeder_free(k->feeder);
    free(k->labels);
    free(k->scores);
}
