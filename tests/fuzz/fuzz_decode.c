/* fuzz_decode.c -- any bytes as a picture; what decodes goes through rules of every fit, and as a photograph. */
#include "data/data.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool large(const bnn_picture *p) { return (uint64_t)p->full_height * p->full_width > 1 << 18; }

static void decode_for(const uint8_t *data, size_t size, const bnn_rule *rule, bool photo)
{
    bnn_decode_job job = { .data = data, .size = size, .path = "it", .rule = photo ? NULL : rule, .header_only = true };
    uint8_t out[40 * 40 * 3];
    bnn_picture p;
    bnn_error err;
    if (bnn_picture_decode(&p, &job, &err) != BNN_OK || large(&p))
        return;
    if (p.pixels)
        abort(); /* a header has none */
    job.header_only = false;
    if (bnn_picture_decode(&p, &job, &err) != BNN_OK)
        return;
    if ((photo ? bnn_prepare_photo : bnn_prepare)(rule, &p, out, &err) != BNN_OK && !photo)
        abort(); /* whatever decodes can be brought to size */
    bnn_picture_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bnn_rule colour = { .shape = { 32, 32, 3 }, .bits = 8, .height = 40, .width = 40, .background = { 255, 255, 255 } };
    const bnn_rule grey = { .shape = { 28, 28, 1 }, .bits = 1, .height = 28, .width = 28, .grey = true, .invert = true };
    bnn_rule stretch = colour;
    stretch.fit = BNN_FIT_STRETCH;
    decode_for(data, size, &colour, false);
    decode_for(data, size, &stretch, false);
    decode_for(data, size, &grey, false);
    decode_for(data, size, &grey, true);
    return 0;
}
