/* info.c -- `bnn info`: the networks that ship, the inside of one, the kernels of this machine. */
#include "open.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct info {
    tool_common common;
    const char *format;
    int         cpu;
};

/* ------------------------------------------------------------- shapes -- */

typedef struct text { char at[48]; } text;

static text shape_text(bnn_shape s)
{
    text t;
    snprintf(t.at, sizeof t.at, "%ux%ux%u", s.height, s.width, s.channels);
    return t;
}

static json_t *shape_json(bnn_shape s)
{
    return json_pack("[i,i,i]", (int)s.height, (int)s.width, (int)s.channels);
}

/* "2.9 M": three digits or so of a count. */
static text count_text(uint64_t n)
{
    static const char *const unit[] = { "", " k", " M", " G", " T", " P", " E" };
    double x = (double)n;
    int u = 0;
    text t;
    for (; x >= 1000; x /= 1000)
        u++;
    snprintf(t.at, sizeof t.at, "%.*f%s", u && x < 100 ? 1 : 0, x, unit[u]);
    return t;
}

static text bits_text(uint32_t bits)
{
    text t;
    snprintf(t.at, sizeof t.at, "%s", bits == 32 ? "scores" : bits == 2 ? "ternary" : "1 bit");
    return t;
}

/* --------------------------------------------------------- one network -- */

static void print_key(const char *key)
{
    tool_print_name(key);
    tool_print("%*s", strlen(key) < 12 ? 13 - (int)strlen(key) : 1, "");
}

static void print_text_lines(const char *name, const char *value)
{
    while (*value) {
        const size_t n = strcspn(value, "\n");
        print_key(name);
        tool_print_text(value, n);
        tool_print("\n");
        value += n + (value[n] == '\n');
        name = "";
    }
}

static void print_head(const tool_session *s)
{
    const bnn_network_info *i = &s->info;
    tool_print("%-12s %s\n", "input", shape_text(i->input).at);
    print_text_lines("input rule", bnn_network_text(s->network, "input"));
    tool_print("%-12s %u of %u rows, label by %s\n", "classes", i->classes, i->rows, i->decode);
    tool_print("%-12s %s bits\n", "weights", count_text(i->weight_bits).at);
    tool_print("%-12s %s an image\n", "operations", count_text(i->ops).at);
    if (i->file_version)
        tool_print("%-12s network file, version %u\n", "format", i->file_version);
    else
        tool_print("%-12s BNN-PYNQ folder\n", "format");
    tool_print("%-12s %016" PRIx64 "\n", "checksum", i->checksum);
}

static void print_layer(uint32_t index, const bnn_layer_info *l)
{
    text kind, weights = { "-" }, MW = { "-" }, MH = { "-" }, thresholds = { "-" };
    if (l->kernel)
        snprintf(kind.at, sizeof kind.at, "%s %ux%u", l->kind, l->kernel, l->kernel);
    else
        snprintf(kind.at, sizeof kind.at, "%s", l->kind);
    if (l->MH) {
        snprintf(weights.at, sizeof weights.at, "%u bit%s", l->weight_bits, l->weight_bits == 1 ? "" : "s");
        snprintf(MW.at, sizeof MW.at, "%u", l->MW);
        snprintf(MH.at, sizeof MH.at, "%u", l->MH);
        snprintf(thresholds.at, sizeof thresholds.at, "%u", l->thresholds * l->MH);
    }
    tool_print("%5u  %-11s  %-11s  %-11s  %-8s  %6s  %5s  %-7s  %10s  %10s\n", index, kind.at, shape_text(l->input).at,
               shape_text(l->output).at, bits_text(l->output_bits).at, MW.at, MH.at, weights.at, thresholds.at,
               l->ops ? count_text(l->ops).at : "-");
}

static void print_layers(const tool_session *s)
{
    bnn_layer_info l;
    tool_print("\n%5s  %-11s  %-11s  %-11s  %-8s  %6s  %5s  %-7s  %10s  %10s\n", "layer", "kind", "input", "output", "values", "MW", "MH",
               "weights", "thresholds", "operations");
    for (uint32_t i = 0; bnn_network_get_layer(s->network, i, &l) == BNN_OK; i++)
        print_layer(i, &l);
}

static void print_names(const tool_session *s)
{
    if (!*bnn_network_class_name(s->network, 0))
        return;
    tool_print("\n");
    for (uint32_t c = 0; c < s->info.classes; c++) {
        tool_print("class %-6u ", c);
        tool_print_name(bnn_network_class_name(s->network, c));
        tool_print("\n");
    }
}

static void print_provenance(const tool_session *s)
{
    const char *key;
    for (size_t i = 0; (key = bnn_network_key(s->network, i)) != NULL; i++) {
        if (i == 0)
            tool_print("\n");
        print_text_lines(key, bnn_network_text(s->network, key));
    }
}

static json_t *layers_json(const tool_session *s)
{
    bnn_layer_info l;
    json_t *layers = json_array();
    for (uint32_t i = 0; bnn_network_get_layer(s->network, i, &l) == BNN_OK; i++)
        json_array_append_new(layers, json_pack("{s:s, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}",
            "kind", l.kind, "input", shape_json(l.input), "output", shape_json(l.output), "kernel", (int)l.kernel,
            "MW", (int)l.MW, "MH", (int)l.MH, "weight_bits", (int)l.weight_bits, "input_bits", (int)l.input_bits,
            "output_bits", (int)l.output_bits, "thresholds", (int)l.thresholds, "ops", (json_int_t)l.ops));
    return layers;
}

static json_t *network_json(const tool_session *s, const char *name)
{
    const bnn_network_info *i = &s->info;
    char checksum[17];
    const char *key;
    json_t *names = json_array(), *provenance = json_object();
    for (uint32_t c = 0; c < i->classes; c++)
        json_array_append_new(names, tool_json_text(bnn_network_class_name(s->network, c)));
    for (size_t k = 0; (key = bnn_network_key(s->network, k)) != NULL; k++)
        json_object_set_new(provenance, key, tool_json_text(bnn_network_text(s->network, key)));
    snprintf(checksum, sizeof checksum, "%016" PRIx64, i->checksum);
    return json_pack("{s:o, s:o, s:i, s:o, s:i, s:b, s:I, s:I, s:i, s:s, s:s, s:s, s:s, s:o, s:o}",
        "network", tool_json_text(name), "input", shape_json(i->input), "classes", (int)i->classes, "class_names", names,
        "rows", (int)i->rows, "ends_in_bits", i->ends_in_bits, "weight_bits", (json_int_t)i->weight_bits,
        "ops", (json_int_t)i->ops, "file_version", (int)i->file_version, "checksum", checksum, "decode", i->decode,
        "topology", bnn_network_text(s->network, "topology"), "input_rule", bnn_network_text(s->network, "input"),
        "provenance", provenance, "layers", layers_json(s));
}

static int show_network(const struct info *f, json_t *out, bnn_error *err)
{
    tool_session s = { 0 };
    const int rc = tool_open_network(&s, &f->common, err);
    if (rc == BNN_OK && out) {
        json_t *network = network_json(&s, f->common.network);
        json_object_update(out, network);
        json_decref(network);
    } else if (rc == BNN_OK) {
        print_key("network");
        tool_print_name(f->common.network);
        tool_print("\n");
        print_head(&s);
        print_layers(&s);
        print_names(&s);
        print_provenance(&s);
    }
    tool_close(&s);
    return rc;
}

/* ------------------------------------------------------- what ships -- */

static void show_shipped(const char *name, json_t *list)
{
    tool_session s = { 0 };
    tool_common  common = tool_common_default();
    bnn_error    err = { 0 };
    common.network = name;
    const int rc = tool_open_network(&s, &common, &err);
    if (list)
        json_array_append_new(list, rc == BNN_OK ? network_json(&s, name) : json_pack("{s:s, s:s}", "network", name, "error", err.message));
    else if (rc == BNN_OK)
        tool_print("  %-28s  %-9s  %7u  %12s  %10s\n", name, shape_text(s.info.input).at, s.info.classes,
                   count_text(s.info.weight_bits).at, count_text(s.info.ops).at);
    else
        tool_print("  %-28s  %s\n", name, err.message);
    tool_close(&s);
}

static int show_networks(json_t *list, bnn_error *err)
{
    bnn_catalog *catalog;
    const char *name;
    const int rc = bnn_catalog_open(&catalog, "networks", err);
    if (rc != BNN_OK)
        return rc;
    if (!list)
        tool_print("networks (bnn classify -n NAME FILE...)\n  %-28s  %-9s  %7s  %12s  %10s\n", "name", "input", "classes", "weight bits", "operations");
    for (size_t i = 0; (name = bnn_catalog_name(catalog, i)) != NULL; i++)
        show_shipped(name, list);
    if (!list && !bnn_catalog_name(catalog, 0))
        tool_print("  none found\n");
    bnn_catalog_close(catalog);
    return BNN_OK;
}

static int show_topologies(json_t *list, bnn_error *err)
{
    bnn_catalog *catalog;
    const char *name;
    const int rc = bnn_catalog_open(&catalog, "topologies", err);
    if (rc != BNN_OK)
        return rc;
    if (!list)
        tool_print("\ntopologies\n");
    for (size_t i = 0; (name = bnn_catalog_name(catalog, i)) != NULL; i++) {
        if (list)
            json_array_append_new(list, json_string(name));
        else
            tool_print("  %-28s  %s\n", name, bnn_catalog_path(catalog, i));
    }
    bnn_catalog_close(catalog);
    return BNN_OK;
}

static int show_catalog(json_t *out, bnn_error *err)
{
    json_t *networks = out ? json_array() : NULL, *topologies = out ? json_array() : NULL;
    int rc = show_networks(networks, err);
    if (rc == BNN_OK)
        rc = show_topologies(topologies, err);
    if (out) {
        json_object_set_new(out, "networks", networks);
        json_object_set_new(out, "topologies", topologies);
    }
    return rc;
}

/* --------------------------------------------------------------- CPU -- */

/* What `--cpu auto` takes: the network's runtime knows; without a network, the
 * strongest usable level. */
static int level_in_use(const struct info *f, text *out, bnn_error *err)
{
    bnn_backend_info level;
    for (size_t i = 0; bnn_cpu_level_at(i, &level) == BNN_OK; i++)
        if (!level.missing)
            snprintf(out->at, sizeof out->at, "%s", level.name);
    if (!f->common.network)
        return BNN_OK;
    tool_session s = { 0 };
    tool_common common = f->common;
    common.run.backend = "cpu";
    int rc = tool_open_network(&s, &common, err);
    if (rc == BNN_OK)
        rc = tool_open_runtime(&s, &common, err);
    if (rc == BNN_OK) {
        bnn_stats stats;
        bnn_runtime_get_stats(s.runtime, &stats);
        snprintf(out->at, sizeof out->at, "%s", stats.kernels);
    }
    tool_close(&s);
    return rc;
}

static int show_cpu(const struct info *f, json_t *out, bnn_error *err)
{
    bnn_backend_info level;
    text used = { "" };
    const int rc = level_in_use(f, &used, err);
    if (rc != BNN_OK)
        return rc;
    json_t *levels = out ? json_array() : NULL;
    if (!out)
        tool_print("kernels (--cpu LEVEL), weakest first\n");
    for (size_t i = 0; bnn_cpu_level_at(i, &level) == BNN_OK; i++) {
        if (out)
            json_array_append_new(levels, json_pack("{s:s, s:s, s:s?}", "name", level.name, "summary", level.summary, "missing", level.missing));
        else
            tool_print("  %-10s %s: %s\n", level.name, level.summary, level.missing ? level.missing : "usable");
    }
    if (out)
        json_object_set_new(out, "cpu", json_pack("{s:o, s:s}", "levels", levels, "used", used.at));
    else
        tool_print("used: %s, %s\n", used.at, f->common.network ? "chosen for this network" : "the strongest that is usable here");
    return BNN_OK;
}

/* --------------------------------------------------------------- run -- */

static int show(const struct info *f, json_t *out, bnn_error *err)
{
    int rc = BNN_OK;
    if (f->common.network)
        rc = show_network(f, out, err);
    else if (!f->cpu)
        rc = show_catalog(out, err);
    if (rc == BNN_OK && f->cpu && f->common.network && !out)
        tool_print("\n");
    return rc == BNN_OK && f->cpu ? show_cpu(f, out, err) : rc;
}

static int run(tool_line *line, bnn_error *err)
{
    struct info f = { .common = tool_common_default(), .format = "text" };
    const tool_option options[] = {
        OPTION_FLAG(0, "cpu", &f.cpu, "the kernel levels of this machine, and which is used"),
        OPTION_CHOICE(0, "format", "text|json", &f.format, "how it is printed (default text)"),
        OPTIONS_NETWORK(&f.common), OPTIONS_END
    };
    int rc = tool_parse(line, options, err);
    if (rc == BNN_OK && line->argc > 0)
        rc = tool_take_network(line, &f.common, err);
    if (rc == BNN_OK)
        rc = tool_expect(line, 0, 0, "at most one network", err);
    if (rc != BNN_OK)
        return rc;
    json_t *out = *f.format == 'j' ? json_object() : NULL;
    rc = show(&f, out, err);
    if (rc == BNN_OK && out)
        tool_print_json(out, JSON_INDENT(2));
    else
        json_decref(out);
    return rc;
}

const tool_command tool_info = {
    "info", "[NET]", "list what ships, or show the inside of a network",
    "Without a network, lists the networks and topologies that ship. With one, shows its\n"
    "layers, input rule, classes, provenance and checksum.",
    run
};
