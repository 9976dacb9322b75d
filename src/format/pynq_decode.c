/* pynq_decode.c -- from scores to a label as the original's host code does it.
 *
 *     multi   inference_multiple, the default
 *     single  inference
 *     margin  ours: the row furthest above its threshold, first of equals
 */
#include "format/pynq.h"
#include "format/format.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------ CNV -- */

/* best = 0 with value 0; a later row must beat it. So when no raw score is
 * above 0 the answer is 0. */
static uint32_t cnv_multi(const int32_t *scores, uint32_t classes, int32_t zero)
{
    uint32_t best = 0;
    int32_t value = zero;
    for (uint32_t i = 0; i < classes; i++)
        if (scores[i] > value) {
            best  = i;
            value = scores[i];
        }
    return best;
}

static uint32_t signed_multi(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    (void)last;
    return cnv_multi(scores, classes, 0);
}

/* Raw scores are popcounts, (MW + score) / 2. */
static uint32_t popcount_multi(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    return cnv_multi(scores, classes, -(int32_t)last->MW);
}

static int32_t popcount_raw(int32_t score, const bnn_layer *last)
{
    return (score + (int32_t)last->MW) / 2;
}

/* ------------------------------------------------------------------ LFC -- */

/* Bit n: row n fired. At most 64 rows. */
static uint64_t word_of(const int32_t *scores, uint32_t classes)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < classes; i++)
        word |= (uint64_t)(scores[i] >= 0) << i;
    return word;
}

/* floor(log2(word)) in double: the highest row that fired. From 49 classes on
 * log2 can round up to the next integer, as the original's does. */
static uint32_t lfc_floor(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    const uint64_t word = word_of(scores, classes);
    (void)last;
    return word == 0 ? 0 : (uint32_t)floor(log2((double)word));
}

/* round(log2(word)): with rows k and k-1 fired this is k+1, which did not.
 * The original then looks for a 1 among 64 results; index 64 leaves none. */
static uint32_t lfc_round(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    const uint64_t word = word_of(scores, classes);
    (void)last;
    const uint32_t k = word == 0 ? 0 : (uint32_t)round(log2((double)word));
    return k == 64 ? 0 : k;
}

/* -------------------------------------------------------------- origins -- */

/* Margins are what scores are: acc - threshold, or acc where there is none. */
static uint32_t largest(const int32_t *scores, uint32_t classes, const bnn_layer *last)
{
    return bnn_decode_argmax.label(scores, classes, last);
}

static const bnn_decode margin           = { "margin", largest };
static const bnn_decode cnv_single       = { "single", largest }; /* std::max_element */
static const bnn_decode cnv_multi_signed = { "multi", signed_multi };
static const bnn_decode cnv_multi_count  = { "multi", popcount_multi };
static const bnn_decode lfc_multi        = { "multi", lfc_floor };
static const bnn_decode lfc_single       = { "single", lfc_round };
static const bnn_decode lfc_single_2017  = { "single", lfc_floor };

static const bnn_decode *const of_lfc[]        = { &lfc_multi, &lfc_single, &margin, NULL };
static const bnn_decode *const of_lfc_2017[]   = { &lfc_multi, &lfc_single_2017, &margin, NULL };
static const bnn_decode *const of_cnv_count[]  = { &cnv_multi_count, &cnv_single, &margin, NULL };
static const bnn_decode *const of_cnv_signed[] = { &cnv_multi_signed, &cnv_single, &margin, NULL };

static const bnn_origin origins[] = {
    { "bnn-pynq lfcW1A1 xilinx", of_lfc, NULL },
    { "bnn-pynq lfcW1A1 workshop", of_lfc_2017, NULL },
    { "bnn-pynq lfcW1A2 xilinx", of_lfc, NULL },
    { "bnn-pynq cnvW1A1 xilinx", of_cnv_count, popcount_raw },
    { "bnn-pynq cnvW1A1 workshop", of_cnv_count, popcount_raw },
    { "bnn-pynq cnvW1A2 xilinx", of_cnv_signed, NULL },
    { "bnn-pynq cnvW2A2 xilinx", of_cnv_signed, NULL },
};
enum { ORIGINS = sizeof origins / sizeof *origins };

static const bnn_origin *find(const char *name)
{
    for (size_t i = 0; i < ORIGINS; i++)
        if (strcmp(origins[i].name, name) == 0)
            return &origins[i];
    return NULL;
}

const bnn_origin *bnn_pynq_origin(const char *overlay, bool workshop)
{
    char name[64];
    snprintf(name, sizeof name, "bnn-pynq %s %s", overlay, workshop ? "workshop" : "xilinx");
    return find(name);
}

int bnn_origin_find(const bnn_origin **out, const char *name, const bnn_topology *t, bnn_error *err)
{
    const bnn_origin *origin = find(name);
    bnn_pynq_overlay o;
    if (!origin)
        return bnn_fail(err, BNN_ECORRUPT, "origin '%.40s' is not known", name);
    const char *variant = strrchr(name, ' ') + 1;
    if (bnn_pynq_overlay_of(&o, t, variant, NULL) != BNN_OK || o.origin != origin || !bnn_topology_equal(&o.topology, t))
        return bnn_fail(err, BNN_ECORRUPT, "origin '%s' with another topology", name);
    *out = origin;
    return BNN_OK;
}
