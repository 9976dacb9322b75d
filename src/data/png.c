/* png.c -- PNG through libpng, in the modes that Pillow opens it in.
 *
 *     grey 1 bit        1           palette           P
 *     grey 2, 4, 8      L           grey + alpha      LA (16 bits: RGBA)
 *     grey 16           L           RGB, RGBA         RGB, RGBA
 *
 * 16 bits are cut to their upper 8, as Pillow does for colour. (It keeps 16-bit
 * grey as integers and later clips all above 255 to white, which nobody can
 * want.) A transparent colour (tRNS) only gives alpha, which is not used.
 *
 * libpng reports errors by longjmp: what must survive one lives in struct reader.
 */
#include "data/data.h"
#include "base/bytes.h"
#include "base/mem.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

struct reader {
    bnn_bytes             bytes;
    const bnn_decode_job *job;
    bnn_error            *err;
    int                   rc;
    png_structp           png;
    png_infop             info;
    png_bytep            *rows;
};

static bool is_png(const uint8_t *head, size_t size)
{
    return size >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static void on_error(png_structp png, png_const_charp message)
{
    struct reader *r = png_get_error_ptr(png);
    r->rc = bnn_fail(r->err, BNN_ECORRUPT, "%s: damaged PNG: %s", r->job->path, message);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

static void on_read(png_structp png, png_bytep out, size_t n)
{
    struct reader *r = png_get_io_ptr(png);
    const uint8_t *p = bnn_bytes_take(&r->bytes, n);
    if (!p)
        png_error(png, "the file ends early");
    memcpy(out, p, n);
}

static enum bnn_mode mode_of(int colour, int depth)
{
    switch (colour) {
    case PNG_COLOR_TYPE_PALETTE:    return BNN_MODE_P;
    case PNG_COLOR_TYPE_RGB:        return BNN_MODE_RGB;
    case PNG_COLOR_TYPE_RGB_ALPHA:  return BNN_MODE_RGBA;
    case PNG_COLOR_TYPE_GRAY_ALPHA: return depth == 16 ? BNN_MODE_RGBA : BNN_MODE_LA;
    default:                        return depth == 1 ? BNN_MODE_1 : BNN_MODE_L;
    }
}

/* Entries beyond the file's palette are a ramp of greys, as in Pillow. */
static void read_palette(struct reader *r, bnn_picture *out)
{
    png_colorp entry;
    int count = 0;
    for (int i = 0; i < 256; i++)
        memset(out->palette + 3 * i, i, 3);
    png_get_PLTE(r->png, r->info, &entry, &count);
    for (int i = 0; i < count && i < 256; i++) {
        const uint8_t rgb[3] = { entry[i].red, entry[i].green, entry[i].blue };
        memcpy(out->palette + 3 * i, rgb, 3);
    }
}

static void ask_for_bytes(struct reader *r, enum bnn_mode mode, int colour, int depth)
{
    if (depth == 16)
        png_set_strip_16(r->png);
    if (colour == PNG_COLOR_TYPE_PALETTE && depth < 8)
        png_set_packing(r->png);
    if (colour == PNG_COLOR_TYPE_GRAY && depth < 8)
        png_set_expand_gray_1_2_4_to_8(r->png);
    if (mode == BNN_MODE_RGBA && colour == PNG_COLOR_TYPE_GRAY_ALPHA)
        png_set_gray_to_rgb(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

/* Deflate cannot shrink data more than 1032 times: a file that claims to has
 * no such pixels in it, and is refused before they are allocated. */
static int check_claim(const bnn_decode_job *job, size_t height, size_t row_bytes, bnn_error *err)
{
    if (height * row_bytes / 1032 > job->size)
        return bnn_fail(err, BNN_ECORRUPT, "%s: damaged PNG: %zu rows of %zu bytes in a file of %zu bytes", job->path, height,
                        row_bytes, job->size);
    return BNN_OK;
}

static int read_header(struct reader *r, bnn_picture *out)
{
    png_read_info(r->png, r->info);
    const uint32_t height = png_get_image_height(r->png, r->info), width = png_get_image_width(r->png, r->info);
    const int colour = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);
    int rc = bnn_picture_check_size(r->job, "PNG", height, width, r->err);
    if (rc == BNN_OK)
        rc = check_claim(r->job, height, png_get_rowbytes(r->png, r->info), r->err);
    if (rc != BNN_OK)
        return rc;
    out->height = height;
    out->width  = width;
    out->mode   = mode_of(colour, depth);
    if (out->mode == BNN_MODE_P)
        read_palette(r, out);
    ask_for_bytes(r, out->mode, colour, depth);
    return BNN_OK;
}

static int read_pixels(struct reader *r, bnn_picture *out)
{
    const size_t row = (size_t)out->width * bnn_mode_channels(out->mode);
    if (png_get_rowbytes(r->png, r->info) != row)
        return bnn_fail(r->err, BNN_ECORRUPT, "%s: PNG rows of %zu bytes; expected %zu", r->job->path,
                        png_get_rowbytes(r->png, r->info), row);
    out->pixels = bnn_alloc(out->height, row);
    r->rows     = bnn_alloc(out->height, sizeof *r->rows);
    if (!out->pixels || !r->rows)
        return bnn_fail_memory(r->err, out->height * row);
    for (size_t y = 0; y < out->height; y++)
        r->rows[y] = out->pixels + y * row;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
    return BNN_OK;
}

static int read_png(struct reader *r, bnn_picture *out)
{
    if (setjmp(png_jmpbuf(r->png)))
        return r->rc;
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours come with a better message */
    png_set_benign_errors(r->png, 1);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* texts, profiles */
    const int rc = read_header(r, out);
    return rc != BNN_OK || r->job->header_only ? rc : read_pixels(r, out);
}

static int decode(bnn_picture *out, const bnn_decode_job *job, bnn_error *err)
{
    struct reader r = { .bytes = bnn_bytes_of(job->data, job->size), .job = job, .err = err };
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    const int rc = r.info ? read_png(&r, out) : bnn_fail_memory(err, sizeof r);
    png_destroy_read_struct(r.png ? &r.png : NULL, &r.info, NULL);
    bnn_free(r.rows);
    return rc;
}

const bnn_decoder bnn_decoder_png = { "PNG", is_png, decode };
