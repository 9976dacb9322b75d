/* unit.c -- folding, padding, and the words of the memories. */
#include "net/unit.h"

static uint32_t bits_for(uint64_t most)
{
    uint32_t bits = 1;
    while (most >> bits)
        bits++;
    return bits;
}

static uint32_t divide_up(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static bool counts_agreement(const bnn_unit *u)
{
    return u->input_bits == 1 && u->weight_bits == 1;
}

static uint32_t lanes(const bnn_unit *u)
{
    return u->SF * u->SIMD;
}

/* The largest sum, and one more: a threshold that is never reached. */
static int64_t never(const bnn_unit *u)
{
    const int64_t n = lanes(u);
    return 1 + (u->input_bits == 8 ? 128 * n : counts_agreement(u) ? n : 2 * n);
}

static int64_t always(const bnn_unit *u)
{
    return u->input_bits == 8 ? -never(u) : 0;
}

/* Sums are signed for 8-bit inputs, else not; one step's count must fit too (rtl: CB). */
static uint32_t sum_bits(const bnn_unit *u)
{
    const uint32_t bits = bits_for((uint64_t)never(u));
    if (u->input_bits != 8)
        return bits;
    const uint32_t step = 9 + (u->SIMD < 2 ? 0 : bits_for(u->SIMD - 1));
    return bits + 1 > step ? bits + 1 : step;
}

static void set_vectors(bnn_unit *u, const bnn_layer *l, bool first)
{
    const bool window = l->kind == BNN_CONV, map = l->in.height * l->in.width > 1 && !first;
    u->groups   = window ? l->kernel * l->kernel : map ? l->in.height * l->in.width : 1;
    u->channels = l->MW / u->groups;
    u->vectors  = (uint64_t)l->out.height * l->out.width;
}

static int set_unit(bnn_unit *u, const bnn_layer *l, uint32_t layer, const bnn_fold *f, bnn_error *err)
{
    *u = (bnn_unit){ .layer = layer, .SIMD = f->SIMD, .PE = f->PE, .MH = l->MH, .input_bits = l->input_bits,
                     .weight_bits = l->weight_bits, .thresholds = l->last_bits ? 0 : l->thresholds };
    set_vectors(u, l, layer == 0);
    if (u->SIMD > u->channels)
        return bnn_fail(err, BNN_ESHAPE, "layer %u: simd %u for words of one pixel; expected at most its %u channels", layer, u->SIMD, u->channels);
    u->CF       = divide_up(u->channels, u->SIMD);
    u->SF       = u->groups * u->CF;
    u->NF       = divide_up(u->MH, u->PE);
    u->sum_bits = sum_bits(u);
    u->out_bits = u->thresholds ? u->thresholds : u->sum_bits <= 16 ? 16 : 32;
    if ((uint64_t)u->SF * u->NF >= (uint64_t)1 << 31)
        return bnn_fail(err, BNN_ESHAPE, "layer %u: %u x %u weight rows; expected fewer than 2^31", layer, u->SF, u->NF);
    return BNN_OK;
}

int bnn_units_set(bnn_units *out, const bnn_topology *t, const bnn_folding *f, bnn_error *err)
{
    bnn_units units = { 0 };
    for (uint32_t i = 0; i < t->layers; i++) {
        if (t->layer[i].kind == BNN_MAXPOOL)
            continue;
        const int rc = set_unit(&units.unit[units.count++], &t->layer[i], i, &f->layer[i], err);
        if (rc != BNN_OK)
            return rc;
    }
    *out = units;
    return BNN_OK;
}

/* ---------------------------------------------------------------- words -- */

/* Weight of lane `lane` of weight row `row`, or what pads. */
static int weight_at(const bnn_unit *u, const bnn_layer *l, const bnn_matrix *m, uint32_t neuron, uint32_t row, uint32_t lane)
{
    const uint32_t step = row % u->SF, channel = step % u->CF * u->SIMD + lane;
    if (neuron >= l->MH || channel >= u->channels)
        return u->weight_bits == 2 ? 0 : 1;
    return bnn_weight_at(l, m, neuron, step / u->CF * u->channels + channel);
}

/* A lane is SIMD bits: 1 = +1; ternary: SIMD bits "nonzero", then SIMD bits "negative". */
uint64_t bnn_unit_weight_word(const bnn_unit *u, const bnn_layer *l, const bnn_matrix *m, uint32_t pe, uint32_t row, uint32_t part)
{
    const uint32_t size = bnn_unit_part_bits(u), neuron = row / u->SF * u->PE + pe;
    uint64_t word = 0;
    for (uint32_t i = 0; i < size && part * size + i < bnn_unit_lane_bits(u); i++) {
        const uint32_t bit = part * size + i;
        const int w = weight_at(u, l, m, neuron, row, bit % u->SIMD);
        const bool on = u->weight_bits == 1 ? w > 0 : bit < u->SIMD ? w != 0 : w < 0;
        word |= (uint64_t)on << i;
    }
    return word;
}

/* The threshold of sums that is reached when dot >= t. */
static int64_t shift_threshold(const bnn_unit *u, const bnn_layer *l, int64_t t)
{
    int64_t shifted = t;
    if (counts_agreement(u)) /* the ceiling of (MW + t) / 2 */
        shifted = t + l->MW > 0 ? (t + l->MW + 1) / 2 : 0;
    else if (u->input_bits != 8)
        shifted = t + lanes(u);
    return shifted < always(u) ? always(u) : shifted > never(u) ? never(u) : shifted;
}

uint64_t bnn_unit_threshold_word(const bnn_unit *u, const bnn_layer *l, const bnn_matrix *m, uint32_t pe, uint32_t fold, uint32_t k)
{
    const uint32_t neuron = fold * u->PE + pe;
    int64_t t;
    if (neuron < l->MH)
        t = shift_threshold(u, l, m->thresholds[(size_t)neuron * l->thresholds + k]);
    else
        t = u->thresholds == 2 && k == 0 ? always(u) : never(u); /* 0, or a bit that never fires */
    return (uint64_t)t & (((uint64_t)1 << u->sum_bits) - 1);
}

int32_t bnn_unit_dot(const bnn_unit *u, const bnn_layer *l, uint32_t sum)
{
    if (u->input_bits == 8)
        return u->out_bits == 16 ? (int16_t)sum : (int32_t)sum;
    if (counts_agreement(u))
        return 2 * (int32_t)sum - (int32_t)l->MW;
    return (int32_t)sum - (int32_t)lanes(u);
}
