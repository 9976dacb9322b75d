/* pynq_bits.c -- output thresholds for overlays that end in bits (LFC).
 *
 * The original's label is the highest row that fires, and 0 when none does. A
 * network of scores is asked for the largest score instead, so each row needs
 * a threshold such that the rows of lower classes still get their turn. They
 * are chosen on labelled images, to get most of them right:
 *
 *   One class. With all other thresholds fixed, let c fire from t on. An image
 *   counts only if no higher class fires on it; then its answer is c if its
 *   score is at least t, else what the lower classes say. So each image adds
 *   [label is c] - [label is what the lower ones say] to every t up to its
 *   score, and one walk over the histogram of scores finds the best t; of a
 *   range of equally good ones its middle.
 *
 *   All classes. That, class by class from the highest, again and again until
 *   no image is gained. What is found so depends on where it began: so it
 *   begins with the best common threshold, then again and again from the best
 *   so far with some thresholds moved. (Iterated local search; random numbers
 *   from a fixed seed, so the same images give the same thresholds.)
 *
 * Row 0 never fires: nothing fired means class 0 anyhow, and the original's
 * `inference`, which rounds log2 of the bits, errs less when fewer are set.
 */
#include "format/pynq.h"
#include "base/mem.h"

#include <string.h>

struct chooser {
    const int32_t  *scores; /* [count][rows] */
    const uint16_t *labels;
    size_t          count;
    uint32_t        rows, classes;
    int32_t         low, high; /* all scores are from low to high */
    int64_t        *gain;      /* [high - low + 2] of one class */
    bool           *taken;     /* [count]: a higher class fires */
    uint64_t        random;
};

static const int32_t *scores_of(const struct chooser *c, size_t image)
{
    return c->scores + image * c->rows;
}

/* The highest class below `end` that fires, else 0. */
static uint32_t answer(const struct chooser *c, const int32_t *t, size_t image, uint32_t end)
{
    const int32_t *s = scores_of(c, image);
    uint32_t k = end;
    while (k-- > 1)
        if (s[k] >= t[k])
            return k;
    return 0;
}

static size_t count_right(const struct chooser *c, const int32_t *t)
{
    size_t right = 0;
    for (size_t i = 0; i < c->count; i++)
        right += answer(c, t, i, c->classes) == c->labels[i];
    return right;
}

/* The middle of the longest range of thresholds that gain most. */
static int32_t best_threshold(const struct chooser *c)
{
    const int32_t n = c->high - c->low + 1; /* gain[n]: from above all scores on, so nothing fires */
    int32_t first = n, length = 0, run = 0;
    int64_t most = 0;
    for (int32_t i = n; i >= 0; i--) { /* gain becomes that of firing from here on */
        c->gain[i] += i < n ? c->gain[i + 1] : 0;
        run = i < n && c->gain[i] == c->gain[i + 1] ? run + 1 : 1;
        if (c->gain[i] > most || (c->gain[i] == most && run > length)) {
            most   = c->gain[i];
            first  = i;
            length = run;
        }
    }
    return c->low + first + (length - 1) / 2;
}

static void choose_class(struct chooser *c, int32_t *t, uint32_t class)
{
    memset(c->gain, 0, (size_t)(c->high - c->low + 2) * sizeof *c->gain);
    for (size_t i = 0; i < c->count; i++)
        if (!c->taken[i])
            c->gain[scores_of(c, i)[class] - c->low] +=
                (c->labels[i] == class) - (c->labels[i] == answer(c, t, i, class));
    t[class] = best_threshold(c);
    for (size_t i = 0; i < c->count; i++)
        c->taken[i] |= scores_of(c, i)[class] >= t[class];
}

/* Sweeps until nothing is gained; how many images are right then. */
static size_t climb(struct chooser *c, int32_t *t)
{
    for (size_t right = count_right(c, t);;) {
        memset(c->taken, 0, c->count * sizeof *c->taken);
        for (uint32_t k = c->classes; k-- > 1;)
            choose_class(c, t, k);
        const size_t now = count_right(c, t);
        if (now <= right)
            return now;
        right = now;
    }
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t next_random(struct chooser *c)
{
    uint64_t z = c->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void set_all(const struct chooser *c, int32_t *t, int32_t value)
{
    for (uint32_t k = 1; k < c->classes; k++)
        t[k] = value;
}

/* The best of thresholds that are equal for all classes. */
static void start(struct chooser *c, int32_t *t)
{
    enum { STEPS = 64 };
    int32_t best = c->high + 1, step = (c->high - c->low) / STEPS + 1;
    size_t most = 0;
    for (int32_t value = c->low; value <= c->high; value += step) {
        set_all(c, t, value);
        const size_t right = count_right(c, t);
        if (right > most) {
            most = right;
            best = value;
        }
    }
    set_all(c, t, best);
}

/* Moves about a third of the thresholds, by up to a sixteenth of the range. */
static void shake(struct chooser *c, int32_t *t)
{
    const uint64_t reach = (uint64_t)(c->high - c->low) / 8 + 1;
    for (uint32_t k = 1; k < c->classes; k++)
        if (next_random(c) % 3 == 0)
            t[k] += (int32_t)(next_random(c) % reach) - (int32_t)(reach / 2);
}

static void search(struct chooser *c, int32_t *best)
{
    enum { ROUNDS = 100, WORK = 400000000 }; /* comparisons, about: some seconds */
    const uint64_t round = (uint64_t)c->count * c->classes * c->classes + 1;
    const uint64_t rounds = WORK / round < ROUNDS ? WORK / round : ROUNDS;
    int32_t t[BNN_PYNQ_ROWS];
    start(c, best);
    size_t most = climb(c, best);
    for (uint64_t i = 0; i < rounds; i++) {
        memcpy(t, best, sizeof t);
        shake(c, t);
        const size_t right = climb(c, t);
        if (right > most) {
            most = right;
            memcpy(best, t, sizeof t);
        }
    }
}

/* ------------------------------------------------------------ networks -- */

static int check(const bnn_pynq_overlay *o, const bnn_network *net, const uint16_t *labels, size_t count, bnn_error *err)
{
    if (!bnn_topology_last(&o->topology)->last_bits)
        return bnn_fail(err, BNN_ESHAPE, "%s ends in scores; it needs no thresholds", o->name);
    if (count == 0)
        return bnn_fail(err, BNN_EINVAL, "no images to choose thresholds on");
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= net->classes)
            return bnn_fail(err, BNN_EINVAL, "image %zu has label %u; the network has classes 0 to %u", i, labels[i], net->classes - 1);
    return BNN_OK;
}

/* The same network, as its folder would be read: in 64 rows of bits, those beyond its own of weights +1.
 * Their thresholds are still to be set. */
static int copy_with_bits(bnn_network **out, const bnn_network *net, const bnn_pynq_overlay *o, bnn_error *err)
{
    const uint32_t layers = o->topology.layers;
    const bnn_layer *last = bnn_topology_last(&o->topology);
    int rc = bnn_network_new(out, &o->topology, err);
    if (rc != BNN_OK)
        return rc;
    bnn_network *copy = *out;
    copy->classes = net->classes;
    copy->origin  = o->origin;
    for (uint32_t i = 0; i < layers; i++) {
        const bnn_layer *l = &net->topology.layer[i];
        if (l->MH > 0)
            memcpy(copy->matrix[i].weights, net->matrix[i].weights, bnn_weight_words(l) * sizeof(uint64_t));
        if (l->thresholds > 0)
            memcpy(copy->matrix[i].thresholds, net->matrix[i].thresholds, (size_t)l->MH * l->thresholds * sizeof(int32_t));
    }
    for (uint32_t r = bnn_topology_last(&net->topology)->MH; r < last->MH; r++)
        for (uint32_t s = 0; s < last->MW; s++)
            bnn_weight_set(last, &copy->matrix[layers - 1], r, s, 1);
    bnn_rule_free(&copy->rule);
    rc = bnn_rule_copy(&copy->rule, &net->rule, err);
    if (rc == BNN_OK && net->names)
        rc = bnn_network_set_names(copy, (const char *const *)net->name, net->names, err);
    for (size_t i = 0; rc == BNN_OK && i < net->texts; i++)
        rc = bnn_network_set_text(copy, net->text[i].key, net->text[i].value, err);
    return rc;
}

/* Scores of a network in bits are less its thresholds already. Other rows never fire. */
static void set_thresholds(bnn_network *net, const bnn_pynq_overlay *o, const int32_t *chosen)
{
    enum { NEVER = 32767 };
    int32_t *t = net->matrix[net->topology.layers - 1].thresholds;
    for (uint32_t r = 0; r < BNN_PYNQ_ROWS; r++)
        t[r] = r == 0 || r >= net->classes ? bnn_pynq_threshold_read(o, &o->layer[o->layers - 1], NEVER, 0) : t[r] + chosen[r];
}

static int choose(struct chooser *c, int32_t *best, bnn_error *err)
{
    const size_t all = c->count * c->rows;
    for (size_t i = 0; i < all; i++) {
        c->low  = c->scores[i] < c->low ? c->scores[i] : c->low;
        c->high = c->scores[i] > c->high ? c->scores[i] : c->high;
    }
    const size_t range = (size_t)((int64_t)c->high - c->low + 2);
    if (range > 1 << 20)
        return bnn_fail(err, BNN_EINVAL, "scores from %d to %d; expected sums of the last layer", c->low, c->high);
    c->gain  = bnn_alloc(range, sizeof *c->gain);
    c->taken = bnn_alloc(c->count, sizeof *c->taken);
    const int rc = c->gain && c->taken ? BNN_OK : bnn_fail_memory(err, range * sizeof *c->gain);
    if (rc == BNN_OK)
        search(c, best);
    bnn_free(c->gain);
    bnn_free(c->taken);
    return rc;
}

/* By the decode rule itself: from 49 classes on its logarithm can round up. */
static size_t count_decoded(const struct chooser *c, const int32_t *t, const bnn_pynq_overlay *o)
{
    const bnn_layer *last = bnn_topology_last(&o->topology);
    size_t right = 0;
    int32_t score[BNN_PYNQ_ROWS];
    for (size_t i = 0; i < c->count; i++) {
        for (uint32_t k = 0; k < c->classes; k++)
            score[k] = k == 0 ? -1 : scores_of(c, i)[k] - t[k];
        right += o->origin->decode[0]->label(score, c->classes, last) == c->labels[i];
    }
    return right;
}

int bnn_network_choose_bits(bnn_network **out, const bnn_network *net, const int32_t *scores, const uint16_t *labels,
                            size_t count, size_t *correct, bnn_error *err)
{
    int32_t best[BNN_PYNQ_ROWS] = { 0 };
    struct chooser c = { .scores = scores, .labels = labels, .count = count, .rows = bnn_topology_last(&net->topology)->MH,
                         .classes = net->classes };
    bnn_network *copy = NULL;
    bnn_pynq_overlay *o = bnn_alloc(1, sizeof *o);
    int rc = o ? bnn_pynq_overlay_of(o, &net->topology, NULL, err) : bnn_fail_memory(err, sizeof *o);
    if (rc == BNN_OK)
        rc = check(o, net, labels, count, err);
    if (rc == BNN_OK)
        rc = choose(&c, best, err);
    if (rc == BNN_OK)
        rc = copy_with_bits(&copy, net, o, err);
    if (rc == BNN_OK) {
        set_thresholds(copy, o, best);
        rc = bnn_network_finish(copy, err);
    }
    if (rc == BNN_OK) {
        if (correct)
            *correct = count_decoded(&c, best, o);
        *out = copy;
    } else {
        bnn_network_close(copy);
    }
    bnn_free(o);
    return rc;
}
