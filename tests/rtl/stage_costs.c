/* stage_costs.c -- what the model says of each stage of an overlay, for scripts/lut-model.
 *
 *     stage_costs TOPOLOGY FOLDING
 *
 * A line a stage: its name in overlay.v, LUT, blocks of 18 kbit, shape; of units
 * also LUT by structure alone, and the features that the rest is fitted to.
 */
#include "base/file.h"
#include "overlay/cycles.h"
#include "overlay/resources.h"

#include <stdio.h>

static int make_plan(bnn_plan *out, const char *topology, const char *folding, bnn_error *err)
{
    bnn_topology t;
    bnn_folding f;
    bnn_design d;
    bnn_file file;
    bnn_cycles cycles;
    int rc = bnn_topology_open(&t, topology, err);
    if (rc == BNN_OK)
        rc = bnn_file_open(&file, folding, err);
    if (rc != BNN_OK)
        return rc;
    rc = bnn_folding_parse(&f, &t, (const char *)file.data, file.size, err);
    bnn_file_close(&file);
    if (rc == BNN_OK)
        rc = bnn_design_set(&d, &t, &f, 64, 0, err);
    if (rc != BNN_OK)
        return rc;
    bnn_plan_make(out, &d);
    return bnn_plan_queues(out, &cycles, err);
}

static void print_unit(const bnn_plan *plan, const bnn_stage *s)
{
    const bnn_unit *u = &plan->design.units.unit[s->unit];
    double feature[BNN_FIT_COUNT];
    bnn_unit_features(u, feature);
    printf(" PE=%u,SIMD=%u,bits=%u/%u/%u %.2f", u->PE, u->SIMD, u->input_bits, u->weight_bits, u->thresholds,
           bnn_unit_structure(u, plan->queue[s->unit]).lut);
    for (int i = 0; i < BNN_FIT_COUNT; i++)
        printf(" %.0f", feature[i]);
}

int main(int argc, char **argv)
{
    static const char *const name[] = { "convert", "window", "unit", "pool" };
    bnn_error err = { 0 };
    static bnn_plan plan;
    if (argc != 3)
        return 2;
    if (make_plan(&plan, argv[1], argv[2], &err) != BNN_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (uint32_t i = 0; i < plan.stages; i++) {
        const bnn_stage *s = &plan.stage[i];
        const bnn_resources r = bnn_stage_resources(&plan, s);
        printf("%s_%u %.2f %u", name[s->kind], s->kind == BNN_STAGE_MVTU ? s->unit : i, r.lut, r.bram18);
        if (s->kind == BNN_STAGE_MVTU)
            print_unit(&plan, s);
        else
            printf(" %u->%u,bits=%u", s->a, s->b, s->bits);
        puts("");
    }
    return 0;
}
