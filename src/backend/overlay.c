/* overlay.c -- the driver of overlays: the same over a simulation and over a board.
 *
 * open    identify; load the parameters; read them back; get a shared buffer
 * run     images into the buffer; start; wait; results out of it
 *
 * Registers: rtl/bnn_control.v. Parameters and sums: net/unit.h.
 */
#include "backend/backend.h"
#include "backend/platform.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "net/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONTROL = 0x000, GIE = 0x004, IER = 0x008, ISR = 0x00c, IN_LOW = 0x010, IN_HIGH = 0x014, OUT_LOW = 0x01c, OUT_HIGH = 0x020,
    DO_INIT = 0x028, LAYER = 0x030, LANE = 0x038, INDEX = 0x040, PART = 0x048, VALUE_LOW = 0x050, VALUE_HIGH = 0x054, REPS = 0x05c,
    MAGIC = 0x080, VERSION = 0x084, IDENTITY = 0x088, UNITS = 0x090, IN_BYTES = 0x094, OUT_BYTES = 0x098, ERROR = 0x09c,
    CYCLES = 0x0a0, FIRST_OUT = 0x0a8, LAST_OUT = 0x0b0, STARVED = 0x0b8, WAITED = 0x0bc, LAST_PART = 0x0c0, LAST_INDEX = 0x0c4,
    SCAN = 0x0c8, MODE = 0x0cc, CHECKSUM = 0x0d0, WINDOW = 0x1000,
};
enum { MAGIC_VALUE = 0x4f4e4e42, BUFFER_BYTES = 1 << 20, MOST_IMAGES = 1024 };

struct bnn_backend_state {
    const bnn_network  *net;
    const bnn_platform *platform;
    bnn_device         *device;
    bnn_design          design;
    uint32_t            in_bytes, out_bytes; /* of an image, of a result */
    uint8_t            *buffer;              /* shared: `batch` images, then their results */
    uint64_t            address;
    size_t              batch;
    uint64_t            cycles, latency, starved, waited;
    double              interval;
};

/* The first failure of a run of accesses is kept; the rest does nothing. */
struct access { bnn_backend_state *s; bnn_error *err; int rc; };

static void put(struct access *a, uint32_t address, uint32_t value)
{
    if (a->rc == BNN_OK)
        a->rc = a->s->platform->write(a->s->device, address, value, a->err);
}

static uint32_t get(struct access *a, uint32_t address)
{
    uint32_t value = 0;
    if (a->rc == BNN_OK)
        a->rc = a->s->platform->read(a->s->device, address, &value, a->err);
    return value;
}

static uint64_t get64(struct access *a, uint32_t address)
{
    const uint64_t low = get(a, address);
    return low | (uint64_t)get(a, address + 4) << 32;
}

/* ------------------------------------------------------------- identify -- */

/* The network's layers must be the overlay's; its last layer may have fewer rows, and thresholds that are applied here. */
static int check_network(const bnn_design *d, const bnn_network *net, bnn_error *err)
{
    bnn_topology t = d->topology;
    const bnn_layer *last = bnn_topology_last(&net->topology);
    bnn_layer *end = &t.layer[t.layers - 1];
    if (t.layers == net->topology.layers && last->MH <= end->MH) {
        end->MH = end->out.channels = last->MH;
        end->last_bits   = last->last_bits;
        end->output_bits = last->output_bits;
        end->thresholds  = last->thresholds;
    }
    if (bnn_topology_equal(&t, &net->topology))
        return BNN_OK;
    char shape[128];
    bnn_topology_print(&d->topology, shape, sizeof shape);
    shape[strcspn(shape, "\n")] = 0;
    return bnn_fail(err, BNN_ESHAPE, "overlay for another topology (%s, %u layers, %u units); the network has %u layers or other shapes",
                    shape, d->topology.layers, d->units.count, net->topology.layers);
}

static int identify(bnn_backend_state *s, bnn_error *err)
{
    struct access a = { s, err, BNN_OK };
    const uint64_t expected = bnn_design_identity(&s->design);
    const uint32_t magic = get(&a, MAGIC);
    if (a.rc == BNN_OK && magic != MAGIC_VALUE)
        return bnn_fail(err, BNN_EMAGIC, "overlay: identification 0x%08x; expected 0x%08x", magic, MAGIC_VALUE);
    const uint32_t version = get(&a, VERSION);
    if (a.rc == BNN_OK && version != BNN_REGISTER_MAP)
        return bnn_fail(err, BNN_EVERSION, "overlay: register map %u; expected %d", version, BNN_REGISTER_MAP);
    const uint64_t identity = get64(&a, IDENTITY);
    if (a.rc == BNN_OK && identity != expected)
        return bnn_fail(err, BNN_EMAGIC, "overlay: identity %016llx; expected %016llx, that of its description",
                        (unsigned long long)identity, (unsigned long long)expected);
    s->in_bytes  = get(&a, IN_BYTES);
    s->out_bytes = get(&a, OUT_BYTES);
    const uint32_t in = (uint32_t)((bnn_shape_size(s->design.topology.input) * s->design.topology.input_bits + 63) / 64 * 8);
    const bnn_unit *last = &s->design.units.unit[s->design.units.count - 1];
    const uint32_t out = (last->MH * last->out_bits + 63) / 64 * 8;
    if (a.rc == BNN_OK && (s->in_bytes != in || s->out_bytes != out))
        return bnn_fail(err, BNN_EMAGIC, "overlay: images of %u bytes, results of %u; expected %u and %u", s->in_bytes, s->out_bytes, in, out);
    return a.rc;
}

/* ----------------------------------------------------------------- load -- */

/* A memory of parameters: `lanes` x `indices` x `parts` words, part fastest, then index. */
struct memory { const bnn_backend_state *s; uint32_t unit, kind, lanes, indices, parts, bits; };

static struct memory memory_of(const bnn_backend_state *s, uint32_t unit, uint32_t kind)
{
    const bnn_unit *u = &s->design.units.unit[unit];
    if (kind == 0)
        return (struct memory){ s, unit, kind, u->PE, u->SF * u->NF, bnn_unit_parts(u), bnn_unit_part_bits(u) };
    return (struct memory){ s, unit, kind, u->thresholds ? u->PE : 0, u->NF, u->thresholds, u->sum_bits };
}

static uint64_t word_of(const struct memory *m, uint32_t lane, uint32_t index, uint32_t part)
{
    const bnn_unit *u = &m->s->design.units.unit[m->unit];
    const bnn_layer *l = &m->s->net->topology.layer[u->layer];
    const bnn_matrix *matrix = &m->s->net->matrix[u->layer];
    return m->kind == 0 ? bnn_unit_weight_word(u, l, matrix, lane, index, part)
                        : bnn_unit_threshold_word(u, l, matrix, lane, index, part);
}

typedef void (*word_fn)(struct access *a, const struct memory *m, uint32_t lane, uint32_t index, uint32_t part, uint64_t word, uint64_t *sum);

static uint64_t walk(struct access *a, const struct memory *m, word_fn fn)
{
    uint64_t sum = 0;
    for (uint32_t lane = 0; lane < m->lanes; lane++)
        for (uint32_t index = 0; index < m->indices; index++)
            for (uint32_t part = 0; part < m->parts && a->rc == BNN_OK; part++)
                fn(a, m, lane, index, part, word_of(m, lane, index, part), &sum);
    return sum;
}

static void add_word(struct access *a, const struct memory *m, uint32_t lane, uint32_t index, uint32_t part, uint64_t word, uint64_t *sum)
{
    (void)a, (void)m, (void)lane, (void)index, (void)part;
    *sum = (*sum << 1 | *sum >> 63) + word;
}

static void window_word(struct access *a, const struct memory *m, uint32_t lane, uint32_t index, uint32_t part, uint64_t word, uint64_t *sum)
{
    put(a, WINDOW, (uint32_t)word);
    if (m->bits > 32)
        put(a, WINDOW + 4, (uint32_t)(word >> 32));
    add_word(a, m, lane, index, part, word, sum);
}

/* As BNN-PYNQ's host does: nine writes and a wait for every word. */
static void register_word(struct access *a, const struct memory *m, uint32_t lane, uint32_t index, uint32_t part, uint64_t word, uint64_t *sum)
{
    put(a, LAYER, 2 * m->unit + m->kind);
    put(a, LANE, lane);
    put(a, INDEX, index);
    put(a, PART, part);
    put(a, VALUE_LOW, (uint32_t)word);
    put(a, VALUE_HIGH, (uint32_t)(word >> 32));
    put(a, CONTROL, 1);
    for (int tries = 0; a->rc == BNN_OK && !(get(a, CONTROL) & 2); tries++)
        if (tries == 1000)
            a->rc = bnn_fail(a->err, BNN_ETIMEOUT, "overlay: a parameter word was not taken");
    add_word(a, m, lane, index, part, word, sum);
}

static void set_position(struct access *a, const struct memory *m)
{
    put(a, LAYER, 2 * m->unit + m->kind);
    put(a, LANE, 0);
    put(a, INDEX, 0);
    put(a, PART, 0);
    put(a, LAST_PART, m->parts - 1);
    put(a, LAST_INDEX, m->indices - 1);
    put(a, MODE, m->bits <= 32);
}

/* The overlay reads its own memory and sums it up; the sum must be ours. */
static int verify(struct access *a, const struct memory *m, uint64_t expected)
{
    const uint32_t words = m->lanes * m->indices * m->parts;
    set_position(a, m);
    put(a, SCAN, words);
    a->s->platform->pause(a->s->device, words);
    for (int tries = 0; a->rc == BNN_OK && (get(a, SCAN) & 1); tries++) {
        a->s->platform->pause(a->s->device, 1000);
        if (tries == 1000)
            a->rc = bnn_fail(a->err, BNN_ETIMEOUT, "overlay: unit %u does not read back its %s", m->unit, m->kind ? "thresholds" : "weights");
    }
    const uint64_t found = get64(a, CHECKSUM);
    if (a->rc == BNN_OK && found != expected)
        a->rc = bnn_fail(a->err, BNN_ECORRUPT, "overlay: unit %u %s: checksum %016llx read back; expected %016llx", m->unit,
                         m->kind ? "thresholds" : "weights", (unsigned long long)found, (unsigned long long)expected);
    return a->rc;
}

static int load(bnn_backend_state *s, word_fn fn, bnn_error *err)
{
    struct access a = { s, err, BNN_OK };
    for (uint32_t i = 0; i < 2 * s->design.units.count && a.rc == BNN_OK; i++) {
        const struct memory m = memory_of(s, i / 2, i % 2);
        if (m.lanes == 0)
            continue;
        if (fn == register_word)
            put(&a, DO_INIT, 1);
        else
            set_position(&a, &m);
        const uint64_t sum = walk(&a, &m, fn);
        put(&a, DO_INIT, 0);
        verify(&a, &m, sum);
    }
    return a.rc;
}

/* ----------------------------------------------------------------- open -- */

static void overlay_close(bnn_backend_state *s)
{
    if (s && s->device)
        s->platform->close(s->device);
    bnn_free(s);
}

static int get_buffer(bnn_backend_state *s, bnn_error *err)
{
    const size_t each = s->in_bytes + s->out_bytes;
    size_t want = BUFFER_BYTES / each, size;
    want = want < 1 ? 1 : want > MOST_IMAGES ? MOST_IMAGES : want;
    const int rc = s->platform->buffer(s->device, each, want * each, &s->buffer, &s->address, &size, err);
    if (rc == BNN_OK)
        s->batch = size / each > MOST_IMAGES ? MOST_IMAGES : size / each;
    return rc;
}

static int enable_interrupt(bnn_backend_state *s, bnn_error *err)
{
    struct access a = { s, err, BNN_OK };
    get(&a, CONTROL); /* forgets an earlier run's "done" */
    if (get(&a, ISR) & 1)
        put(&a, ISR, 1);
    put(&a, GIE, 1);
    put(&a, IER, 1);
    return a.rc;
}

static int choose_load(word_fn *fn, const char *name, bnn_error *err)
{
    if (!name || strcmp(name, "window") == 0)
        *fn = window_word;
    else if (strcmp(name, "registers") == 0)
        *fn = register_word;
    else if (strcmp(name, "back") == 0)
        *fn = add_word; /* the memories are full already; only the sums are wanted */
    else
        return bnn_fail(err, BNN_EINVAL, "overlay load '%s'; expected window, registers or back", name);
    return BNN_OK;
}

static int describe(bnn_backend_state *s, bnn_error *err)
{
    const char *text = s->platform->description(s->device);
    const int rc = bnn_design_parse(&s->design, text, strlen(text), err);
    return rc == BNN_OK ? check_network(&s->design, s->net, err) : rc;
}

static int bring_up(bnn_backend_state *s, const bnn_options *options, const char *images, word_fn fn, bnn_error *err)
{
    int rc = s->platform->open(&s->device, options, images, err);
    if (rc == BNN_OK)
        rc = describe(s, err);
    if (rc == BNN_OK)
        rc = identify(s, err);
    if (rc == BNN_OK)
        rc = load(s, fn, err);
    if (rc == BNN_OK)
        rc = enable_interrupt(s, err);
    return rc == BNN_OK ? get_buffer(s, err) : rc;
}

static void remove_images(const bnn_design *d, const char *folder)
{
    char path[4096];
    for (uint32_t i = 0; i < 2 * d->units.count; i++) {
        snprintf(path, sizeof path, "%s/%c%u.hex", folder, i % 2 ? 't' : 'w', i / 2);
        unlink(path);
    }
    rmdir(folder);
}

/* The memory images need the design, which the object tells: it is opened once to ask, and again with the images. */
static int bring_up_by_back_door(bnn_backend_state *s, const bnn_options *options, bnn_error *err)
{
    char folder[] = P_tmpdir "/bnn-images-XXXXXX";
    int rc = s->platform->open(&s->device, options, NULL, err);
    if (rc == BNN_OK)
        rc = describe(s, err);
    if (rc != BNN_OK)
        return rc;
    s->platform->close(s->device);
    s->device = NULL;
    if (!mkdtemp(folder))
        return bnn_fail_errno(err, "cannot make folder", folder);
    rc = bnn_images_write(&s->design, folder, s->net, err);
    if (rc == BNN_OK)
        rc = bring_up(s, options, folder, add_word, err);
    remove_images(&s->design, folder);
    return rc;
}

static int overlay_open(bnn_backend_state **out, const bnn_network *net, const bnn_options *options, bnn_error *err)
{
    word_fn fn = NULL;
    if (!options->overlay)
        return bnn_fail(err, BNN_EBACKEND, "backend overlay: no simulation object or board named; `bnn overlay build` makes one");
    int rc = choose_load(&fn, options->overlay_load, err);
    bnn_backend_state *s = rc == BNN_OK ? bnn_alloc(1, sizeof *s) : NULL;
    if (!s)
        return rc == BNN_OK ? bnn_fail_memory(err, sizeof *s) : rc;
    s->net      = net;
    s->platform = strcmp(options->overlay, "uio") == 0 ? &bnn_platform_uio : &bnn_platform_sim;
    if (fn == add_word && s->platform != &bnn_platform_sim)
        rc = bnn_fail(err, BNN_EINVAL, "overlay load 'back'; a board has no back door, expected window or registers");
    else
        rc = fn == add_word ? bring_up_by_back_door(s, options, err) : bring_up(s, options, NULL, fn, err);
    if (rc == BNN_OK)
        *out = s;
    else
        overlay_close(s);
    return rc;
}

/* ------------------------------------------------------------------ run -- */

/* Lanes of the stream: bits packed from the lowest, or bytes of fixed point. */
static void pack(const bnn_rule *rule, const uint8_t *pixels, uint8_t *out, size_t size)
{
    const size_t n = bnn_shape_size(rule->shape);
    const unsigned level = rule->bits == 1 ? bnn_rule_level(rule, pixels) : 0;
    memset(out, 0, size);
    for (size_t i = 0; i < n; i++)
        if (rule->bits == 8)
            out[i] = (uint8_t)bnn_rule_q(rule, pixels[i]);
        else
            out[i / 8] |= (uint8_t)((pixels[i] >= bnn_rule_threshold(rule, level, i)) << i % 8);
}

static int32_t score_at(const bnn_backend_state *s, const uint8_t *result, uint32_t row)
{
    const bnn_unit *u = &s->design.units.unit[s->design.units.count - 1];
    const bnn_layer *last = bnn_topology_last(&s->net->topology);
    const uint32_t sum = u->out_bits == 16 ? (uint32_t)(result[2 * row] | result[2 * row + 1] << 8) : bnn_get_u32le(result + 4 * row);
    const int32_t dot = bnn_unit_dot(u, last, sum);
    return last->thresholds ? dot - s->net->matrix[u->layer].thresholds[row] : dot;
}

/* No unit waits for ever, so an image takes less than all units one after the other. */
static uint64_t expected_cycles(const bnn_backend_state *s, size_t count)
{
    uint64_t image = s->in_bytes + s->out_bytes;
    for (uint32_t i = 0; i < s->design.units.count; i++)
        image += bnn_unit_cycles(&s->design.units.unit[i]);
    return image * count;
}

static void collect_counters(struct access *a, size_t count)
{
    bnn_backend_state *s = a->s;
    const uint64_t first = get64(a, FIRST_OUT), last = get64(a, LAST_OUT);
    s->cycles  += get64(a, CYCLES);
    s->starved += get(a, STARVED);
    s->waited  += get(a, WAITED);
    s->latency  = first;
    if (count > 1)
        s->interval = (double)(last - first) / (double)(count - 1);
}

static int start(struct access *a, size_t count)
{
    const bnn_backend_state *s = a->s;
    const uint64_t results = s->address + s->batch * s->in_bytes;
    put(a, IN_LOW, (uint32_t)s->address);
    put(a, IN_HIGH, (uint32_t)(s->address >> 32));
    put(a, OUT_LOW, (uint32_t)results);
    put(a, OUT_HIGH, (uint32_t)(results >> 32));
    put(a, REPS, (uint32_t)count);
    put(a, CONTROL, 1);
    return a->rc;
}

/* One batch: `count` images that are in the buffer. */
static int run_batch(bnn_backend_state *s, size_t count, bnn_error *err)
{
    struct access a = { s, err, BNN_OK };
    const size_t bytes = s->batch * (s->in_bytes + s->out_bytes);
    a.rc = s->platform->sync(s->device, bytes, true, err);
    if (a.rc == BNN_OK)
        a.rc = start(&a, count);
    if (a.rc == BNN_OK)
        a.rc = s->platform->wait(s->device, expected_cycles(s, count), err);
    const uint32_t control = get(&a, CONTROL), error = get(&a, ERROR);
    put(&a, ISR, 1);
    if (a.rc == BNN_OK && !(control & 2))
        return bnn_fail(err, BNN_ETIMEOUT, "overlay: interrupt without done, control register 0x%x", control);
    if (a.rc == BNN_OK && error)
        return bnn_fail(err, BNN_EIO, "overlay: memory answered %s with an error", error & 1 ? "a read" : "a write");
    collect_counters(&a, count);
    return a.rc == BNN_OK ? s->platform->sync(s->device, bytes, false, err) : a.rc;
}

static int run_images(bnn_backend_state *s, const uint8_t *images, size_t count, bnn_error *err)
{
    const size_t pixels = bnn_shape_size(s->net->rule.shape);
    for (size_t i = 0; i < count; i++)
        pack(&s->net->rule, images + i * pixels, s->buffer + i * s->in_bytes, s->in_bytes);
    return run_batch(s, count, err);
}

static int overlay_run(bnn_backend_state *s, const uint8_t *images, size_t count, int32_t *scores, bnn_error *err)
{
    const uint32_t rows = bnn_topology_last(&s->net->topology)->MH;
    const size_t pixels = bnn_shape_size(s->net->rule.shape);
    for (size_t at = 0; at < count; at += s->batch) {
        const size_t n = count - at < s->batch ? count - at : s->batch;
        const int rc = run_images(s, images + at * pixels, n, err);
        if (rc != BNN_OK)
            return rc;
        for (size_t i = 0; i < n; i++)
            for (uint32_t r = 0; r < rows; r++)
                scores[(at + i) * rows + r] = score_at(s, s->buffer + s->batch * s->in_bytes + i * s->out_bytes, r);
    }
    return BNN_OK;
}

/* ---------------------------------------------------------------- trace -- */

/* Words that passed behind one layer, `pieces` of 32 bits each. */
struct trace { uint32_t layer, pieces; uint32_t *words; size_t room, used; };

static void note(void *user, int layer, int piece, uint32_t value)
{
    struct trace *t = user;
    if ((uint32_t)layer == t->layer && t->used < t->room) {
        t->words[t->used] = value;
        t->used += (uint32_t)piece < t->pieces;
    }
}

static uint32_t bits_at(const uint32_t *words, size_t at, uint32_t n)
{
    uint32_t v = 0;
    for (uint32_t i = 0; i < n; i++)
        v |= (words[(at + i) / 32] >> (at + i) % 32 & 1) << i;
    return v;
}

/* Value of a lane: two's complement of two bits, a bit, or a score. */
static int32_t value_of(const bnn_backend_state *s, const bnn_unit *u, uint32_t lane, uint32_t neuron)
{
    static const int32_t ternary[4] = { 0, 1, -2, -1 };
    if (u->out_bits == 1)
        return lane ? 1 : -1;
    if (u->out_bits == 2)
        return ternary[lane];
    const bnn_layer *last = bnn_topology_last(&s->net->topology);
    const int32_t score = bnn_unit_dot(u, last, lane) - (last->thresholds ? s->net->matrix[u->layer].thresholds[neuron] : 0);
    return !last->last_bits ? score : score >= 0 ? 1 : -1;
}

/* The unit that `layer` is, or, of a pool, the one before it. */
static const bnn_unit *unit_of(const bnn_design *d, uint32_t layer)
{
    uint32_t i = d->units.count;
    while (i > 0 && d->units.unit[i - 1].layer > layer)
        i--;
    return &d->units.unit[i - 1];
}

static void untangle(const bnn_backend_state *s, const struct trace *t, const bnn_unit *u, const bnn_layer *l, size_t pixels, int32_t *out)
{
    for (size_t p = 0; p < pixels; p++)
        for (uint32_t n = 0; n < l->out.channels; n++) {
            const uint32_t *word = t->words + (p * u->NF + n / u->PE) * t->pieces;
            out[p * l->out.channels + n] = value_of(s, u, bits_at(word, (size_t)(n % u->PE) * u->out_bits, u->out_bits), n);
        }
}

static int trace_batch(bnn_backend_state *s, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, bnn_error *err)
{
    const bnn_layer *l = &s->net->topology.layer[layer];
    const bnn_unit *u = unit_of(&s->design, layer);
    const size_t pixels = count * l->out.height * l->out.width;
    struct trace t = { .layer = layer, .pieces = (u->PE * u->out_bits + 31) / 32 };
    t.room  = pixels * u->NF * t.pieces;
    t.words = bnn_alloc(t.room, sizeof *t.words);
    if (!t.words)
        return bnn_fail_memory(err, t.room * sizeof *t.words);
    s->platform->tap(s->device, note, &t);
    int rc = run_images(s, images, count, err);
    s->platform->tap(s->device, NULL, NULL);
    if (rc == BNN_OK && t.used != t.room)
        rc = bnn_fail(err, BNN_EBACKEND, "overlay: %zu words seen behind layer %u; expected %zu", t.used, layer, t.room);
    if (rc == BNN_OK)
        untangle(s, &t, u, l, pixels, out);
    bnn_free(t.words);
    return rc;
}

static void trace_input(const bnn_backend_state *s, const uint8_t *images, size_t count, int32_t *out)
{
    const size_t n = bnn_shape_size(s->net->rule.shape);
    for (size_t i = 0; i < count; i++) {
        pack(&s->net->rule, images + i * n, s->buffer, s->in_bytes);
        for (size_t k = 0; k < n; k++)
            out[i * n + k] = s->net->rule.bits == 8 ? (int8_t)s->buffer[k] : s->buffer[k / 8] >> k % 8 & 1 ? 1 : -1;
    }
}

static int overlay_trace(bnn_backend_state *s, const uint8_t *images, size_t count, uint32_t layer, int32_t *out, bnn_error *err)
{
    const size_t pixels = bnn_shape_size(s->net->rule.shape);
    if (layer == UINT32_MAX) {
        trace_input(s, images, count, out);
        return BNN_OK;
    }
    if (!s->platform->tap)
        return bnn_fail(err, BNN_EBACKEND, "overlay on %s: its layers cannot be seen; only a simulation shows them", s->platform->name);
    const size_t values = bnn_shape_size(s->net->topology.layer[layer].out);
    for (size_t at = 0; at < count; at += s->batch) {
        const size_t n = count - at < s->batch ? count - at : s->batch;
        const int rc = trace_batch(s, images + at * pixels, n, layer, out + at * values, err);
        if (rc != BNN_OK)
            return rc;
    }
    return BNN_OK;
}

static void overlay_stats(const bnn_backend_state *s, bnn_stats *stats)
{
    stats->kernels         = s->platform->name;
    stats->threads         = 1;
    stats->cycles          = s->cycles;
    stats->latency_cycles  = s->latency;
    stats->interval_cycles = s->interval;
    stats->starved_cycles  = s->starved;
    stats->waiting_cycles  = s->waited;
}

static const char *overlay_missing(void)
{
    return NULL; /* what it needs is in the options: an object, or a board */
}

const bnn_backend bnn_backend_overlay = {
    .name    = "overlay",
    .summary = "a streaming accelerator: its RTL simulated cycle by cycle, or a board",
    .missing = overlay_missing,
    .open    = overlay_open,
    .close   = overlay_close,
    .run     = overlay_run,
    .trace   = overlay_trace,
    .stats   = overlay_stats,
};
