/* pynq_overlay.c -- the five overlays as the original compiled them in (config.h of pynqZ1-Z2). */
#include "format/pynq.h"
#include "base/mem.h"

#include <string.h>

#define LFC(w, a)                                                                              \
    "input 28x28x1 bit\n"                                                                      \
    "dense 1024 w" w " a" a "\ndense 1024 w" w " a" a "\ndense 1024 w" w " a" a "\n"           \
    "dense 64 w" w " bits\n"
#define CNV(w, a)                                                                              \
    "input 32x32x3 uint8\n"                                                                    \
    "conv 64 3x3 w" w " a" a "\nconv 64 3x3 w" w " a" a "\nmaxpool 2x2\n"                      \
    "conv 128 3x3 w" w " a" a "\nconv 128 3x3 w" w " a" a "\nmaxpool 2x2\n"                    \
    "conv 256 3x3 w" w " a" a "\nconv 256 3x3 w" w " a" a "\n"                                 \
    "dense 512 w" w " a" a "\ndense 512 w" w " a" a "\ndense 64 w" w " scores\n"

#define LFC_FOLDING "pe 32 simd 64\npe 64 simd 32\npe 32 simd 64\npe 16 simd 8\n"
#define CNV_FOLDING                                                                            \
    "pe 16 simd 3\npe 32 simd 32\npe 16 simd 32\npe 16 simd 32\npe 4 simd 32\n"                \
    "pe 1 simd 32\npe 1 simd 4\npe 1 simd 8\npe 4 simd 1\n"
#define CNV_W2_FOLDING                                                                         \
    "pe 8 simd 3\npe 16 simd 16\npe 8 simd 16\npe 8 simd 16\npe 4 simd 8\n"                    \
    "pe 1 simd 8\npe 1 simd 2\npe 2 simd 2\npe 4 simd 1\n"

#define LFC_RULE "grey threshold 128"
#define CNV_RULE "fit thumbnail background 255,255,255 colour"

static const struct description {
    const char *name, *topology, *folding, *rule;
    bool        popcount; /* all weights and activations have one bit */
    bool        workshop; /* exists there too */
} overlays[] = {
    { "lfcW1A1", LFC("1", "1"), LFC_FOLDING, LFC_RULE, true, true },
    { "lfcW1A2", LFC("1", "2"), LFC_FOLDING, LFC_RULE, false, false },
    { "cnvW1A1", CNV("1", "1"), CNV_FOLDING, CNV_RULE, true, true },
    { "cnvW1A2", CNV("1", "2"), CNV_FOLDING, CNV_RULE, false, false },
    { "cnvW2A2", CNV("2", "2"), CNV_W2_FOLDING, CNV_RULE, false, false },
};
enum { OVERLAYS = sizeof overlays / sizeof *overlays };

const char *bnn_pynq_overlay_name(size_t index)
{
    return index < OVERLAYS ? overlays[index].name : NULL;
}

static void add_layer(bnn_pynq_overlay *o, uint32_t index, const bnn_fold *fold, bool popcount)
{
    const bnn_layer *l = &o->topology.layer[index];
    o->layer[o->layers++] = (bnn_pynq_layer){
        .index  = index,
        .nTH    = l->thresholds,
        .fold   = *fold,
        .domain = l->input_bits == 8 ? BNN_PYNQ_FIXED : popcount ? BNN_PYNQ_POPCOUNT : BNN_PYNQ_DOT,
    };
}

static int work_out(bnn_pynq_overlay *out, const struct description *d, bool workshop, bnn_error *err)
{
    bnn_folding folding;
    *out = (bnn_pynq_overlay){ .name = d->name, .workshop = workshop };
    int rc = bnn_topology_parse(&out->topology, d->topology, strlen(d->topology), err);
    if (rc == BNN_OK)
        rc = bnn_folding_parse(&folding, &out->topology, d->folding, strlen(d->folding), err);
    if (rc != BNN_OK)
        return rc;
    for (uint32_t i = 0; i < out->topology.layers; i++)
        if (out->topology.layer[i].kind != BNN_MAXPOOL)
            add_layer(out, i, &folding.layer[i], d->popcount);
    out->input_rule = workshop && out->topology.input_bits == 8 ? CNV_RULE " truncate" : d->rule;
    out->origin     = bnn_pynq_origin(d->name, workshop);
    return BNN_OK;
}

static int check_variant(bool *workshop, const struct description *d, const char *variant, bnn_error *err)
{
    *workshop = variant && strcmp(variant, "workshop") == 0;
    if (variant && !*workshop && strcmp(variant, "xilinx") != 0)
        return bnn_fail(err, BNN_EINVAL, "variant '%s'; expected xilinx or workshop", variant);
    if (*workshop && !d->workshop)
        return bnn_fail(err, BNN_EINVAL, "%s in variant workshop; it has lfcW1A1 and cnvW1A1 only", d->name);
    return BNN_OK;
}

int bnn_pynq_overlay_find(bnn_pynq_overlay *out, const char *name, const char *variant, bnn_error *err)
{
    size_t i = 0;
    bool workshop;
    while (i < OVERLAYS && strcmp(overlays[i].name, name) != 0)
        i++;
    if (i == OVERLAYS)
        return bnn_fail(err, BNN_EINVAL, "'%.40s'; expected lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2 or cnvW2A2", name);
    const int rc = check_variant(&workshop, &overlays[i], variant, err);
    return rc == BNN_OK ? work_out(out, &overlays[i], workshop, err) : rc;
}

/* Equal but for the number of rows, and for scores where the overlay has bits. */
static bool fits(const bnn_topology *overlay, const bnn_topology *t)
{
    bnn_topology like = *overlay;
    bnn_layer *l = &like.layer[like.layers - 1];
    const bnn_layer *last = bnn_topology_last(t);
    if (last->MH > BNN_PYNQ_ROWS || (last->last_bits && !l->last_bits))
        return false;
    l->MH          = last->MH;
    l->last_bits   = last->last_bits;
    l->output_bits = last->output_bits;
    return bnn_topology_equal(&like, t);
}

int bnn_pynq_overlay_of(bnn_pynq_overlay *out, const bnn_topology *t, const char *variant, bnn_error *err)
{
    bnn_pynq_overlay *o = bnn_alloc(1, sizeof *o);
    int rc = o ? BNN_OK : bnn_fail_memory(err, sizeof *o);
    size_t i = 0;
    for (; rc == BNN_OK && i < OVERLAYS; i++) {
        rc = work_out(o, &overlays[i], false, err);
        if (rc == BNN_OK && fits(&o->topology, t))
            break;
    }
    bnn_free(o);
    if (rc == BNN_OK && i == OVERLAYS)
        rc = bnn_fail(err, BNN_ESHAPE, "the topology is none of BNN-PYNQ's overlays lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2, cnvW2A2 "
                      "with at most %d rows", BNN_PYNQ_ROWS);
    return rc == BNN_OK ? bnn_pynq_overlay_find(out, overlays[i].name, variant, err) : rc;
}

/* ----------------------------------------------------------- thresholds -- */

/* The low `bits` bits as a two's complement number. */
static int64_t sign_extend(uint64_t word, int bits)
{
    const uint64_t sign = (uint64_t)1 << (bits - 1), low = word & (2 * sign - 1);
    return (int64_t)(low ^ sign) - (int64_t)sign;
}

/* Rounds towards minus infinity, as an arithmetic shift would. */
static int64_t half(int64_t v)
{
    return (v - (v & 1)) / 2;
}

/* The hardware fires when its acc > T. With dot over the true width and P the
 * padding's sum:
 *
 *     popcount  acc = (MW + dot + P) / 2, MW padded; so dot > 2T - MW - P, and as dot
 *               and MW + P have one parity, dot >= 2(T + 1) - MW - P is the same
 *     dot       acc = dot + P;        so dot >= T + 1 - P
 *     fixed     acc = 2 dot (T has one bit more of fraction); so dot >= floor(T / 2) + 1
 */
int32_t bnn_pynq_threshold_read(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, uint64_t word, int32_t padding)
{
    if (l->domain == BNN_PYNQ_FIXED)
        return (int32_t)(half(sign_extend(word, 24)) + 1);
    const int64_t t = o->workshop ? (int64_t)(word & 0xffff) : sign_extend(word, 16);
    if (l->domain == BNN_PYNQ_DOT)
        return (int32_t)(t + 1 - padding);
    return (int32_t)(2 * (t + 1) - (int64_t)l->fold.MW - padding);
}

static int64_t clip(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

uint64_t bnn_pynq_threshold_write(const bnn_pynq_overlay *o, const bnn_pynq_layer *l, int32_t threshold, bool *exact)
{
    const bnn_layer *shape = bnn_pynq_shape(o, l);
    const int64_t padding = shape->weight_bits == 1 ? -(int64_t)(l->fold.MW - shape->MW) : 0;
    int64_t t;
    if (l->domain == BNN_PYNQ_FIXED)
        return (uint64_t)clip(2 * ((int64_t)threshold - 1), -(1 << 23), (1 << 23) - 1);
    if (l->domain == BNN_PYNQ_DOT)
        t = (int64_t)threshold - 1 + padding;
    else
        t = half((int64_t)threshold + l->fold.MW + padding + 1) - 1;
    /* Sums stay far inside 16 bits, so clipping changes nothing, but for one
     * case: an unsigned threshold cannot fire on a popcount of 0. */
    if (o->workshop && t < 0)
        *exact = false;
    return (uint64_t)(o->workshop ? clip(t, 0, 65535) : clip(t, -32768, 32767));
}
