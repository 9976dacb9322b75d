/* decode.c -- pictures by content: the table of decoders and what they share. */
#include "data/data.h"
#include "base/mem.h"

static const bnn_decoder *const decoders[] = { &bnn_decoder_png, &bnn_decoder_jpeg, &bnn_decoder_pnm };
enum { N_DECODERS = sizeof decoders / sizeof *decoders };

const bnn_decoder *bnn_decoder_of(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < N_DECODERS; i++)
        if (decoders[i]->matches(head, size))
            return decoders[i];
    return NULL;
}

int bnn_picture_decode(bnn_picture *out, const bnn_decode_job *job, bnn_error *err)
{
    const bnn_decoder *decoder = bnn_decoder_of(job->data, job->size);
    if (!decoder)
        return bnn_fail(err, BNN_EMAGIC, "%s: %s; expected PNG, JPEG or PNM (P1 to P6)", job->path,
                        job->size ? "not a picture" : "empty");
    bnn_picture p = { .scale = 1 };
    const int rc = decoder->decode(&p, job, err);
    if (rc != BNN_OK) {
        bnn_picture_free(&p);
        return rc;
    }
    if (p.scale == 1) {
        p.full_height = p.height;
        p.full_width  = p.width;
    }
    *out = p;
    return BNN_OK;
}

int bnn_picture_check_size(const bnn_decode_job *job, const char *name, uint64_t height, uint64_t width, bnn_error *err)
{
    if (height < 1 || width < 1)
        return bnn_fail(err, BNN_ECORRUPT, "%s: %s of %llux%llu pixels; expected at least 1x1", job->path, name,
                        (unsigned long long)width, (unsigned long long)height);
    if (height > BNN_MAX_PICTURE_SIDE || width > BNN_MAX_PICTURE_SIDE || height * width > BNN_MAX_PIXELS)
        return bnn_fail(err, BNN_ESHAPE, "%s: %s of %llux%llu pixels; expected sides up to %d and at most %d pixels", job->path,
                        name, (unsigned long long)width, (unsigned long long)height, BNN_MAX_PICTURE_SIDE, BNN_MAX_PIXELS);
    return BNN_OK;
}

int bnn_picture_new(bnn_picture *out, uint32_t height, uint32_t width, enum bnn_mode mode, bnn_error *err)
{
    const size_t row = (size_t)width * bnn_mode_channels(mode);
    uint8_t *pixels = bnn_alloc(height, row);
    if (!pixels)
        return bnn_fail_memory(err, height * row);
    *out = (bnn_picture){ .height = height, .width = width, .mode = mode, .pixels = pixels,
                          .scale = 1, .full_height = height, .full_width = width };
    return BNN_OK;
}

void bnn_picture_free(bnn_picture *p)
{
    bnn_free(p->pixels);
    p->pixels = NULL;
}
