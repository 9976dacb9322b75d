/* platform_uio.c -- a board under Linux (to come). */
#include "backend/platform.h"

static int uio_open(bnn_device **out, const bnn_options *options, const char *images, bnn_error *err)
{
    (void)out, (void)options, (void)images;
    return bnn_fail(err, BNN_EBACKEND, "platform uio is not there yet");
}

const bnn_platform bnn_platform_uio = { .name = "board", .open = uio_open };
