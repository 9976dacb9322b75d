/* jpeg.c -- JPEG through libjpeg-turbo, in modes L, RGB and CMYK.
 *
 * For a rule that only shrinks, the decoder works at 1/2, 1/4 or 1/8 of the size,
 * exactly when Pillow's thumbnail has it do so (draft, with a reducing gap of 2):
 * labels depend on it, and it is many times as fast.
 *
 * libjpeg reports errors by longjmp: what must survive one lives in struct reader.
 */
#include "data/data.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

enum { MAX_SCANS = 500 }; /* of a progressive file; each costs a pass over the picture */

struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr         errors;
    struct jpeg_progress_mgr      progress;
    jmp_buf                       out_of_here;
    const bnn_decode_job         *job;
    bnn_error                    *err;
    int                           rc;
};

static bool is_jpeg(const uint8_t *head, size_t size)
{
    return size >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

static void on_error(j_common_ptr jpeg)
{
    struct reader *r = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    r->rc = bnn_fail(r->err, BNN_ECORRUPT, "%s: damaged JPEG: %s", r->job->path, text);
    longjmp(r->out_of_here, 1);
}

/* Like Pillow, only a file that ends early is refused of what libjpeg merely warns of. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) {
        struct reader *r = jpeg->client_data;
        r->rc = bnn_fail(r->err, BNN_ECORRUPT, "%s: damaged JPEG: the file ends early", r->job->path);
        longjmp(r->out_of_here, 1);
    }
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
    struct reader *r = jpeg->client_data;
    if (jpeg->is_decompressor && r->jpeg.input_scan_number > MAX_SCANS) {
        r->rc = bnn_fail(r->err, BNN_ECORRUPT, "%s: damaged JPEG: more than %d scans", r->job->path, MAX_SCANS);
        longjmp(r->out_of_here, 1);
    }
}

/* Pillow's draft: the largest of 8, 4, 2 that leaves twice the size wanted. */
static uint32_t scale_for(const bnn_rule *rule, uint32_t height, uint32_t width)
{
    if (!rule || rule->fit != BNN_FIT_THUMBNAIL)
        return 1;
    uint32_t h = rule->height, w = rule->width;
    bnn_thumbnail_size(height, width, &h, &w);
    for (uint32_t s = 8; s > 1; s /= 2)
        if (width / (2 * w) >= s && height / (2 * h) >= s)
            return s;
    return 1;
}

static int read_header(struct reader *r, bnn_picture *out)
{
    jpeg_read_header(&r->jpeg, TRUE);
    const uint32_t height = r->jpeg.image_height, width = r->jpeg.image_width;
    const int rc = bnn_picture_check_size(r->job, "JPEG", height, width, r->err);
    if (rc != BNN_OK)
        return rc;
    const int colours = r->jpeg.num_components;
    if (colours != 1 && colours != 3 && colours != 4)
        return bnn_fail(r->err, BNN_EVERSION, "%s: JPEG of %d components; expected 1, 3 or 4", r->job->path, colours);
    r->jpeg.out_color_space = colours == 1 ? JCS_GRAYSCALE : colours == 3 ? JCS_RGB : JCS_CMYK;
    r->jpeg.scale_num       = 1;
    r->jpeg.scale_denom     = out->scale = scale_for(r->job->rule, height, width);
    jpeg_calc_output_dimensions(&r->jpeg);
    out->mode        = colours == 1 ? BNN_MODE_L : colours == 3 ? BNN_MODE_RGB : BNN_MODE_CMYK;
    out->height      = r->jpeg.output_height;
    out->width       = r->jpeg.output_width;
    out->full_height = height;
    out->full_width  = width;
    return BNN_OK;
}

/* Every 8x8 block costs a bit at least, so a byte holds 512 samples of a
 * component at most; a picture is at most 16 of its samples (4x4 sampling). */
static int check_claim(const bnn_decode_job *job, const bnn_picture *p, bnn_error *err)
{
    if ((uint64_t)p->full_height * p->full_width / (512 * 16) > job->size)
        return bnn_fail(err, BNN_ECORRUPT, "%s: damaged JPEG: %ux%u pixels in a file of %zu bytes", job->path, p->full_width,
                        p->full_height, job->size);
    return BNN_OK;
}

static int read_pixels(struct reader *r, bnn_picture *out)
{
    const size_t row = (size_t)out->width * bnn_mode_channels(out->mode);
    out->pixels = bnn_alloc(out->height, row);
    if (!out->pixels)
        return bnn_fail_memory(r->err, out->height * row);
    jpeg_start_decompress(&r->jpeg);
    while (r->jpeg.output_scanline < r->jpeg.output_height) {
        JSAMPROW line = out->pixels + r->jpeg.output_scanline * row;
        jpeg_read_scanlines(&r->jpeg, &line, 1);
    }
    jpeg_finish_decompress(&r->jpeg);
    for (size_t i = 0; out->mode == BNN_MODE_CMYK && i < out->height * row; i++)
        out->pixels[i] = (uint8_t)(255 - out->pixels[i]); /* stored inverted, as Adobe does and Pillow takes for granted */
    return BNN_OK;
}

static int read_jpeg(struct reader *r, bnn_picture *out)
{
    if (setjmp(r->out_of_here))
        return r->rc;
    jpeg_create_decompress(&r->jpeg);
    r->jpeg.client_data = r;
    r->jpeg.progress    = &r->progress;
    jpeg_mem_src(&r->jpeg, r->job->data, r->job->size);
    int rc = read_header(r, out);
    if (rc == BNN_OK)
        rc = check_claim(r->job, out, r->err);
    return rc != BNN_OK || r->job->header_only ? rc : read_pixels(r, out);
}

static int decode(bnn_picture *out, const bnn_decode_job *job, bnn_error *err)
{
    struct reader r = { .job = job, .err = err, .progress.progress_monitor = on_progress };
    r.jpeg.err              = jpeg_std_error(&r.errors);
    r.errors.error_exit     = on_error;
    r.errors.emit_message   = on_message;
    r.errors.output_message = on_output;
    r.jpeg.client_data      = &r; /* kept by jpeg_create_decompress */
    const int rc = read_jpeg(&r, out);
    jpeg_destroy_decompress(&r.jpeg);
    return rc;
}

const bnn_decoder bnn_decoder_jpeg = { "JPEG", is_jpeg, decode };
