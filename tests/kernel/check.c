/* check.c -- holds every kernel of every level this machine runs to scalar.
 *
 *     check [--seed N] [--rounds N] [--only LEVEL] [--break bit|guard|trap]
 *
 * State space: window (1..7, non-square maps), channels and neurons on and
 * beside the boundaries of words and vectors, one neuron, 1,000 rows, 1 and 2
 * planes on both sides, 8-bit input, 0 to 2 thresholds, 1 to 19 images;
 * operands random, all equal, all different. Outputs are compared with `==`,
 * guard bytes around them too; a signal inside a kernel is that kernel's
 * failure. --break replaces the level under test by a faulty one: the check
 * must name it (tests/kernel/CMakeLists.txt).
 */
#include "kernel/kernel.h"
#include "random_network.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#ifdef CHECK_EMULATED_AMX
void bnn_kernels_init_amx_emulated(bnn_kernels *k); /* amx.c over amx_emulation.h */
#endif

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

static struct {
    random_state random;
    bnn_kernels  scalar, tested;
    char         what[200];
    unsigned     run, failed;
} check;

static sigjmp_buf        escape;
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
    siglongjmp(escape, 1);
}

static void fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("  %s %s: ", check.tested.name, check.what);
    vprintf(fmt, args);
    puts("");
    va_end(args);
    check.failed++;
}

/* A block with guards on both sides, so that what is written outside shows. */
typedef struct guarded { uint8_t *block, *data; size_t size; } guarded;

static guarded guarded_new(size_t size)
{
    guarded g = { bnn_alloc(size + 2 * GUARD, 1), NULL, size };
    memset(g.block, GUARD_BYTE, size + 2 * GUARD);
    g.data = g.block + GUARD;
    return g;
}

static void guarded_free(guarded *g) { bnn_free(g->block); }

static void compare(const guarded *want, const guarded *got)
{
    for (size_t i = 0; i < GUARD; i++)
        if (got->block[i] != GUARD_BYTE || got->data[got->size + i] != GUARD_BYTE) {
            fail("wrote outside its output of %zu bytes", got->size);
            return;
        }
    for (size_t i = 0; i < want->size; i++)
        if (want->data[i] != got->data[i]) {
            fail("byte %zu of %zu is 0x%02x, should be 0x%02x", i, want->size, got->data[i], want->data[i]);
            return;
        }
}

/* Runs `call` under the signal handler; false (and a failure) when it was hit. */
static int survives(void (*call)(void *), void *context)
{
    check.run++;
    if (sigsetjmp(escape, 1) == 0) {
        call(context);
        return 1;
    }
    fail("%s", strsignal(caught));
    return 0;
}

/* ----------------------------------------------------------------- mvtu -- */

/* A first layer on a small picture, which some levels treat by itself. */
static bnn_mvtu random_first(void)
{
    random_state *r = &check.random;
    bnn_mvtu m = { .in_channels = random_between(r, 1, 4), .weight_planes = 1, .kh = random_between(r, 1, 5), .kw = random_between(r, 1, 5),
                   .MH = random_width(r, 150), .thresholds = random_between(r, 0, 2) };
    if (random_bits(r) % 2)
        m.kh = m.kw = m.in_channels = 3;
    m.in_height  = m.kh + random_between(r, 0, 3);
    m.in_width   = m.kw + random_between(r, 0, 30);
    m.out_height = m.in_height - m.kh + 1;
    m.out_width  = m.in_width - m.kw + 1;
    m.MW         = m.kh * m.kw * m.in_channels;
    return m;
}

static bnn_mvtu random_unit(void)
{
    random_state *r = &check.random;
    if (random_bits(r) % 8 == 0)
        return random_first();
    bnn_mvtu m = { .in_planes = random_between(r, 0, 2), .weight_planes = random_between(r, 1, 2) };
    const int dense = random_bits(r) % 3 == 0;
    m.kh = m.kw = dense ? 1 : random_between(r, 1, 7);
    m.in_height   = dense ? 1 : m.kh + random_between(r, 0, 6);
    m.in_width    = dense ? 1 : m.kw + random_between(r, 0, 6);
    m.in_channels = dense ? random_width(r, 1200) : random_bits(r) % 3 ? random_width(r, 140) : random_between(r, 1, 3);
    m.out_height  = m.in_height - m.kh + 1;
    m.out_width   = m.in_width - m.kw + 1;
    m.MW          = m.kh * m.kw * m.in_channels;
    m.MH          = random_bits(r) % 40 == 0 ? 1000 : random_width(r, 150);
    m.thresholds  = random_between(r, 0, 2);
    if (dense && random_bits(r) % 8 == 0) { /* sums on both sides of what 16 bits hold */
        m.in_channels = m.MW = random_between(r, INT16_MAX - 30, INT16_MAX + 70);
        m.MH         = random_width(r, 40);
        m.in_planes  = 1;
        m.thresholds = random_between(r, 1, 2);
    }
    return m;
}

static bnn_layer layer_of(const bnn_mvtu *m)
{
    return (bnn_layer){ .MW = m->MW, .MH = m->MH, .weight_bits = m->weight_planes };
}

static uint64_t *random_natural(const bnn_mvtu *m)
{
    const bnn_layer l = layer_of(m);
    bnn_matrix matrix = { .weights = bnn_alloc(bnn_weight_words(&l), 8) };
    for (uint32_t row = 0; row < m->MH; row++) {
        const uint32_t fill = (uint32_t)(random_bits(&check.random) % 12);
        for (uint32_t s = 0; s < m->MW; s++)
            bnn_weight_set(&l, &matrix, row, s, random_weight(&check.random, fill, l.weight_bits));
    }
    return matrix.weights;
}

/* Maps of one kind each: noise, all +1, all -1 (all different from weights of all +1). */
static void random_maps(const bnn_mvtu *m, uint8_t *x, size_t images)
{
    random_state *r = &check.random;
    const size_t words = bnn_plane_words(m->in_channels), pixels = images * m->in_height * m->in_width;
    const uint64_t kind = random_bits(r) % 4;
    if (m->in_planes == 0) {
        for (size_t i = 0; i < pixels * m->in_channels; i++)
            x[i] = kind == 0 ? 0x80 : kind == 1 ? 0x7f : (uint8_t)random_bits(r);
        return;
    }
    uint64_t *w = (uint64_t *)(void *)x;
    for (size_t p = 0; p < pixels; p++, w += m->in_planes * words)
        for (size_t i = 0; i < words; i++) {
            const uint32_t left = m->in_channels - (uint32_t)i * 64;
            const uint64_t true_bits = left < 64 ? ((uint64_t)1 << left) - 1 : ~(uint64_t)0;
            w[i] = (kind == 0 ? 0 : kind == 1 ? ~(uint64_t)0 : random_bits(r)) & true_bits;
            if (m->in_planes == 2) {
                w[words + i] = (random_bits(r) % 4 ? random_bits(r) | random_bits(r) : kind ? ~(uint64_t)0 : 0) & true_bits;
                w[i] &= w[words + i];
            }
        }
}

struct unit_call { const bnn_kernels *k; bnn_mvtu m; const uint64_t *natural; const uint8_t *x; uint8_t *y; size_t images; };

static void call_unit(void *context)
{
    struct unit_call *c = context;
    const bnn_unit *unit = bnn_unit_for(c->k, &c->m);
    void *weights = bnn_alloc(unit->weight_size(&c->m), 1), *scratch = bnn_alloc(unit->scratch_size(&c->m), 1);
    unit->weight_pack(weights, &c->m, c->natural);
    c->m.weights = weights;
    unit->mvtu(&c->m, c->x, c->y, c->images, scratch);
    bnn_free(scratch);
    bnn_free(weights);
}

static void check_unit(void)
{
    random_state *r = &check.random;
    bnn_mvtu m = random_unit();
    const size_t images = random_bits(r) % 3 ? random_between(r, 1, 3) : random_between(r, 4, 19);
    uint64_t *natural = random_natural(&m);
    int32_t *threshold = bnn_alloc((size_t)m.MH * m.thresholds, sizeof *threshold);
    uint8_t *x = bnn_alloc(images, bnn_mvtu_in_size(&m));
    guarded want = guarded_new(images * bnn_mvtu_out_size(&m)), got = guarded_new(want.size);
    for (uint32_t i = 0; i < m.MH * m.thresholds; i++)
        threshold[i] = random_threshold(r, m.MW, m.in_planes ? m.in_planes : 8);
    m.threshold = threshold;
    random_maps(&m, x, images);
    snprintf(check.what, sizeof check.what, "mvtu %ux%u on %ux%ux%u, %u planes, %u rows of %u planes, %u thresholds, %zu images",
             m.kh, m.kw, m.in_height, m.in_width, m.in_channels, m.in_planes, m.MH, m.weight_planes, m.thresholds, images);
    struct unit_call ref = { &check.scalar, m, natural, x, want.data, images }, new = { &check.tested, m, natural, x, got.data, images };
    call_unit(&ref);
    if (survives(call_unit, &new))
        compare(&want, &got);
    guarded_free(&got);
    guarded_free(&want);
    bnn_free(x);
    bnn_free(threshold);
    bnn_free(natural);
}

/* -------------------------------------------------------- maxpool, pack -- */

struct pool_call { const bnn_kernels *k; uint64_t *out; const uint64_t *map; uint32_t height, width, planes; size_t words; };

static void call_pool(void *context)
{
    const struct pool_call *c = context;
    c->k->maxpool(c->out, c->map, c->height, c->width, c->planes, c->words);
}

static void check_pool(void)
{
    random_state *r = &check.random;
    const uint32_t height = 2 * random_between(r, 1, 5), width = 2 * random_between(r, 1, 5);
    bnn_mvtu m = { .in_height = height, .in_width = width, .in_channels = random_width(r, 300), .in_planes = random_between(r, 1, 2) };
    const size_t words = bnn_plane_words(m.in_channels);
    uint8_t *map = bnn_alloc(bnn_mvtu_in_size(&m), 1);
    guarded want = guarded_new(bnn_mvtu_in_size(&m) / 4), got = guarded_new(want.size);
    random_maps(&m, map, 1);
    snprintf(check.what, sizeof check.what, "maxpool on %ux%ux%u, %u planes", height, width, m.in_channels, m.in_planes);
    const uint64_t *in = (const uint64_t *)(const void *)map;
    struct pool_call ref = { &check.scalar, (uint64_t *)(void *)want.data, in, height, width, m.in_planes, words }, new = ref;
    new.k   = &check.tested;
    new.out = (uint64_t *)(void *)got.data;
    call_pool(&ref);
    if (survives(call_pool, &new))
        compare(&want, &got);
    guarded_free(&got);
    guarded_free(&want);
    bnn_free(map);
}

struct pack_call { const bnn_kernels *k; uint64_t *out; const uint8_t *v, *table; unsigned level; size_t n; };

static void call_pack(void *context)
{
    const struct pack_call *c = context;
    c->k->pack(c->out, c->v, c->level, c->table, c->n);
}

static void check_pack(void)
{
    random_state *r = &check.random;
    const size_t n = random_bits(r) % 8 ? random_width(r, 900) : 784;
    const unsigned level = random_bits(r) % 4 ? random_between(r, 0, 256) : 128;
    guarded v = guarded_new(n), table = guarded_new(n), want = guarded_new((n + 63) / 64 * 8), got = guarded_new(want.size);
    for (size_t i = 0; i < n; i++) {
        v.data[i]     = (uint8_t)random_bits(r);
        table.data[i] = (uint8_t)random_bits(r);
    }
    const uint8_t *t = random_bits(r) % 2 ? table.data : NULL;
    snprintf(check.what, sizeof check.what, "pack of %zu bytes by %s %u", n, t ? "table" : "level", level);
    struct pack_call ref = { &check.scalar, (uint64_t *)(void *)want.data, v.data, t, level, n }, new = ref;
    new.k   = &check.tested;
    new.out = (uint64_t *)(void *)got.data;
    call_pack(&ref);
    if (survives(call_pack, &new))
        compare(&want, &got);
    guarded_free(&got);
    guarded_free(&want);
    guarded_free(&table);
    guarded_free(&v);
}

/* --------------------------------------------------------------- faults -- */

/* What a wrong kernel may do: one bit, one byte too far, an instruction the processor has not. */
static void bad_bit(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    check.scalar.unit.mvtu(m, x, y, images, scratch);
    if (m->MH % 64 == 0 && m->MW > 32)
        ((uint8_t *)y)[images * bnn_mvtu_out_size(m) / 2] ^= 0x10;
}

static void bad_guard(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    check.scalar.unit.mvtu(m, x, y, images, scratch);
    if (m->MH == 1)
        ((uint8_t *)y)[images * bnn_mvtu_out_size(m)] = 0;
}

static void bad_trap(const bnn_mvtu *m, const void *x, void *y, size_t images, void *scratch)
{
    if (m->thresholds == 2)
        raise(SIGILL);
    check.scalar.unit.mvtu(m, x, y, images, scratch);
}

static void break_kernel(const char *how)
{
    check.tested = check.scalar;
    check.tested.name = "broken";
    check.tested.unit.mvtu = strcmp(how, "bit") == 0 ? bad_bit : strcmp(how, "guard") == 0 ? bad_guard : bad_trap;
}

/* ----------------------------------------------------------------- main -- */

static void check_level(uint64_t seed, unsigned rounds)
{
    const unsigned run = check.run, failed = check.failed;
    check.random.state = seed;
    for (unsigned i = 0; i < rounds; i++) {
        check_unit();
        check_pool();
        check_pack();
    }
    printf("%s: %u checks, %u failed\n", check.tested.name, check.run - run, check.failed - failed);
}

static void catch_signals(void)
{
    static const int number[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE };
    struct sigaction action = { .sa_handler = on_signal };
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        sigaction(number[i], &action, NULL);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    unsigned rounds = 600;
    const char *only = NULL, *broken = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) seed = strtoull(argv[i + 1], NULL, 0);
        if (strcmp(argv[i], "--rounds") == 0) rounds = (unsigned)strtoul(argv[i + 1], NULL, 0);
        if (strcmp(argv[i], "--only") == 0) only = argv[i + 1];
        if (strcmp(argv[i], "--break") == 0) broken = argv[i + 1];
    }
    printf("seed %" PRIu64 "\n", seed);
    catch_signals();
    bnn_kernels_init(&check.scalar, bnn_level_at(0));
    const bnn_level *l;
    for (size_t i = 1; !broken && (l = bnn_level_at(i)) != NULL; i++) {
        if (only && strcmp(only, l->name) != 0)
            continue;
        if (bnn_level_missing(l)) {
            printf("%s: not checked: %s\n", l->name, bnn_level_missing(l));
            continue;
        }
        bnn_kernels_init(&check.tested, l);
        check_level(seed, rounds);
    }
#ifdef CHECK_EMULATED_AMX
    if (bnn_level_missing(bnn_level_at(2)))
        return 77;
    bnn_kernels_init(&check.tested, bnn_level_at(2));
    bnn_kernels_init_amx_emulated(&check.tested);
    check_level(seed, rounds);
#endif
    if (broken) {
        break_kernel(broken);
        check_level(seed, rounds);
    }
    return check.failed != 0;
}
