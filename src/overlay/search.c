/* search.c -- the folding for a frame rate, or the fastest within a budget.
 *
 * Once the cycles of a frame, T, are fixed, layers are nearly independent:
 * each takes the cheapest PE x SIMD that needs at most T cycles. What ties
 * them are the two budgets, LUT and block RAM, and the converters between
 * neighbours. So for each T a path through the layers' cheapest candidates is
 * found by dynamic programming over cost = LUT + price x block, for a few
 * prices of a block, converters included; and T by bisection. PE and SIMD need
 * not divide: the matrix is padded, so only the least PE of each NF and the
 * least SIMD of each CF are candidates.
 */
#include "bnn/overlay.h"
#include "base/mem.h"
#include "base/text.h"
#include "overlay/cycles.h"
#include "overlay/resources.h"

#include <stdlib.h>
#include <string.h>

/* Budgets: 70 % of the LUTs and 90 % of the blocks, so that routing has room. */
static const struct device { const char *name; double lut; uint32_t bram18, port_bits; } devices[] = {
    { "xc7z020", 0.70 * 53200, 252, 64 },
    { "ecp5-85k", 0.70 * 83640 / 2.4, 187, 8 }, /* 2.4 of its LUT4s for a LUT of the model: measured, docs/overlay.md */
    { "ice40-hx8k", 0.70 * 7680, 16, 8 }, /* its 32 blocks of 4 kbit hold less than 16 of these would */
};

enum { KEEP = 24 }; /* candidates of a layer that are looked at together */

struct candidate { uint32_t pe, simd; bnn_resources own; double cost; };

struct layer_search { uint32_t count; struct candidate best[KEEP]; double total[KEEP]; uint32_t from[KEEP]; };

struct search {
    const bnn_topology  *topology;
    const struct device *device;
    struct layer_search *layer; /* [units] */
    uint32_t             index[BNN_MAX_LAYERS], units; /* topology layers with weights */
};

/* ----------------------------------------------------------- candidates -- */

static bool make_unit(bnn_unit *out, const struct search *s, uint32_t unit, uint32_t pe, uint32_t simd)
{
    bnn_units units;
    bnn_topology one = { .layers = 1, .layer = { s->topology->layer[s->index[unit]] } };
    bnn_folding f = { .layers = 1 };
    if (unit > 0 || s->index[unit] > 0) { /* not the first: a map keeps its pixels apart */
        one.layers = f.layers = 2;
        one.layer[1] = one.layer[0];
        f.layer[1]   = (bnn_fold){ .PE = pe, .SIMD = simd };
        one.layer[0] = (bnn_layer){ .kind = BNN_MAXPOOL };
    } else {
        f.layer[0] = (bnn_fold){ .PE = pe, .SIMD = simd };
    }
    if (bnn_units_set(&units, &one, &f, NULL) != BNN_OK)
        return false;
    *out = units.unit[0];
    return true;
}

/* Windows take their map, and pools what comes out, a word a cycle. */
static bool fits_rate(const struct search *s, uint32_t unit, const bnn_unit *u, uint64_t T)
{
    const bnn_layer *l = &s->topology->layer[s->index[unit]];
    const uint64_t in = l->kind == BNN_CONV ? (uint64_t)l->in.height * l->in.width * u->CF : 0;
    return bnn_unit_cycles(u) <= T && in <= T && u->vectors * u->NF <= T;
}

static void keep(struct layer_search *ls, const struct candidate *c)
{
    uint32_t at = ls->count < KEEP ? ls->count++ : KEEP;
    if (at == KEEP && c->cost >= ls->best[KEEP - 1].cost)
        return;
    at = at == KEEP ? KEEP - 1 : at;
    while (at > 0 && ls->best[at - 1].cost > c->cost) {
        ls->best[at] = ls->best[at - 1];
        at--;
    }
    ls->best[at] = *c;
}

/* The next number that gives fewer words of n. */
static uint32_t next_divider(uint32_t n, uint32_t by)
{
    const uint32_t words = bnn_words(n, by);
    return words == 1 ? n + 1 : bnn_words(n, words - 1);
}

static void find_candidates(struct search *s, uint32_t unit, uint64_t T, double price)
{
    struct layer_search *ls = &s->layer[unit];
    const bnn_layer *l = &s->topology->layer[s->index[unit]];
    bnn_unit u;
    ls->count = 0;
    if (!make_unit(&u, s, unit, 1, 1))
        return;
    const uint32_t channels = u.channels;
    for (uint32_t simd = 1; simd <= channels; simd = next_divider(channels, simd))
        for (uint32_t pe = 1; pe <= l->MH; pe = next_divider(l->MH, pe)) {
            if (!make_unit(&u, s, unit, pe, simd) || !fits_rate(s, unit, &u, T))
                continue;
            struct candidate c = { .pe = pe, .simd = simd, .own = bnn_unit_resources(&u, bnn_queue_least(&u, 0)) };
            c.cost = c.own.lut + price * c.own.bram18;
            keep(ls, &c);
            break; /* more PE only cost more */
        }
}

/* ----------------------------------------------------------------- path -- */

static double converter(const struct search *s, uint32_t unit, uint32_t a, uint32_t b)
{
    const bnn_layer *l = &s->topology->layer[s->index[unit]];
    const uint32_t lanes = l->kind == BNN_CONV || l->in.height * l->in.width > 1 ? l->in.channels : l->MW;
    const bnn_plan none = { 0 };
    const bnn_stage stage = { .kind = BNN_STAGE_DWC, .bits = l->input_bits, .a = a, .b = b, .lanes = lanes };
    return a == b ? 0 : bnn_stage_resources(&none, &stage).lut;
}

static bool find_path(struct search *s, bnn_folding *f)
{
    for (uint32_t i = 0; i < s->units; i++) {
        struct layer_search *ls = &s->layer[i], *before = i ? ls - 1 : NULL;
        if (ls->count == 0)
            return false;
        for (uint32_t k = 0; k < ls->count; k++) {
            double least = before ? 1e300 : converter(s, i, s->device->port_bits / s->topology->input_bits, ls->best[k].simd);
            for (uint32_t j = 0; before && j < before->count; j++) {
                const double total = before->total[j] + converter(s, i, before->best[j].pe, ls->best[k].simd);
                if (total < least) {
                    least       = total;
                    ls->from[k] = j;
                }
            }
            ls->total[k] = least + ls->best[k].cost;
        }
    }
    const struct layer_search *last = &s->layer[s->units - 1];
    uint32_t k = 0;
    for (uint32_t j = 1; j < last->count; j++)
        if (last->total[j] < last->total[k])
            k = j;
    for (uint32_t i = s->units; i-- > 0; k = s->layer[i].from[k])
        f->layer[s->index[i]] = (bnn_fold){ .PE = s->layer[i].best[k].pe, .SIMD = s->layer[i].best[k].simd };
    return true;
}

/* The cheapest folding at T that is within the budget; `over` tells what the least lacks. */
static bool try_cycles(struct search *s, uint64_t T, bnn_folding *out, bnn_resources *over)
{
    static const double prices[] = { 60, 0, 15, 120, 240, 480, 1000 };
    double least = 1e300;
    bool found = false;
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        bnn_folding f = { .layers = s->topology->layers };
        bnn_design design;
        bnn_plan plan;
        for (uint32_t u = 0; u < s->units; u++)
            find_candidates(s, u, T, prices[i]);
        if (!find_path(s, &f) || bnn_design_set(&design, s->topology, &f, s->device->port_bits, 0, NULL) != BNN_OK)
            return false;
        bnn_plan_make(&plan, &design);
        const bnn_resources r = bnn_plan_resources(&plan);
        const double share = r.lut / s->device->lut, blocks = (double)r.bram18 / s->device->bram18;
        const bool fits = share <= 1 && blocks <= 1;
        if (!found && !fits)
            *over = r;
        if (fits && share + blocks < least) {
            least = share + blocks;
            *out  = f;
            found = true;
        }
    }
    return found;
}

/* --------------------------------------------------------------- search -- */

static const struct device *find_device(const char *name)
{
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (!name || strcmp(devices[i].name, name) == 0)
            return &devices[i];
    return NULL;
}

static int fail_budget(const struct search *s, uint64_t T, const bnn_resources *r, bnn_error *err)
{
    return bnn_fail(err, BNN_ESHAPE, "no folding of %llu cycles a frame fits %s: the nearest takes %.0f LUT and %.1f BRAM36; expected at most %.0f and %.1f",
                    (unsigned long long)T, s->device->name, r->lut, r->bram18 / 2.0, s->device->lut, s->device->bram18 / 2.0);
}

/* The least T that fits; the budgets grow with speed, so halving the range finds it. */
static int fastest(struct search *s, bnn_folding *f, bnn_error *err)
{
    uint64_t low = 1, high = (uint64_t)1 << 40;
    bnn_resources over = { 0 };
    if (!try_cycles(s, high, f, &over))
        return fail_budget(s, high, &over, err);
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        bnn_folding trial;
        if (try_cycles(s, middle, &trial, &over)) {
            high = middle;
            *f   = trial;
        } else {
            low = middle + 1;
        }
    }
    return BNN_OK;
}

static int search(struct search *s, const bnn_overlay_target *target, bnn_folding *f, bnn_error *err)
{
    const double clock = target->clock_mhz > 0 ? target->clock_mhz : 100;
    if (target->images_per_second <= 0)
        return fastest(s, f, err);
    const uint64_t T = (uint64_t)(clock * 1e6 / target->images_per_second);
    bnn_resources over = { 0 };
    return T > 0 && try_cycles(s, T, f, &over) ? BNN_OK : fail_budget(s, T, &over, err);
}

int bnn_overlay_search(bnn_overlay **out, const char *topology, const bnn_overlay_target *target, const bnn_overlay_options *options, bnn_error *err)
{
    bnn_topology t;
    char text[BNN_DESIGN_TEXT], folding[BNN_DESIGN_TEXT];
    int rc = bnn_topology_open(&t, topology, err);
    if (rc != BNN_OK)
        return rc;
    struct search s = { .topology = &t, .device = find_device(target->device) };
    if (!s.device)
        return bnn_fail(err, BNN_EINVAL, "device '%s'; expected xc7z020, ecp5-85k or ice40-hx8k", target->device);
    for (uint32_t i = 0; i < t.layers; i++)
        if (t.layer[i].kind != BNN_MAXPOOL)
            s.index[s.units++] = i;
    s.layer = bnn_alloc(s.units, sizeof *s.layer);
    if (!s.layer)
        return bnn_fail_memory(err, s.units * sizeof *s.layer);
    bnn_folding f = { .layers = t.layers };
    rc = search(&s, target, &f, err);
    bnn_free(s.layer);
    if (rc != BNN_OK)
        return rc;
    bnn_topology_print(&t, text, sizeof text);
    bnn_folding_print(&f, folding, sizeof folding);
    return bnn_overlay_open(out, text, folding, options, err);
}
