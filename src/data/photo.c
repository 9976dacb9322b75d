/* photo.c -- a photograph of a dark digit on paper. */
#include "data/data.h"

int bnn_prepare_photo(const bnn_rule *rule, const bnn_picture *picture, uint8_t *out, bnn_error *err)
{
    (void)rule, (void)picture, (void)out;
    return bnn_fail(err, BNN_EINVAL, "input photo is not there yet");
}
