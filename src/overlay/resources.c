/* resources.c -- what stages cost.
 *
 * The LUT model is linear in what a stage is made of. Its coefficients were
 * fitted by least squares to Yosys 0.23 (synth_xilinx, hierarchy kept) on
 * single units of 15 shapes (docs/overlay.md); they say what Yosys
 * makes, not what a vendor's tool would pack.
 */
#include "overlay/resources.h"

/* The shape of block that makes the least; of equals the deepest comes first. */
struct stack { uint32_t bram18, deep; }; /* blocks in all, and one above the other */

static struct stack stack_of(uint32_t width, uint32_t depth)
{
    static const struct { uint32_t width, depth, halves; } shape[] = {
        { 1, 32768, 2 }, { 1, 16384, 1 }, { 2, 16384, 2 }, { 2, 8192, 1 }, { 4, 8192, 2 }, { 4, 4096, 1 }, { 9, 4096, 2 },
        { 9, 2048, 1 }, { 18, 2048, 2 }, { 18, 1024, 1 }, { 36, 1024, 2 }, { 36, 512, 1 }, { 72, 512, 2 },
    };
    struct stack least = { UINT32_MAX, 0 };
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        const uint32_t deep = bnn_words(depth, shape[i].depth);
        const uint32_t n = bnn_words(width, shape[i].width) * deep * shape[i].halves;
        if (n < least.bram18)
            least = (struct stack){ n, deep };
    }
    return least;
}

uint32_t bnn_bram18(uint32_t width, uint32_t depth)
{
    return stack_of(width, depth).bram18;
}

/* LUTs of a LUT RAM with one write and one read port: 4 hold 64 x 3 bits, or 32 x 6. */
static double lut_ram(uint32_t width, uint32_t depth)
{
    if (depth <= 32)
        return 4.0 * bnn_words(width, 6);
    const double blocks = bnn_words(depth, 64);
    return blocks * 4.0 * bnn_words(width, 3) + (blocks > 1 ? (blocks - 1) * width / 3.0 : 0);
}

/* A unit; a lane of one bit, ternary, of bytes, of bytes with ternary weights; a bit of a sum, of a comparison; a bit
 * that selects among blocks stacked in depth. */
enum { FIT_ONE, FIT_LANE, FIT_TERNARY, FIT_BYTE, FIT_BYTE_TERNARY, FIT_SUM, FIT_COMPARE, FIT_DEPTH, FIT_COUNT };
static const double fit[FIT_COUNT] = { 208, 2.63, 4.48, 10.93, 25.25, 0.54, 2.83, 0.27 };

static void add_memory(bnn_resources *r, uint32_t copies, uint32_t width, uint32_t depth, uint32_t lut_depth)
{
    if (depth <= lut_depth)
        r->lut += copies * lut_ram(width, depth);
    else {
        const struct stack s = stack_of(width, depth);
        r->bram18 += copies * s.bram18;
        r->lut += copies * fit[FIT_DEPTH] * width * (s.deep - 1);
    }
}

static uint32_t power_of_two(uint32_t n)
{
    uint32_t p = 1;
    while (p < n)
        p *= 2;
    return p;
}

bnn_resources bnn_unit_resources(const bnn_unit *u, uint32_t queue, uint32_t pipe)
{
    bnn_resources r = { 0 };
    const uint32_t x = u->SIMD * u->input_bits, rows = u->SF * u->NF, out = u->PE * u->out_bits;
    const double lanes = (double)u->PE * u->SIMD;
    (void)pipe; /* registers only */
    for (uint32_t part = 0; part < bnn_unit_parts(u); part++) {
        const uint32_t size = bnn_unit_part_bits(u), rest = bnn_unit_lane_bits(u) - part * size;
        add_memory(&r, u->PE, rest < size ? rest : size, rows, BNN_LUT_DEPTH);
    }
    add_memory(&r, u->PE * u->thresholds, u->sum_bits, u->NF, BNN_LUT_DEPTH);
    add_memory(&r, 1, x, 2 * power_of_two(u->SF), BNN_LUT_REPLAY);
    add_memory(&r, 1, out, queue, 1 << 20);
    r.lut += fit[FIT_ONE] + fit[FIT_SUM] * u->PE * u->sum_bits + fit[FIT_COMPARE] * u->PE * u->sum_bits * u->thresholds;
    if (u->input_bits == 8)
        r.lut += lanes * fit[u->weight_bits == 2 ? FIT_BYTE_TERNARY : FIT_BYTE];
    else
        r.lut += lanes * fit[u->input_bits + u->weight_bits > 2 ? FIT_TERNARY : FIT_LANE];
    return r;
}

/* Converters are shift registers with a multiplexer a bit; windows and pools a memory and counters. */
bnn_resources bnn_stage_resources(const bnn_plan *plan, const bnn_stage *s)
{
    bnn_resources r = { 0 };
    switch (s->kind) {
    case BNN_STAGE_MVTU:
        return bnn_unit_resources(&plan->design.units.unit[s->unit], plan->queue[s->unit], plan->design.pipe);
    case BNN_STAGE_DWC: {
        const bnn_ratio ratio = bnn_dwc_ratio(s);
        r.lut = 20 + (ratio.widen > 1 ? 0.5 * ratio.widen * s->a * s->bits : 0) + (ratio.narrow > 1 ? 1.0 * ratio.narrow * s->b * s->bits : 0);
        return r;
    }
    case BNN_STAGE_SWU:
        r.lut = 170;
        add_memory(&r, 1, s->a * s->bits, (s->K * s->width + s->K) * s->CF, BNN_LUT_DEPTH);
        return r;
    case BNN_STAGE_POOL:
        r.lut = 60 + 1.5 * s->a * s->bits;
        add_memory(&r, 1, s->a * s->bits, s->width / 2 * s->CF, 1 << 20);
        return r;
    }
    return r;
}

bnn_resources bnn_plan_resources(const bnn_plan *plan)
{
    enum { SHELL = 1900 }; /* LUT of bnn_shell */
    bnn_resources sum = { .lut = plan->design.port_bits == 64 ? SHELL : 0 };
    for (uint32_t i = 0; i < plan->stages; i++) {
        const bnn_resources r = bnn_stage_resources(plan, &plan->stage[i]);
        sum.lut += r.lut;
        sum.bram18 += r.bram18;
    }
    return sum;
}
