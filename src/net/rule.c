/* rule.c -- the input rule: defaults, text form, values of pixels. */
#include "net/rule.h"
#include "base/mem.h"
#include "base/text.h"

#include <string.h>

void bnn_rule_default(bnn_rule *out, const bnn_topology *t)
{
    *out = (bnn_rule){
        .shape     = t->input,
        .bits      = t->input_bits,
        .height    = t->input.height,
        .width     = t->input.width,
        .grey      = t->input.channels == 1,
        .threshold = 128,
    };
}

static int parse_size(bnn_rule *r, bnn_span value, bnn_error *err)
{
    uint32_t n[2];
    if (bnn_span_numbers(value, 'x', n, 2) != 2 || n[0] > BNN_MAX_SIDE || n[1] > BNN_MAX_SIDE)
        return bnn_fail(err, BNN_EINVAL, "input rule: size '%.*s'; expected HEIGHTxWIDTH up to %d", BNN_SPAN(value), BNN_MAX_SIDE);
    if (n[0] < r->shape.height || n[1] < r->shape.width)
        return bnn_fail(err, BNN_ESHAPE, "input rule: size %ux%u; expected at least the topology's input, %ux%u", n[0], n[1],
                        r->shape.height, r->shape.width);
    r->height = n[0];
    r->width  = n[1];
    return BNN_OK;
}

static int parse_background(bnn_rule *r, bnn_span value, bnn_error *err)
{
    uint32_t n[3];
    if (bnn_span_numbers(value, ',', n, 3) != 3 || n[0] > 255 || n[1] > 255 || n[2] > 255)
        return bnn_fail(err, BNN_EINVAL, "input rule: background '%.*s'; expected R,G,B from 0 to 255", BNN_SPAN(value));
    for (int i = 0; i < 3; i++)
        r->background[i] = (uint8_t)n[i];
    return BNN_OK;
}

static int parse_threshold(bnn_rule *r, bnn_span value, bnn_error *err)
{
    uint32_t n;
    if (r->bits != 1)
        return bnn_fail(err, BNN_EINVAL, "input rule: a threshold for inputs of %u bits; expected 1 bit", r->bits);
    if (bnn_span_is(value, "mean")) {
        r->kind = BNN_THRESHOLD_MEAN;
    } else if (bnn_span_is(value, "table")) {
        r->kind = BNN_THRESHOLD_TABLE;
    } else if (bnn_span_is(value, "scaled")) {
        r->kind = BNN_THRESHOLD_SCALED;
    } else if (bnn_span_number(value, &n) && n <= 255) {
        r->kind      = BNN_THRESHOLD_CONSTANT;
        r->threshold = (uint8_t)n;
    } else {
        return bnn_fail(err, BNN_EINVAL, "input rule: threshold '%.*s'; expected 0 to 255, mean, table or scaled", BNN_SPAN(value));
    }
    return BNN_OK;
}

static int parse_fit(bnn_rule *r, bnn_span value, bnn_error *err)
{
    if (bnn_span_is(value, "thumbnail"))
        r->fit = BNN_FIT_THUMBNAIL;
    else if (bnn_span_is(value, "stretch"))
        r->fit = BNN_FIT_STRETCH;
    else
        return bnn_fail(err, BNN_EINVAL, "input rule: fit '%.*s'; expected thumbnail or stretch", BNN_SPAN(value));
    return BNN_OK;
}

/* A word that stands alone; false when it is not one of those. */
static bool parse_flag(bnn_rule *r, bnn_span word)
{
    if (bnn_span_is(word, "grey"))
        r->grey = true;
    else if (bnn_span_is(word, "colour"))
        r->grey = false;
    else if (bnn_span_is(word, "invert"))
        r->invert = true;
    else if (bnn_span_is(word, "round"))
        r->truncate = false;
    else if (bnn_span_is(word, "truncate"))
        r->truncate = true;
    else
        return false;
    return true;
}

static int check(const bnn_rule *r, bnn_error *err)
{
    if (r->shape.channels != (r->grey ? 1u : 3u) && (r->height != r->shape.height || r->width != r->shape.width))
        return bnn_fail(err, BNN_ESHAPE, "input rule: a size other than the input's for %u channels; expected 1 or 3", r->shape.channels);
    if (r->grey && r->shape.channels != 1)
        return bnn_fail(err, BNN_ESHAPE, "input rule: grey for an input of %u channels; expected 1", r->shape.channels);
    if (r->truncate && r->bits != 8)
        return bnn_fail(err, BNN_EINVAL, "input rule: truncate for inputs of 1 bit; expected 8 bits");
    return BNN_OK;
}

int bnn_rule_parse(bnn_rule *out, const bnn_topology *t, const char *text, size_t size, bnn_error *err)
{
    static const struct { const char *word; int (*parse)(bnn_rule *, bnn_span, bnn_error *); } with_value[] = {
        { "size", parse_size }, { "fit", parse_fit }, { "background", parse_background }, { "threshold", parse_threshold },
    };
    enum { N = sizeof with_value / sizeof *with_value };
    bnn_rule r;
    bnn_rule_default(&r, t);
    bnn_span rest = { text, size }, word, value;
    while (bnn_next_word(&rest, &word)) {
        size_t i = 0;
        while (i < N && !bnn_span_is(word, with_value[i].word))
            i++;
        if (i == N && !parse_flag(&r, word))
            return bnn_fail(err, BNN_EINVAL, "input rule: '%.*s'; expected size, fit, background, grey, colour, invert, "
                            "threshold, round or truncate", BNN_SPAN(word));
        if (i == N)
            continue;
        if (!bnn_next_word(&rest, &value))
            return bnn_fail(err, BNN_EINVAL, "input rule: nothing after '%s'", with_value[i].word);
        const int rc = with_value[i].parse(&r, value, err);
        if (rc != BNN_OK)
            return rc;
    }
    const int rc = check(&r, err);
    if (rc == BNN_OK)
        *out = r;
    return rc;
}

size_t bnn_rule_print(const bnn_rule *r, char *out, size_t size)
{
    static const char *const names[] = { [BNN_THRESHOLD_MEAN] = "mean", [BNN_THRESHOLD_TABLE] = "table", [BNN_THRESHOLD_SCALED] = "scaled" };
    bnn_printer p = { out, size, 0 };
    bnn_print(&p, "size %ux%u fit %s background %u,%u,%u %s", r->height, r->width,
              r->fit == BNN_FIT_STRETCH ? "stretch" : "thumbnail", r->background[0], r->background[1], r->background[2],
              r->grey ? "grey" : "colour");
    if (r->invert)
        bnn_print(&p, " invert");
    if (r->bits == 8)
        bnn_print(&p, r->truncate ? " truncate" : " round");
    else if (r->kind == BNN_THRESHOLD_CONSTANT)
        bnn_print(&p, " threshold %u", r->threshold);
    else
        bnn_print(&p, " threshold %s", names[r->kind]);
    return p.used;
}

int bnn_rule_copy(bnn_rule *out, const bnn_rule *from, bnn_error *err)
{
    bnn_rule copy = *from;
    if (from->table) {
        const size_t n = bnn_shape_size(from->shape);
        copy.table = bnn_alloc(n, 1);
        if (!copy.table)
            return bnn_fail_memory(err, n);
        memcpy(copy.table, from->table, n);
    }
    *out = copy;
    return BNN_OK;
}

void bnn_rule_free(bnn_rule *r)
{
    bnn_free(r->table);
    r->table = NULL;
}

unsigned bnn_rule_level(const bnn_rule *r, const uint8_t *pixels)
{
    if (r->kind != BNN_THRESHOLD_MEAN && r->kind != BNN_THRESHOLD_SCALED)
        return r->threshold;
    const size_t n = bnn_shape_size(r->shape);
    uint64_t sum = 0;
    for (size_t i = 0; i < n;) { /* parts of 32 bits, so that compilers make narrow vectors of them */
        const size_t end = n - i < 65536 ? n : i + 65536;
        uint32_t part = 0;
        for (; i < end; i++)
            part += pixels[i];
        sum += part;
    }
    return (unsigned)(sum / n) + (r->kind == BNN_THRESHOLD_MEAN); /* v > floor(mean) */
}

const uint8_t *bnn_rule_thresholds(const bnn_rule *r, unsigned level, size_t first, size_t n, uint8_t *room)
{
    if (r->kind != BNN_THRESHOLD_SCALED)
        return r->kind == BNN_THRESHOLD_TABLE ? r->table + first : NULL;
    const uint8_t *table = r->table + first;
    const uint16_t mean = (uint16_t)level; /* a product below 2^16 */
    for (size_t i = 0; i < n; i++) {
        const int16_t t = (int16_t)((uint16_t)(mean * table[i]) >> 6); /* signed: SSE2 has its minimum and maximum */
        const int16_t most = t > 255 ? 255 : t;
        room[i] = (uint8_t)(most < 1 ? 1 : most);
    }
    return room;
}
