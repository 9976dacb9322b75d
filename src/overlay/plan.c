/* plan.c -- from topology and folding to a row of stages. */
#include "overlay/plan.h"

/* What the stream looks like behind the last stage: words of `a` lanes. */
struct stream { bnn_plan *plan; uint32_t bits, a, layer; };

static bnn_stage *add(struct stream *s, enum bnn_stage_kind kind, uint32_t b)
{
    bnn_stage *stage = &s->plan->stage[s->plan->stages++];
    *stage = (bnn_stage){ .kind = kind, .layer = s->layer, .bits = s->bits, .a = s->a, .b = b };
    s->a = b;
    return stage;
}

static void convert(struct stream *s, uint32_t b, uint32_t lanes)
{
    if (s->a != b)
        add(s, BNN_STAGE_DWC, b)->lanes = lanes;
}

/* Brings the stream to words of SIMD lanes: the host's words hold a whole
 * image without gaps, every other stream pads each vector to whole words. */
static void feed(struct stream *s, const bnn_unit *u, const bnn_layer *l, bool first)
{
    const uint32_t image = (uint32_t)bnn_shape_size(l->in);
    const bool pixels = u->groups > 1 || l->in.height * l->in.width == u->vectors;
    if (first && (!pixels || u->channels % u->SIMD == 0)) {
        convert(s, u->SIMD, image);
        return;
    }
    if (first)
        convert(s, u->channels, image);
    convert(s, u->SIMD, u->channels);
}

static void add_unit(struct stream *s, uint32_t unit, const bnn_layer *l)
{
    const bnn_unit *u = &s->plan->design.units.unit[unit];
    feed(s, u, l, s->layer == 0);
    if (l->kind == BNN_CONV && l->kernel > 1) {
        bnn_stage *swu = add(s, BNN_STAGE_SWU, u->SIMD);
        swu->height = l->in.height;
        swu->width  = l->in.width;
        swu->K      = l->kernel;
        swu->CF     = u->CF;
    }
    add(s, BNN_STAGE_MVTU, u->PE)->unit = unit;
    s->bits = u->out_bits;
}

static void add_pool(struct stream *s, uint32_t unit, const bnn_layer *l)
{
    bnn_stage *pool = add(s, BNN_STAGE_POOL, s->a);
    pool->height = l->in.height;
    pool->width  = l->in.width;
    pool->K      = 2;
    pool->CF     = s->plan->design.units.unit[unit].NF;
}

/* Scores go out as bytes: out_bits / 8 a score. */
static void add_output(struct stream *s, const bnn_unit *last)
{
    const uint32_t bytes = last->out_bits / 8;
    s->layer = last->layer;
    s->a    *= bytes;
    s->bits  = 8;
    convert(s, s->plan->design.port_bits / 8, last->MH * bytes);
    s->plan->out_words = bnn_words(last->MH * bytes, s->plan->design.port_bits / 8);
}

uint32_t bnn_queue_least(const bnn_unit *u, uint32_t pipe)
{
    /* A place is taken when a row's last step is issued, and free again 6 + PIPE cycles later. */
    const uint32_t places = (6 + pipe + u->SF - 1) / u->SF;
    return places < 2 ? 2 : places;
}

void bnn_plan_make(bnn_plan *out, const bnn_design *design)
{
    const bnn_topology *t = &design->topology;
    *out = (bnn_plan){ .design = *design };
    struct stream s = { out, t->input_bits, design->port_bits / t->input_bits, 0 };
    out->in_words = bnn_words((uint32_t)bnn_shape_size(t->input), s.a);
    uint32_t unit = 0;
    for (s.layer = 0; s.layer < t->layers; s.layer++)
        if (t->layer[s.layer].kind == BNN_MAXPOOL)
            add_pool(&s, unit - 1, &t->layer[s.layer]);
        else
            add_unit(&s, unit++, &t->layer[s.layer]);
    add_output(&s, &out->design.units.unit[unit - 1]);
    for (uint32_t i = 0; i < unit; i++)
        out->queue[i] = bnn_queue_least(&out->design.units.unit[i], design->pipe);
}

static uint32_t gcd(uint32_t a, uint32_t b)
{
    while (b != 0) {
        const uint32_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* The same arithmetic as the localparams of bnn_dwc.v. */
bnn_ratio bnn_dwc_ratio(const bnn_stage *s)
{
    const uint64_t in = bnn_words(s->lanes, s->a), out = bnn_words(s->lanes, s->b);
    const uint64_t lcm = (uint64_t)s->a / gcd(s->a, s->b) * s->b;
    if (s->b % s->a == 0)
        return (bnn_ratio){ s->b / s->a, 1 };
    if (s->a % s->b == 0)
        return (bnn_ratio){ 1, s->a / s->b };
    if (lcm >= in * s->a || lcm >= out * s->b)
        return (bnn_ratio){ (uint32_t)in, (uint32_t)out };
    return (bnn_ratio){ (uint32_t)(lcm / s->a), (uint32_t)(lcm / s->b) };
}
