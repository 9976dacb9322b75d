/* hardware.c -- settings of --overlay, the cache, a built overlay for a network. */
#include "hardware.h"
#include "output.h"

#include <bnn/overlay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tool_cache(char *out, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache)
        snprintf(out, size, "%s/bnn", cache);
    else
        snprintf(out, size, "%s/.cache/bnn", home && *home ? home : "/tmp");
}

static int set_text(char *out, size_t size, const char *value, const char *word, bnn_error *err)
{
    if (strlen(value) >= size)
        return tool_fail(err, TOOL_USAGE, "setting %s of option --overlay: %zu characters; expected fewer than %zu", word, strlen(value), size);
    strcpy(out, value);
    return BNN_OK;
}

static int set_number(uint32_t *out, const char *value, const char *word, bnn_error *err)
{
    char *end;
    const unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || n > UINT32_MAX)
        return tool_fail(err, TOOL_USAGE, "setting %s=%s of option --overlay; expected a number", word, value);
    *out = (uint32_t)n;
    return BNN_OK;
}

static int set_clock(double *out, const char *value, bnn_error *err)
{
    char *end;
    *out = strtod(value, &end);
    if (*value < '0' || *value > '9' || *end || !(*out > 0 && *out <= 2000))
        return tool_fail(err, TOOL_USAGE, "setting clock=%s of option --overlay; expected MHz, up to 2000", value);
    return BNN_OK;
}

static int set(tool_hardware *h, bnn_options *o, char *word, bnn_error *err)
{
    const struct { const char *word; char *to; size_t size; } texts[] = {
        { "folding", h->folding, sizeof h->folding }, { "object", h->object, sizeof h->object }, { "root", h->root, sizeof h->root },
        { "load", h->load, sizeof h->load },          { "waves", h->waves, sizeof h->waves },
    };
    char *equals = strchr(word, '=');
    const char *value = equals ? equals + 1 : "";
    if (equals)
        *equals = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(word, texts[i].word) == 0)
            return set_text(texts[i].to, texts[i].size, value, word, err);
    if (strcmp(word, "board") == 0)
        return set_text(h->object, sizeof h->object, "uio", word, err);
    if (strcmp(word, "clock") == 0)
        return set_clock(&h->clock, value, err);
    if (strcmp(word, "stall") == 0)
        return set_number(&o->overlay_stall, value, word, err);
    if (strcmp(word, "seed") == 0)
        return set_number(&o->overlay_seed, value, word, err);
    return tool_fail(err, TOOL_USAGE, "setting \"%s\" of option --overlay; expected folding, object, board, root, load, stall, seed, clock or waves", word);
}

static int read_settings(tool_hardware *h, bnn_options *o, const char *settings, bnn_error *err)
{
    char text[8192], *rest = text;
    if (strlen(settings) >= sizeof text)
        return tool_fail(err, TOOL_USAGE, "option --overlay: more than %zu characters", sizeof text);
    strcpy(text, settings);
    int rc = BNN_OK;
    for (char *word; rc == BNN_OK && (word = strsep(&rest, ","));)
        rc = set(h, o, word, err);
    return rc;
}

int tool_hardware_asked(const tool_common *c)
{
    return c->run.backend ? strcmp(c->run.backend, "overlay") == 0 : c->overlay != NULL;
}

int tool_hardware_prepare(tool_hardware *h, const char *settings, const bnn_network *net, bnn_options *o, bnn_error *err)
{
    *h = (tool_hardware){ .clock = 100 };
    if (settings && !o->backend)
        o->backend = "overlay";
    int rc = settings ? read_settings(h, o, settings, err) : BNN_OK;
    if (rc != BNN_OK || !o->backend || strcmp(o->backend, "overlay") != 0)
        return rc;
    if (!*h->object) {
        char cache[2048];
        bnn_overlay *overlay;
        tool_cache(cache, sizeof cache);
        rc = bnn_overlay_open_network(&overlay, net, *h->folding ? h->folding : NULL, NULL, err);
        if (rc != BNN_OK)
            return rc;
        rc = bnn_overlay_build(overlay, cache, *h->waves != 0, h->object, sizeof h->object, err);
        bnn_overlay_close(overlay);
    }
    o->overlay       = h->object;
    o->overlay_root  = *h->root ? h->root : NULL;
    o->overlay_load  = *h->load ? h->load : NULL;
    o->overlay_waves = *h->waves ? h->waves : NULL;
    return rc;
}

/* --------------------------------------------------------------- report -- */

static int get_stats(bnn_stats *s, const bnn_runtime *runtime)
{
    bnn_runtime_get_stats(runtime, s);
    return strcmp(s->backend, "overlay") == 0;
}

static double images_per_second(const tool_hardware *h, const bnn_stats *s)
{
    return s->interval_cycles > 0 ? h->clock * 1e6 / s->interval_cycles : 0;
}

int tool_hardware_text(const tool_hardware *h, const bnn_runtime *runtime, char *out, size_t size)
{
    bnn_stats s;
    char rate[128] = "";
    if (!get_stats(&s, runtime))
        return 0;
    if (s.interval_cycles > 0)
        snprintf(rate, sizeof rate, ", then one every %.2f: %.0f images/s at %g MHz", s.interval_cycles, images_per_second(h, &s), h->clock);
    snprintf(out, size, "overlay (%s): %llu cycles; first result after %llu%s\n%llu cycles without input, %llu with output waiting\n",
             s.kernels, (unsigned long long)s.cycles, (unsigned long long)s.latency_cycles, rate,
             (unsigned long long)s.starved_cycles, (unsigned long long)s.waiting_cycles);
    return 1;
}

json_t *tool_hardware_json(const tool_hardware *h, const bnn_runtime *runtime)
{
    bnn_stats s;
    if (!get_stats(&s, runtime))
        return NULL;
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:I, s:I}", "platform", s.kernels, "cycles", (json_int_t)s.cycles, "latency_cycles",
                     (json_int_t)s.latency_cycles, "interval_cycles", s.interval_cycles, "clock_mhz", h->clock, "images_per_second",
                     images_per_second(h, &s), "starved_cycles", (json_int_t)s.starved_cycles, "waiting_cycles", (json_int_t)s.waiting_cycles);
}
