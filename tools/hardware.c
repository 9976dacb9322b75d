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
    if (strcmp(word, "stall") == 0)
        return set_number(&o->overlay_stall, value, word, err);
    if (strcmp(word, "seed") == 0)
        return set_number(&o->overlay_seed, value, word, err);
    return tool_fail(err, TOOL_USAGE, "setting \"%s\" of option --overlay; expected folding, object, board, root, load, stall, seed or waves", word);
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

int tool_hardware_prepare(tool_hardware *h, const char *settings, const bnn_network *net, bnn_options *o, bnn_error *err)
{
    *h = (tool_hardware){ 0 };
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

void tool_hardware_report(const bnn_stats *s, double mhz)
{
    if (strcmp(s->backend, "overlay") != 0)
        return;
    tool_print("overlay (%s): %llu cycles; first result after %llu", s->kernels, (unsigned long long)s->cycles, (unsigned long long)s->latency_cycles);
    if (s->interval_cycles > 0)
        tool_print(", then one every %.2f: %.0f images/s at %.0f MHz", s->interval_cycles, mhz * 1e6 / s->interval_cycles, mhz);
    tool_print("\n%llu cycles without input, %llu with output waiting\n", (unsigned long long)s->starved_cycles, (unsigned long long)s->waiting_cycles);
}
