/* prepare.c -- one picture in memory to a network's input, as a data set does it. */
#include "base/error.h"
#include "data/data.h"
#include "net/network.h"

#include <string.h>

static int apply(const bnn_network *net, const bnn_picture *picture, const char *input, uint8_t *out, bnn_error *err)
{
    if (!input)
        return bnn_prepare(&net->rule, picture, out, err);
    if (strcmp(input, "photo") != 0)
        return bnn_fail(err, BNN_EINVAL, "input '%s'; expected photo", input);
    if (net->rule.shape.channels != 1)
        return bnn_fail(err, BNN_ESHAPE, "input photo for an input of %u channels; expected a grey network", net->rule.shape.channels);
    return bnn_prepare_photo(&net->rule, picture, out, err);
}

static int mode_of(enum bnn_mode *out, uint32_t channels, bnn_error *err)
{
    if (channels != 1 && channels != 3 && channels != 4)
        return bnn_fail(err, BNN_ESHAPE, "a picture of %u channels; expected 1, 3 or 4", channels);
    *out = channels == 1 ? BNN_MODE_L : channels == 3 ? BNN_MODE_RGB : BNN_MODE_RGBA;
    return BNN_OK;
}

int bnn_prepare_pixels(const bnn_network *net, const uint8_t *pixels, bnn_shape shape, const char *input, uint8_t *out, bnn_error *err)
{
    const bnn_decode_job job = { .path = "picture" };
    bnn_picture picture = {
        .height = shape.height, .width = shape.width, .scale = 1, .full_height = shape.height, .full_width = shape.width,
        .pixels = (uint8_t *)(uintptr_t)pixels, /* only read */
    };
    int rc = mode_of(&picture.mode, shape.channels, err);
    if (rc == BNN_OK)
        rc = bnn_picture_check_size(&job, "pixels", shape.height, shape.width, err);
    return rc == BNN_OK ? apply(net, &picture, input, out, err) : rc;
}

int bnn_prepare_file(const bnn_network *net, const void *file, size_t size, const char *input, uint8_t *out, bnn_error *err)
{
    const bnn_decode_job job = { .data = file, .size = size, .path = "picture", .rule = input ? NULL : &net->rule };
    bnn_picture picture;
    int rc = bnn_picture_decode(&picture, &job, err);
    if (rc != BNN_OK)
        return rc;
    rc = apply(net, &picture, input, out, err);
    bnn_picture_free(&picture);
    return rc;
}
