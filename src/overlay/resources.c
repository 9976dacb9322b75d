/* resources.c -- what stages cost.
 *
 * Block RAM is arithmetic. LUTs are counted as Yosys 0.23 makes them
 * (synth_xilinx, hierarchy kept), not as a vendor's tool would pack them: what
 * follows from the structure is counted (population counts, sums, LUT RAM);
 * what is left of a unit is linear in what it is made of, with coefficients
 * that scripts/lut-model fits to synthesis. docs/overlay.md says how well it
 * foresees units that were not used for the fit.
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

/* LUTs of a LUT RAM with one write and one read port: 4 hold 64 x 3 bits, or 32 x 6; deeper ones are stacked and
 * selected. What is smaller than a handful of bits becomes flip-flops with a multiplexer. */
static double lut_ram(uint32_t width, uint32_t depth)
{
    enum { HANDFUL = 24 };
    if (width * depth <= HANDFUL)
        return width;
    if (depth <= 32)
        return 4.0 * bnn_words(width, 6);
    const double blocks = bnn_words(depth, 64);
    return blocks * 4.0 * bnn_words(width, 3) + (blocks - 1) * width / 3.0;
}

/* A bit that selects among blocks stacked in depth, for each beyond the first: the mean of nine memories synthesised alone
 * (0.44 to 0.56; but 1.05 for four lanes of five blocks). */
#define DEPTH_BIT 0.57

static void add_memory(bnn_resources *r, uint32_t copies, uint32_t width, uint32_t depth, uint32_t lut_depth)
{
    if (depth <= lut_depth)
        r->lut += copies * lut_ram(width, depth);
    else {
        const struct stack s = stack_of(width, depth);
        r->bram18 += copies * s.bram18;
        r->lut += copies * DEPTH_BIT * width * (s.deep - 1);
    }
}

static uint32_t bits_of(uint32_t n) /* of numbers up to n */
{
    uint32_t bits = 0;
    while (n >> bits)
        bits++;
    return bits;
}

static uint32_t address_bits(uint32_t depth)
{
    return bits_of(depth - 1);
}

/* ---------------------------------------------------------------- units -- */

/* bnn_popcount.v, style 2: two halves and a carry-in, and an adder of as many LUTs as the lesser half's count has bits. */
static uint32_t popcount_luts(uint32_t n)
{
    if (n < 4)
        return n < 2 ? 0 : 2;
    const uint32_t half = (n - 1) / 2;
    return popcount_luts(half) + popcount_luts(n - 1 - half) + bits_of(half);
}

/* bnn_agree.v: an xnor a lane; ternary lanes have two bits to count. Bytes (bnn_sum8.v) are left to the fit. */
static uint32_t agree_luts(const bnn_unit *u)
{
    const uint32_t bits = u->input_bits + u->weight_bits > 2 ? 2 * u->SIMD : u->SIMD;
    return u->input_bits == 8 ? 0 : popcount_luts(bits) + bits;
}

bnn_resources bnn_unit_structure(const bnn_unit *u, uint32_t queue)
{
    bnn_resources r = { 0 };
    const uint32_t rows = u->SF * u->NF;
    for (uint32_t part = 0; part < bnn_unit_parts(u); part++) {
        const uint32_t size = bnn_unit_part_bits(u), rest = bnn_unit_lane_bits(u) - part * size;
        add_memory(&r, u->PE, rest < size ? rest : size, rows, BNN_LUT_DEPTH);
    }
    add_memory(&r, u->PE * u->thresholds, u->sum_bits, u->NF, BNN_LUT_DEPTH);
    add_memory(&r, 1, u->SIMD * u->input_bits, u->SF < 2 ? 4 : 2u << address_bits(u->SF), BNN_LUT_REPLAY);
    add_memory(&r, 1, u->PE * u->out_bits, queue, 1 << 20);
    r.lut += u->PE * (agree_luts(u) + u->sum_bits);
    return r;
}

void bnn_unit_features(const bnn_unit *u, double *out)
{
    const double lanes = (double)u->PE * u->SIMD;
    out[BNN_FIT_ONE]          = 1;
    out[BNN_FIT_ADDRESS]      = 2 * address_bits(u->SF) + address_bits(u->NF) + address_bits(u->SF * u->NF);
    out[BNN_FIT_PE]           = u->PE;
    out[BNN_FIT_WEIGHT]       = lanes * u->weight_bits;
    out[BNN_FIT_COMPARE]      = (double)u->PE * u->sum_bits * u->thresholds;
    out[BNN_FIT_BYTE]         = u->input_bits == 8 && u->weight_bits == 1 ? lanes : 0;
    out[BNN_FIT_BYTE_TERNARY] = u->input_bits == 8 && u->weight_bits == 2 ? lanes : 0;
}

/* In the order of the enumeration. */
static const double fit[BNN_FIT_COUNT] = { 78, 3.43, 1.54, 0.592, 1.35, 17.3, 37.7 };

bnn_resources bnn_unit_resources(const bnn_unit *u, uint32_t queue)
{
    bnn_resources r = bnn_unit_structure(u, queue);
    double feature[BNN_FIT_COUNT];
    bnn_unit_features(u, feature);
    for (int i = 0; i < BNN_FIT_COUNT; i++)
        r.lut += fit[i] * feature[i];
    return r;
}

/* --------------------------------------------------------- other stages -- */

/* bnn_widen.v: every slot but the first can be zeroed. bnn_narrow.v: a multiplexer a bit, two where its choice comes late,
 * out of two long counts (more than 16 words a vector, more than 2 pieces a word). */
static double converter_luts(const bnn_stage *s)
{
    const bnn_ratio ratio = bnn_dwc_ratio(s);
    const double in = (double)ratio.widen * s->a * s->bits, out = (double)ratio.narrow * s->b * s->bits;
    double lut = 0;
    if (ratio.widen > 1)
        lut += 5 + 2 * ratio.widen + in * (ratio.widen - 1) / ratio.widen;
    if (ratio.narrow > 1)
        lut += 12 + out * (bnn_words(s->lanes, s->b) > 16 && ratio.narrow > 2 ? 2 : 1);
    return lut;
}

bnn_resources bnn_stage_resources(const bnn_plan *plan, const bnn_stage *s)
{
    enum { WINDOW = 105, POOL = 28 }; /* counters and ring addresses */
    bnn_resources r = { 0 };
    switch (s->kind) {
    case BNN_STAGE_MVTU:
        return bnn_unit_resources(&plan->design.units.unit[s->unit], plan->queue[s->unit]);
    case BNN_STAGE_DWC:
        r.lut = converter_luts(s);
        return r;
    case BNN_STAGE_SWU:
        r.lut = WINDOW;
        add_memory(&r, 1, s->a * s->bits, (s->K * s->width + s->K) * s->CF, BNN_LUT_DEPTH);
        return r;
    case BNN_STAGE_POOL:
        r.lut = POOL + (s->bits == 2 ? 1.0 : 0.5) * s->a * s->bits;
        add_memory(&r, 1, s->a * s->bits, s->width / 2 * s->CF, 1 << 20);
        return r;
    }
    return r;
}

bnn_resources bnn_plan_resources(const bnn_plan *plan)
{
    enum { SHELL = 1565 }; /* LUT of bnn_shell */
    bnn_resources sum = { .lut = plan->design.port_bits == 64 ? SHELL : 0 };
    for (uint32_t i = 0; i < plan->stages; i++) {
        const bnn_resources r = bnn_stage_resources(plan, &plan->stage[i]);
        sum.lut += r.lut;
        sum.bram18 += r.bram18;
    }
    return sum;
}
