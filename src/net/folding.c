/* folding.c -- the text form and the derived letters. */
#include "net/folding.h"
#include "base/text.h"

static uint32_t fold_of(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

int bnn_fold_set(bnn_fold *out, const bnn_layer *l, uint32_t pe, uint32_t simd, bnn_error *err)
{
    if (pe < 1 || pe > l->MH)
        return bnn_fail(err, BNN_ESHAPE, "pe %u for %u neurons; expected 1 to %u", pe, l->MH, l->MH);
    if (simd < 1 || simd > l->MW)
        return bnn_fail(err, BNN_ESHAPE, "simd %u for %u synapses; expected 1 to %u", simd, l->MW, l->MW);
    const uint32_t sf = fold_of(l->MW, simd), nf = fold_of(l->MH, pe);
    if ((uint64_t)sf * nf > UINT32_MAX || (uint64_t)sf * simd > UINT32_MAX || (uint64_t)nf * pe > UINT32_MAX)
        return bnn_fail(err, BNN_ESHAPE, "pe %u simd %u for %u x %u weights: too many words", pe, simd, l->MH, l->MW);
    *out = (bnn_fold){ .PE = pe, .SIMD = simd, .MW = sf * simd, .MH = nf * pe, .SF = sf, .NF = nf, .WMEM = nf * sf, .TMEM = nf };
    return BNN_OK;
}

uint64_t bnn_fold_cycles(const bnn_fold *f, const bnn_layer *l)
{
    return (uint64_t)f->NF * f->SF * l->out.height * l->out.width;
}

/* "pe P simd S" */
static bool parse_line(bnn_span line, uint32_t *pe, uint32_t *simd)
{
    bnn_span w[5] = { { "", 0 } };
    for (int i = 0; i < 5; i++)
        bnn_next_word(&line, &w[i]);
    return bnn_span_is(w[0], "pe") && bnn_span_number(w[1], pe) && bnn_span_is(w[2], "simd")
        && bnn_span_number(w[3], simd) && w[4].size == 0;
}

static uint32_t next_with_weights(const bnn_topology *t, uint32_t layer)
{
    while (layer < t->layers && t->layer[layer].kind == BNN_MAXPOOL)
        layer++;
    return layer;
}

int bnn_folding_parse(bnn_folding *out, const bnn_topology *t, const char *text, size_t size, bnn_error *err)
{
    bnn_folding f = { .layers = t->layers };
    bnn_span rest = { text, size }, line;
    uint32_t layer = next_with_weights(t, 0), pe, simd;
    for (unsigned number = 1; bnn_next_line(&rest, &line); number++) {
        bnn_span look = line, word;
        if (!bnn_next_word(&look, &word))
            continue;
        if (!parse_line(line, &pe, &simd))
            return bnn_fail(err, BNN_EINVAL, "folding line %u: '%.*s'; expected 'pe P simd S'", number, BNN_SPAN(line));
        if (layer == t->layers)
            return bnn_fail(err, BNN_ESHAPE, "folding line %u: one more than the topology has layers with weights", number);
        const int rc = bnn_fold_set(&f.layer[layer], &t->layer[layer], pe, simd, err);
        if (rc != BNN_OK) {
            char where[32];
            bnn_printer p = { where, sizeof where, 0 };
            bnn_print(&p, "folding line %u", number);
            bnn_fail_prefix(err, where);
            return rc;
        }
        layer = next_with_weights(t, layer + 1);
    }
    if (layer < t->layers)
        return bnn_fail(err, BNN_ESHAPE, "folding ends before layer %u of %u; expected a line for each layer with weights", layer, t->layers);
    *out = f;
    return BNN_OK;
}

size_t bnn_folding_print(const bnn_folding *f, char *out, size_t size)
{
    bnn_printer p = { out, size, 0 };
    for (uint32_t i = 0; i < f->layers; i++)
        if (f->layer[i].PE > 0)
            bnn_print(&p, "pe %u simd %u\n", f->layer[i].PE, f->layer[i].SIMD);
    return p.used;
}
