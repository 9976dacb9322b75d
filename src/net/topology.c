/* topology.c -- the text form and the shape checks. */
#include "net/topology.h"
#include "base/text.h"

#include <string.h>

static const char *const kind_name[] = { [BNN_DENSE] = "dense", [BNN_CONV] = "conv", [BNN_MAXPOOL] = "maxpool" };

const char *bnn_layer_kind_name(enum bnn_layer_kind kind)
{
    return kind_name[kind];
}

uint64_t bnn_layer_ops(const bnn_layer *l)
{
    return 2 * (uint64_t)l->MW * l->MH * l->out.height * l->out.width;
}

/* State of a parse: the line for messages, and what the next layer sees. */
struct parse {
    bnn_topology *t;
    bnn_error    *err;
    unsigned      line;
    bool          has_input, ended; /* ended: by scores or bits */
    bnn_shape     map;
    uint32_t      bits;
};

#define FAIL(p, code, ...) bnn_fail((p)->err, code, "topology line %u: " __VA_ARGS__)
#define SHAPE_FMT "%ux%ux%u"
#define SHAPE(s) (s).height, (s).width, (s).channels

/* The product may exceed size_t on machines of 32 bits. */
static int check_map(struct parse *p, bnn_shape s)
{
    if ((uint64_t)s.height * s.width * s.channels > BNN_MAX_MAP)
        return FAIL(p, BNN_ESHAPE, "a " SHAPE_FMT " map; expected at most 2^30 values", p->line, SHAPE(s));
    return BNN_OK;
}

static int parse_input(struct parse *p, bnn_span rest)
{
    bnn_span shape, type, extra;
    uint32_t n[3];
    if (p->has_input)
        return FAIL(p, BNN_EINVAL, "a second input; expected one, on the first line", p->line);
    if (!bnn_next_word(&rest, &shape) || bnn_span_numbers(shape, 'x', n, 3) != 3 || !bnn_next_word(&rest, &type)
        || bnn_next_word(&rest, &extra))
        return FAIL(p, BNN_EINVAL, "input; expected 'input HEIGHTxWIDTHxCHANNELS uint8|bit'", p->line);
    if (n[0] < 1 || n[1] < 1 || n[2] < 1 || n[0] > BNN_MAX_SIDE || n[1] > BNN_MAX_SIDE || n[2] > BNN_MAX_SIDE)
        return FAIL(p, BNN_ESHAPE, "input %ux%ux%u; expected sides from 1 to %d", p->line, n[0], n[1], n[2], BNN_MAX_SIDE);
    if (bnn_span_is(type, "uint8"))
        p->bits = 8;
    else if (bnn_span_is(type, "bit"))
        p->bits = 1;
    else
        return FAIL(p, BNN_EINVAL, "input type '%.*s'; expected uint8 or bit", p->line, BNN_SPAN(type));
    p->map           = (bnn_shape){ n[0], n[1], n[2] };
    p->t->input      = p->map;
    p->t->input_bits = p->bits;
    p->has_input     = true;
    return check_map(p, p->map);
}

static int parse_rows(struct parse *p, bnn_span *rest, bnn_layer *l)
{
    bnn_span word = { "", 0 };
    bnn_next_word(rest, &word);
    const bnn_span given = word;
    l->at_most = l->kind == BNN_DENSE && bnn_span_starts(word, "<=");
    if (l->at_most)
        word = bnn_span_skip(word, 2);
    if (!bnn_span_number(word, &l->MH) || l->MH < 1 || l->MH > BNN_MAX_MH)
        return FAIL(p, BNN_EINVAL, "%s '%.*s'; expected a number of neurons from 1 to %d", p->line,
                    kind_name[l->kind], BNN_SPAN(given), BNN_MAX_MH);
    return BNN_OK;
}

static int parse_window(struct parse *p, bnn_span *rest, bnn_layer *l)
{
    bnn_span word = { "", 0 };
    uint32_t n[2];
    bnn_next_word(rest, &word);
    if (bnn_span_numbers(word, 'x', n, 2) != 2 || n[0] != n[1] || n[0] < 1 || n[0] > BNN_MAX_WINDOW)
        return FAIL(p, BNN_EINVAL, "window '%.*s'; expected KxK with K from 1 to %d", p->line, BNN_SPAN(word), BNN_MAX_WINDOW);
    l->kernel = n[0];
    if (p->map.height < n[0] || p->map.width < n[0])
        return FAIL(p, BNN_ESHAPE, "conv %ux%u on a " SHAPE_FMT " map; expected a map of at least %ux%u", p->line, n[0],
                    n[0], SHAPE(p->map), n[0], n[0]);
    return BNN_OK;
}

/* "w1 a2" and the like; the last layer has "scores" or "bits" after its weights. */
static int parse_bits(struct parse *p, bnn_span *rest, bnn_layer *l)
{
    bnn_span w = { "", 0 }, a = { "", 0 };
    bnn_next_word(rest, &w);
    bnn_next_word(rest, &a);
    if (bnn_span_is(w, "w1") || bnn_span_is(w, "w2"))
        l->weight_bits = (uint32_t)(w.at[1] - '0');
    else
        return FAIL(p, BNN_EINVAL, "weights '%.*s'; expected w1 or w2", p->line, BNN_SPAN(w));
    if (bnn_span_is(a, "a1") || bnn_span_is(a, "a2")) {
        l->output_bits = l->thresholds = (uint32_t)(a.at[1] - '0');
        return BNN_OK;
    }
    p->ended = true;
    if (l->kind != BNN_DENSE)
        return FAIL(p, BNN_EINVAL, "activations '%.*s'; expected a1 or a2", p->line, BNN_SPAN(a));
    if (bnn_span_is(a, "scores")) {
        l->output_bits = BNN_BITS_SCORE;
    } else if (bnn_span_is(a, "bits")) {
        l->output_bits = l->thresholds = 1;
        l->last_bits = true;
    } else {
        return FAIL(p, BNN_EINVAL, "activations '%.*s'; expected a1, a2, scores or bits", p->line, BNN_SPAN(a));
    }
    return BNN_OK;
}

static int check_matrix(struct parse *p, const bnn_layer *l)
{
    if (l->MW > BNN_MAX_MW)
        return FAIL(p, BNN_ESHAPE, "%u inputs a neuron (%s on " SHAPE_FMT "); expected at most %d", p->line, l->MW,
                    kind_name[l->kind], SHAPE(l->in), BNN_MAX_MW);
    if ((uint64_t)l->MW * l->MH * l->weight_bits > BNN_MAX_WEIGHTS)
        return FAIL(p, BNN_ESHAPE, "%u x %u weights of %u bits; expected at most 2^31 bits", p->line, l->MH, l->MW,
                    l->weight_bits);
    if (l->at_most && !p->ended)
        return FAIL(p, BNN_EINVAL, "'<=' on an inner layer; only the last layer has as many rows as there are classes", p->line);
    return check_map(p, l->out);
}

static int parse_matrix(struct parse *p, bnn_span rest, bnn_layer *l)
{
    int rc = parse_rows(p, &rest, l);
    if (rc == BNN_OK && l->kind == BNN_CONV)
        rc = parse_window(p, &rest, l);
    if (rc == BNN_OK)
        rc = parse_bits(p, &rest, l);
    bnn_span extra;
    if (rc == BNN_OK && bnn_next_word(&rest, &extra))
        rc = FAIL(p, BNN_EINVAL, "'%.*s' after the layer; expected the end of the line", p->line, BNN_SPAN(extra));
    if (rc != BNN_OK)
        return rc;
    if (l->kind == BNN_CONV) {
        l->MW  = l->kernel * l->kernel * l->in.channels;
        l->out = (bnn_shape){ l->in.height - l->kernel + 1, l->in.width - l->kernel + 1, l->MH };
    } else {
        l->MW  = (uint32_t)bnn_shape_size(l->in); /* at most BNN_MAX_MAP */
        l->out = (bnn_shape){ 1, 1, l->MH };
    }
    return check_matrix(p, l);
}

static int parse_pool(struct parse *p, bnn_span rest, bnn_layer *l)
{
    bnn_span word = { "", 0 }, extra;
    bnn_next_word(&rest, &word);
    if (!bnn_span_is(word, "2x2") || bnn_next_word(&rest, &extra))
        return FAIL(p, BNN_EINVAL, "maxpool '%.*s'; expected 'maxpool 2x2'", p->line, BNN_SPAN(word));
    if (p->t->layers == 0)
        return FAIL(p, BNN_ESHAPE, "maxpool on the input; expected a conv layer before it", p->line);
    if (l->in.height % 2 || l->in.width % 2)
        return FAIL(p, BNN_ESHAPE, "maxpool 2x2 on a " SHAPE_FMT " map; expected even height and width", p->line, SHAPE(l->in));
    l->kernel      = 2;
    l->output_bits = l->input_bits;
    l->out         = (bnn_shape){ l->in.height / 2, l->in.width / 2, l->in.channels };
    return BNN_OK;
}

static int parse_layer(struct parse *p, bnn_span word, bnn_span rest)
{
    bnn_topology *t = p->t;
    enum bnn_layer_kind kind = BNN_DENSE;
    while (kind <= BNN_MAXPOOL && !bnn_span_is(word, kind_name[kind]))
        kind++;
    if (kind > BNN_MAXPOOL)
        return FAIL(p, BNN_EINVAL, "'%.*s'; expected input, dense, conv or maxpool", p->line, BNN_SPAN(word));
    if (!p->has_input)
        return FAIL(p, BNN_EINVAL, "%s before the input; expected 'input HEIGHTxWIDTHxCHANNELS uint8|bit'", p->line, kind_name[kind]);
    if (p->ended)
        return FAIL(p, BNN_ESHAPE, "a layer after the scores; expected none", p->line);
    if (t->layers == BNN_MAX_LAYERS)
        return FAIL(p, BNN_ESHAPE, "layer %u; expected at most %d layers", p->line, t->layers + 1, BNN_MAX_LAYERS);
    bnn_layer *l = &t->layer[t->layers];
    *l = (bnn_layer){ .kind = kind, .in = p->map, .input_bits = p->bits };
    const int rc = kind == BNN_MAXPOOL ? parse_pool(p, rest, l) : parse_matrix(p, rest, l);
    if (rc != BNN_OK)
        return rc;
    t->layers++;
    p->map  = l->out;
    p->bits = l->output_bits;
    return BNN_OK;
}

int bnn_topology_parse(bnn_topology *out, const char *text, size_t size, bnn_error *err)
{
    bnn_topology t = { 0 };
    struct parse p = { .t = &t, .err = err };
    bnn_span rest = { text, size }, line, word;
    while (bnn_next_line(&rest, &line)) {
        p.line++;
        if (!bnn_next_word(&line, &word))
            continue;
        const int rc = bnn_span_is(word, "input") ? parse_input(&p, line) : parse_layer(&p, word, line);
        if (rc != BNN_OK)
            return rc;
    }
    if (!p.ended)
        return bnn_fail(err, BNN_ESHAPE, "topology of %u layers without an end; expected a last layer such as 'dense 10 w1 scores'", t.layers);
    if (bnn_topology_last(&t)->MH > BNN_MAX_CLASSES)
        return bnn_fail(err, BNN_ESHAPE, "topology line %u: %u rows at the end; expected 1 to %d classes", p.line,
                        bnn_topology_last(&t)->MH, BNN_MAX_CLASSES);
    *out = t;
    return BNN_OK;
}

static void print_layer(bnn_printer *p, const bnn_layer *l)
{
    if (l->kind == BNN_MAXPOOL) {
        bnn_print(p, "maxpool 2x2\n");
        return;
    }
    bnn_print(p, "%s %s%u", kind_name[l->kind], l->at_most ? "<=" : "", l->MH);
    if (l->kind == BNN_CONV)
        bnn_print(p, " %ux%u", l->kernel, l->kernel);
    if (l->last_bits || l->output_bits == BNN_BITS_SCORE)
        bnn_print(p, " w%u %s\n", l->weight_bits, l->last_bits ? "bits" : "scores");
    else
        bnn_print(p, " w%u a%u\n", l->weight_bits, l->output_bits);
}

size_t bnn_topology_print(const bnn_topology *t, char *out, size_t size)
{
    bnn_printer p = { out, size, 0 };
    bnn_print(&p, "input %ux%ux%u %s\n", SHAPE(t->input), t->input_bits == 8 ? "uint8" : "bit");
    for (uint32_t i = 0; i < t->layers; i++)
        print_layer(&p, &t->layer[i]);
    return p.used;
}

int bnn_topology_set_rows(bnn_topology *t, uint32_t rows, bnn_error *err)
{
    bnn_layer *l = &t->layer[t->layers - 1];
    if (rows < 1 || rows > l->MH)
        return bnn_fail(err, BNN_ESHAPE, "%u classes; the topology ends in %u rows", rows, l->MH);
    if (rows != l->MH && !l->at_most)
        return bnn_fail(err, BNN_ESHAPE, "%u classes; the topology ends in exactly %u rows ('<=%u' would allow fewer)",
                        rows, l->MH, l->MH);
    l->MH = l->out.channels = rows;
    l->at_most = false;
    return BNN_OK;
}

bool bnn_topology_equal(const bnn_topology *a, const bnn_topology *b)
{
    if (a->layers != b->layers || a->input_bits != b->input_bits || memcmp(&a->input, &b->input, sizeof a->input) != 0)
        return false;
    for (uint32_t i = 0; i < a->layers; i++) {
        const bnn_layer *x = &a->layer[i], *y = &b->layer[i];
        if (x->kind != y->kind || x->kernel != y->kernel || x->MW != y->MW || x->MH != y->MH
            || x->weight_bits != y->weight_bits || x->output_bits != y->output_bits || x->last_bits != y->last_bits)
            return false;
    }
    return true;
}
