/* cycles.c -- one small state machine a stage, in step with rtl/. */
#include "overlay/cycles.h"
#include "base/mem.h"

enum node_kind { NODE_WIDEN, NODE_NARROW, NODE_SWU, NODE_MVTU, NODE_POOL };

/* The counters of a stage. Names are those of the Verilog. */
struct node {
    enum node_kind kind;
    const bnn_unit *unit;
    uint32_t ratio, words;                 /* WIDEN, NARROW: R, WORDS */
    uint32_t slot, left, word;
    bool     full, valid;
    uint32_t CF, K, x_last, y_last, width; /* SWU, POOL */
    uint32_t cf, kx, ky, x, y;
    uint64_t held, ahead, size, row, move[3];
    uint32_t SF, NF, queue, step, fold;    /* MVTU */
    uint32_t credit, waiting, peak;
    uint32_t in_flight;                    /* bit i: a result i cycles from the queue */
    uint32_t launch;                       /* the bit of a result issued now */
};

struct model {
    struct node node[2 * BNN_MAX_STAGES];
    uint32_t    nodes;
    bool        valid[2 * BNN_MAX_STAGES + 1], ready[2 * BNN_MAX_STAGES + 1];
};

/* ------------------------------------------------------------- building -- */

static void add_dwc(struct model *m, const bnn_stage *s)
{
    const bnn_ratio r = bnn_dwc_ratio(s);
    if (r.widen > 1)
        m->node[m->nodes++] = (struct node){ .kind = NODE_WIDEN, .ratio = r.widen, .words = bnn_words(s->lanes, s->a) };
    if (r.narrow > 1)
        m->node[m->nodes++] = (struct node){ .kind = NODE_NARROW, .ratio = r.narrow, .words = bnn_words(s->lanes, s->b) };
}

static struct node swu_node(const bnn_stage *s)
{
    const uint64_t CF = s->CF, K = s->K, W = s->width;
    return (struct node){ .kind = NODE_SWU, .CF = s->CF, .K = s->K, .x_last = s->width - s->K, .y_last = s->height - s->K,
                          .size = (K * W + K) * CF, .row = (W - K) * CF + 1,
                          .move = { CF, K * CF, ((K - 1) * W + K) * CF } };
}

static struct node mvtu_node(const bnn_plan *plan, const bnn_stage *s)
{
    const bnn_unit *u = &plan->design.units.unit[s->unit];
    return (struct node){ .kind = NODE_MVTU, .unit = u, .SF = u->SF, .NF = u->NF, .queue = plan->queue[s->unit],
                          .credit = plan->queue[s->unit], .launch = (uint32_t)1 << (4 + plan->design.pipe) };
}

static void build(struct model *m, const bnn_plan *plan)
{
    for (uint32_t i = 0; i < plan->stages; i++) {
        const bnn_stage *s = &plan->stage[i];
        if (s->kind == BNN_STAGE_DWC)
            add_dwc(m, s);
        else if (s->kind == BNN_STAGE_SWU)
            m->node[m->nodes++] = swu_node(s);
        else if (s->kind == BNN_STAGE_MVTU)
            m->node[m->nodes++] = mvtu_node(plan, s);
        else
            m->node[m->nodes++] = (struct node){ .kind = NODE_POOL, .CF = s->CF, .width = s->width };
    }
}

/* ------------------------------------------------------------- one cycle -- */

static bool offers(const struct node *n)
{
    switch (n->kind) {
    case NODE_WIDEN:  return n->full;
    case NODE_NARROW: return n->left != 0;
    case NODE_MVTU:   return n->waiting != 0;
    default:          return n->valid;
    }
}

static bool accepts(const struct node *n, bool down)
{
    switch (n->kind) {
    case NODE_WIDEN:  return !n->full || down;
    case NODE_NARROW: return n->left == 0 || (down && (n->left == 1 || n->word == n->words - 1));
    case NODE_SWU:    return n->held != n->size;
    case NODE_MVTU:   return n->held != 2 * (uint64_t)n->SF;
    default:          return !n->valid || down;
    }
}

static bool wrap(uint32_t *counter, uint32_t size)
{
    *counter = *counter + 1 == size ? 0 : *counter + 1;
    return *counter == 0;
}

static void widen(struct node *n, bool push, bool down)
{
    const bool done = n->word == n->words - 1 || n->slot == n->ratio - 1;
    n->full = push ? done : n->full && !down;
    if (!push)
        return;
    n->slot = done ? 0 : n->slot + 1;
    wrap(&n->word, n->words);
}

static void narrow(struct node *n, bool push, bool down)
{
    const bool pop = n->left != 0 && down;
    const bool last = n->left == 1 || n->word == n->words - 1;
    if (push)
        n->left = n->ratio;
    else if (pop)
        n->left = last ? 0 : n->left - 1;
    if (pop)
        wrap(&n->word, n->words);
}

/* Moves the read position on by a word; returns how far the base moves. */
static uint64_t next_word(struct node *n)
{
    if (!wrap(&n->cf, n->CF)) {
        n->ahead++;
        return 0;
    }
    if (!wrap(&n->kx, n->K)) {
        n->ahead++;
        return 0;
    }
    if (!wrap(&n->ky, n->K)) {
        n->ahead += n->row;
        return 0;
    }
    n->ahead = 0;
    if (!wrap(&n->x, n->x_last + 1))
        return n->move[0];
    return wrap(&n->y, n->y_last + 1) ? n->move[2] : n->move[1];
}

static void swu(struct node *n, bool push, bool down)
{
    const bool en = !n->valid || down, read = en && n->held > n->ahead;
    const uint64_t move = read ? next_word(n) : 0;
    n->held += push;
    n->held -= move;
    if (en)
        n->valid = read;
}

static void pool(struct node *n, bool push, bool down)
{
    const bool ends = n->y == 1 && n->x % 2 == 1;
    if (!n->valid || down)
        n->valid = push && ends;
    if (push && wrap(&n->cf, n->CF) && wrap(&n->x, n->width))
        n->y = !n->y;
}

static void mvtu(struct node *n, bool push, bool down)
{
    const bool pop = n->waiting != 0 && down, arrives = n->in_flight & 1;
    const bool last = n->step == n->SF - 1;
    const bool issue = n->held > n->step && (!last || n->credit != 0);
    n->in_flight >>= 1;
    n->waiting += arrives;
    n->waiting -= pop;
    n->credit += pop;
    n->held += push;
    if (!issue)
        return;
    if (!wrap(&n->step, n->SF))
        return;
    n->in_flight |= n->launch >> 1;
    n->credit--;
    if (n->queue - n->credit > n->peak)
        n->peak = n->queue - n->credit;
    if (wrap(&n->fold, n->NF))
        n->held -= n->SF;
}

static void advance(struct node *n, bool push, bool down)
{
    static void (*const next[])(struct node *, bool, bool) = {
        [NODE_WIDEN] = widen, [NODE_NARROW] = narrow, [NODE_SWU] = swu, [NODE_MVTU] = mvtu, [NODE_POOL] = pool,
    };
    next[n->kind](n, push, down);
}

/* One clock edge; `source`: a word is offered. Returns whether the first word was taken, and the last given. */
static void tick(struct model *m, bool source, bool *took, bool *gave)
{
    m->valid[0] = source;
    for (uint32_t i = 0; i < m->nodes; i++)
        m->valid[i + 1] = offers(&m->node[i]);
    m->ready[m->nodes] = true;
    for (uint32_t i = m->nodes; i-- > 0;)
        m->ready[i] = accepts(&m->node[i], m->ready[i + 1]);
    for (uint32_t i = 0; i < m->nodes; i++)
        advance(&m->node[i], m->valid[i] && m->ready[i], m->ready[i + 1]);
    *took = source && m->ready[0];
    *gave = m->valid[m->nodes];
}

/* ------------------------------------------------------------------ runs -- */

enum { MOST_FRAMES = 64 };

uint64_t bnn_cycles_bound(const bnn_plan *plan)
{
    uint64_t bound = plan->in_words > plan->out_words ? plan->in_words : plan->out_words;
    for (uint32_t i = 0; i < plan->design.units.count; i++)
        if (bnn_unit_cycles(&plan->design.units.unit[i]) > bound)
            bound = bnn_unit_cycles(&plan->design.units.unit[i]);
    for (uint32_t i = 0; i < plan->stages; i++) { /* a window unit takes its map a word a cycle */
        const bnn_stage *s = &plan->stage[i];
        const uint64_t words = (uint64_t)s->height * s->width * s->CF;
        if (words > bound)
            bound = words;
    }
    return bound;
}

/* Cycles at which results 0, 1, ... are complete, until two intervals are equal. */
static int run(struct model *m, const bnn_plan *plan, bnn_cycles *out, bnn_error *err)
{
    uint64_t at = 0, done = 0, before = 0, quiet = 0, frames = 0, words = 0;
    const uint64_t patience = 4 * bnn_cycles_bound(plan) + 100000;
    while (frames < MOST_FRAMES && quiet < patience) {
        bool took, gave;
        tick(m, true, &took, &gave);
        at++;
        quiet = took || gave ? 0 : quiet + 1;
        if (!gave || ++words % plan->out_words != 0)
            continue;
        const uint64_t interval = at - done;
        if (frames == 0)
            out->latency = at;
        if (frames > 1 && interval == before) {
            out->interval = interval;
            return BNN_OK;
        }
        out->interval = before = interval;
        done = at;
        frames++;
    }
    if (quiet >= patience)
        return bnn_fail(err, BNN_ETIMEOUT, "overlay: the stream stands still in cycle %llu", (unsigned long long)at);
    return BNN_OK;
}

int bnn_cycles_run(bnn_cycles *out, const bnn_plan *plan, bnn_error *err)
{
    struct model *m = bnn_alloc(1, sizeof *m);
    if (!m)
        return bnn_fail_memory(err, sizeof *m);
    build(m, plan);
    *out = (bnn_cycles){ 0 };
    const int rc = run(m, plan, out, err);
    for (uint32_t i = 0; i < m->nodes; i++)
        if (m->node[i].kind == NODE_MVTU)
            out->peak[m->node[i].unit - plan->design.units.unit] = m->node[i].peak;
    bnn_free(m);
    return rc;
}

static uint32_t round_up(uint32_t n)
{
    uint32_t p = 2;
    while (p < n)
        p *= 2;
    return p;
}

/* Halves one unit's queue as long as that costs nothing. */
static int shrink(bnn_plan *plan, uint32_t unit, uint64_t interval, bnn_error *err)
{
    const uint32_t least = bnn_queue_least(&plan->design.units.unit[unit], plan->design.pipe);
    bnn_cycles c;
    for (uint32_t size = plan->queue[unit]; size > least;) {
        const uint32_t half = size / 2 < least ? least : size / 2;
        plan->queue[unit] = half;
        const int rc = bnn_cycles_run(&c, plan, err);
        if (rc != BNN_OK)
            return rc;
        if (c.interval != interval) {
            plan->queue[unit] = size;
            return BNN_OK;
        }
        size = half;
    }
    return BNN_OK;
}

int bnn_plan_queues(bnn_plan *plan, bnn_cycles *out, bnn_error *err)
{
    enum { LONG = 1024 };
    int rc = bnn_cycles_run(out, plan, err);
    if (rc != BNN_OK || out->interval == bnn_cycles_bound(plan))
        return rc; /* nothing to gain */
    bnn_plan deep = *plan;
    bnn_cycles best;
    for (uint32_t i = 0; i < plan->design.units.count; i++)
        deep.queue[i] = LONG;
    rc = bnn_cycles_run(&best, &deep, err);
    if (rc != BNN_OK || best.interval >= out->interval)
        return rc;
    for (uint32_t i = 0; i < plan->design.units.count; i++)
        deep.queue[i] = round_up(best.peak[i]) < plan->queue[i] ? plan->queue[i] : round_up(best.peak[i]);
    for (uint32_t i = plan->design.units.count; rc == BNN_OK && i-- > 0;)
        rc = shrink(&deep, i, best.interval, err);
    *plan = deep;
    return rc == BNN_OK ? bnn_cycles_run(out, plan, err) : rc;
}
