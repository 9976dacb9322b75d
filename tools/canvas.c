/* canvas.c -- pixels, a small font, PNG. */
#include "canvas.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GLYPH_WIDTH = 5, FIRST_GLYPH = ' ', LAST_GLYPH = '~' };

/* The rows of each letter, from ' ' to '~': seven, or eight of one that goes below the line. */
static const char *const glyph[] = {
    [' ' - FIRST_GLYPH] = "..... ..... ..... ..... ..... ..... .....",
    ['!' - FIRST_GLYPH] = "..#.. ..#.. ..#.. ..#.. ..#.. ..... ..#..",
    ['"' - FIRST_GLYPH] = ".#.#. .#.#. .#.#. ..... ..... ..... .....",
    ['#' - FIRST_GLYPH] = ".#.#. .#.#. ##### .#.#. ##### .#.#. .#.#.",
    ['$' - FIRST_GLYPH] = "..#.. .#### #.#.. .###. ..#.# ####. ..#..",
    ['%' - FIRST_GLYPH] = "##..# ##..# ...#. ..#.. .#... #..## #..##",
    ['&' - FIRST_GLYPH] = ".##.. #..#. #.#.. .#... #.#.# #..#. .##.#",
    ['\'' - FIRST_GLYPH] = "..#.. ..#.. .#... ..... ..... ..... .....",
    ['(' - FIRST_GLYPH] = "...#. ..#.. .#... .#... .#... ..#.. ...#.",
    [')' - FIRST_GLYPH] = ".#... ..#.. ...#. ...#. ...#. ..#.. .#...",
    ['*' - FIRST_GLYPH] = "..... ..#.. #.#.# .###. #.#.# ..#.. .....",
    ['+' - FIRST_GLYPH] = "..... ..#.. ..#.. ##### ..#.. ..#.. .....",
    [',' - FIRST_GLYPH] = "..... ..... ..... ..... ..... .##.. ..#.. .#...",
    ['-' - FIRST_GLYPH] = "..... ..... ..... ##### ..... ..... .....",
    ['.' - FIRST_GLYPH] = "..... ..... ..... ..... ..... .##.. .##..",
    ['/' - FIRST_GLYPH] = "....# ....# ...#. ..#.. .#... #.... #....",
    ['0' - FIRST_GLYPH] = ".###. #...# #..## #.#.# ##..# #...# .###.",
    ['1' - FIRST_GLYPH] = "..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.",
    ['2' - FIRST_GLYPH] = ".###. #...# ....# ...#. ..#.. .#... #####",
    ['3' - FIRST_GLYPH] = "##### ...#. ..#.. ...#. ....# #...# .###.",
    ['4' - FIRST_GLYPH] = "...#. ..##. .#.#. #..#. ##### ...#. ...#.",
    ['5' - FIRST_GLYPH] = "##### #.... ####. ....# ....# #...# .###.",
    ['6' - FIRST_GLYPH] = "..##. .#... #.... ####. #...# #...# .###.",
    ['7' - FIRST_GLYPH] = "##### ....# ...#. ..#.. .#... .#... .#...",
    ['8' - FIRST_GLYPH] = ".###. #...# #...# .###. #...# #...# .###.",
    ['9' - FIRST_GLYPH] = ".###. #...# #...# .#### ....# ...#. .##..",
    [':' - FIRST_GLYPH] = "..... .##.. .##.. ..... .##.. .##.. .....",
    [';' - FIRST_GLYPH] = "..... .##.. .##.. ..... ..... .##.. ..#.. .#...",
    ['<' - FIRST_GLYPH] = "...#. ..#.. .#... #.... .#... ..#.. ...#.",
    ['=' - FIRST_GLYPH] = "..... ..... ##### ..... ##### ..... .....",
    ['>' - FIRST_GLYPH] = ".#... ..#.. ...#. ....# ...#. ..#.. .#...",
    ['?' - FIRST_GLYPH] = ".###. #...# ....# ...#. ..#.. ..... ..#..",
    ['@' - FIRST_GLYPH] = ".###. #...# #.### #.#.# #.### #.... .###.",
    ['A' - FIRST_GLYPH] = ".###. #...# #...# ##### #...# #...# #...#",
    ['B' - FIRST_GLYPH] = "####. #...# #...# ####. #...# #...# ####.",
    ['C' - FIRST_GLYPH] = ".###. #...# #.... #.... #.... #...# .###.",
    ['D' - FIRST_GLYPH] = "###.. #..#. #...# #...# #...# #..#. ###..",
    ['E' - FIRST_GLYPH] = "##### #.... #.... ####. #.... #.... #####",
    ['F' - FIRST_GLYPH] = "##### #.... #.... ####. #.... #.... #....",
    ['G' - FIRST_GLYPH] = ".###. #...# #.... #.### #...# #...# .####",
    ['H' - FIRST_GLYPH] = "#...# #...# #...# ##### #...# #...# #...#",
    ['I' - FIRST_GLYPH] = ".###. ..#.. ..#.. ..#.. ..#.. ..#.. .###.",
    ['J' - FIRST_GLYPH] = "..### ...#. ...#. ...#. ...#. #..#. .##..",
    ['K' - FIRST_GLYPH] = "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    ['L' - FIRST_GLYPH] = "#.... #.... #.... #.... #.... #.... #####",
    ['M' - FIRST_GLYPH] = "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    ['N' - FIRST_GLYPH] = "#...# #...# ##..# #.#.# #..## #...# #...#",
    ['O' - FIRST_GLYPH] = ".###. #...# #...# #...# #...# #...# .###.",
    ['P' - FIRST_GLYPH] = "####. #...# #...# ####. #.... #.... #....",
    ['Q' - FIRST_GLYPH] = ".###. #...# #...# #...# #.#.# #..#. .##.#",
    ['R' - FIRST_GLYPH] = "####. #...# #...# ####. #.#.. #..#. #...#",
    ['S' - FIRST_GLYPH] = ".#### #.... #.... .###. ....# ....# ####.",
    ['T' - FIRST_GLYPH] = "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    ['U' - FIRST_GLYPH] = "#...# #...# #...# #...# #...# #...# .###.",
    ['V' - FIRST_GLYPH] = "#...# #...# #...# #...# #...# .#.#. ..#..",
    ['W' - FIRST_GLYPH] = "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    ['X' - FIRST_GLYPH] = "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    ['Y' - FIRST_GLYPH] = "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    ['Z' - FIRST_GLYPH] = "##### ....# ...#. ..#.. .#... #.... #####",
    ['[' - FIRST_GLYPH] = ".###. .#... .#... .#... .#... .#... .###.",
    ['\\' - FIRST_GLYPH] = "#.... #.... .#... ..#.. ...#. ....# ....#",
    [']' - FIRST_GLYPH] = ".###. ...#. ...#. ...#. ...#. ...#. .###.",
    ['^' - FIRST_GLYPH] = "..#.. .#.#. #...# ..... ..... ..... .....",
    ['_' - FIRST_GLYPH] = "..... ..... ..... ..... ..... ..... #####",
    ['`' - FIRST_GLYPH] = ".#... ..#.. ..... ..... ..... ..... .....",
    ['a' - FIRST_GLYPH] = "..... ..... .###. ....# .#### #...# .####",
    ['b' - FIRST_GLYPH] = "#.... #.... ####. #...# #...# #...# ####.",
    ['c' - FIRST_GLYPH] = "..... ..... .#### #.... #.... #.... .####",
    ['d' - FIRST_GLYPH] = "....# ....# .#### #...# #...# #...# .####",
    ['e' - FIRST_GLYPH] = "..... ..... .###. #...# ##### #.... .###.",
    ['f' - FIRST_GLYPH] = "..##. .#... ####. .#... .#... .#... .#...",
    ['g' - FIRST_GLYPH] = "..... ..... .#### #...# #...# .#### ....# .###.",
    ['h' - FIRST_GLYPH] = "#.... #.... ####. #...# #...# #...# #...#",
    ['i' - FIRST_GLYPH] = "..#.. ..... .##.. ..#.. ..#.. ..#.. .###.",
    ['j' - FIRST_GLYPH] = "...#. ..... ..##. ...#. ...#. ...#. #..#. .##..",
    ['k' - FIRST_GLYPH] = "#.... #.... #..#. #.#.. ##... #.#.. #..#.",
    ['l' - FIRST_GLYPH] = ".##.. ..#.. ..#.. ..#.. ..#.. ..#.. .###.",
    ['m' - FIRST_GLYPH] = "..... ..... ####. #.#.# #.#.# #.#.# #.#.#",
    ['n' - FIRST_GLYPH] = "..... ..... ####. #...# #...# #...# #...#",
    ['o' - FIRST_GLYPH] = "..... ..... .###. #...# #...# #...# .###.",
    ['p' - FIRST_GLYPH] = "..... ..... ####. #...# #...# ####. #.... #....",
    ['q' - FIRST_GLYPH] = "..... ..... .#### #...# #...# .#### ....# ....#",
    ['r' - FIRST_GLYPH] = "..... ..... #.### ##... #.... #.... #....",
    ['s' - FIRST_GLYPH] = "..... ..... .#### #.... .###. ....# ####.",
    ['t' - FIRST_GLYPH] = ".#... .#... ####. .#... .#... .#... ..##.",
    ['u' - FIRST_GLYPH] = "..... ..... #...# #...# #...# #...# .####",
    ['v' - FIRST_GLYPH] = "..... ..... #...# #...# #...# .#.#. ..#..",
    ['w' - FIRST_GLYPH] = "..... ..... #...# #.#.# #.#.# #.#.# .#.#.",
    ['x' - FIRST_GLYPH] = "..... ..... #...# .#.#. ..#.. .#.#. #...#",
    ['y' - FIRST_GLYPH] = "..... ..... #...# #...# #...# .#### ....# .###.",
    ['z' - FIRST_GLYPH] = "..... ..... ##### ...#. ..#.. .#... #####",
    ['{' - FIRST_GLYPH] = "...## ..#.. ..#.. .#... ..#.. ..#.. ...##",
    ['|' - FIRST_GLYPH] = "..#.. ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    ['}' - FIRST_GLYPH] = "##... ..#.. ..#.. ...#. ..#.. ..#.. ##...",
    ['~' - FIRST_GLYPH] = "..... ..... .#... #.#.# ...#. ..... .....",
};

/* Of all else. */
static const char box[] = "##### #...# #...# #...# #...# #...# #####";

int tool_canvas_new(tool_canvas *c, uint64_t width, uint64_t height, tool_colour colour, bnn_error *err)
{
    enum { MOST = 1 << 28 };
    if (width == 0 || height == 0 || width > MOST || height > MOST || width * height > MOST)
        return tool_fail(err, BNN_ESHAPE, "a picture of %llu x %llu pixels; expected at most 2^28", (unsigned long long)width,
                         (unsigned long long)height);
    *c = (tool_canvas){ .width = (uint32_t)width, .height = (uint32_t)height, .pixels = malloc((size_t)(3 * width * height)) };
    if (!c->pixels)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for a picture of %u x %u pixels", c->width, c->height);
    for (size_t i = 0; i < (size_t)width * height; i++)
        memcpy(c->pixels + 3 * i, &colour, 3);
    return BNN_OK;
}

void tool_canvas_free(tool_canvas *c)
{
    free(c->pixels);
    c->pixels = NULL;
}

static void put(tool_canvas *c, uint32_t x, uint32_t y, tool_colour colour)
{
    if (x >= c->width || y >= c->height)
        return;
    uint8_t *p = c->pixels + 3 * ((size_t)y * c->width + x);
    p[0] = colour.r;
    p[1] = colour.g;
    p[2] = colour.b;
}

void tool_canvas_image(tool_canvas *c, uint32_t x, uint32_t y, const uint8_t *image, bnn_shape shape, uint32_t scale)
{
    const uint32_t green = shape.channels == 3 ? 1 : 0, blue = 2 * green;
    for (uint32_t j = 0; j < shape.height * scale; j++)
        for (uint32_t i = 0; i < shape.width * scale; i++) {
            const uint8_t *p = image + ((size_t)(j / scale) * shape.width + i / scale) * shape.channels;
            put(c, x + i, y + j, (tool_colour){ p[0], p[green], p[blue] });
        }
}

static void put_glyph(tool_canvas *c, uint32_t x, uint32_t y, unsigned char letter, tool_colour colour)
{
    const char *rows = letter >= FIRST_GLYPH && letter <= LAST_GLYPH ? glyph[letter - FIRST_GLYPH] : box;
    for (uint32_t i = 0; rows[i]; i++) /* rows are GLYPH_WIDTH long and a blank */
        if (rows[i] == '#')
            put(c, x + i % (GLYPH_WIDTH + 1), y + i / (GLYPH_WIDTH + 1), colour);
}

/* Bytes 10xxxxxx continue a letter of UTF-8. */
static int continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t letters_of(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += !continues(*text);
    return n;
}

void tool_canvas_text(tool_canvas *c, uint32_t x, uint32_t y, const char *text, size_t room, tool_colour colour)
{
    const int cut = letters_of(text) > room;
    size_t n = 0;
    for (; *text && n < room; text++) {
        if (continues(*text))
            continue;
        put_glyph(c, x + (uint32_t)n * TOOL_LETTER_WIDTH, y, cut && n + 2 >= room ? '.' : (unsigned char)*text, colour);
        n++;
    }
}

/* ------------------------------------------------------------------ PNG -- */

static int encode(const tool_canvas *c, void **out, size_t *size, const char *path, bnn_error *err)
{
    png_image png = { .version = PNG_IMAGE_VERSION, .width = c->width, .height = c->height, .format = PNG_FORMAT_RGB };
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(png);
    *out = malloc(room);
    if (!*out)
        return tool_fail(err, BNN_ENOMEM, "not enough memory for a picture of %u x %u pixels", c->width, c->height);
    if (!png_image_write_to_memory(&png, *out, &room, 0, c->pixels, 0, NULL)) {
        free(*out);
        return tool_fail(err, BNN_EIO, "%s: cannot encode: %s", path, png.message);
    }
    *size = room;
    return BNN_OK;
}

/* Beside its place first, then renamed into it. */
static int write_file(const char *path, const void *data, size_t size, bnn_error *err)
{
    char part[4096];
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return tool_fail(err, BNN_EINVAL, "%s: not a file; expected one to write or replace", path);
    if ((size_t)snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid()) >= sizeof part)
        return tool_fail(err, BNN_EINVAL, "%s: the name is too long", path);
    FILE *f = fopen(part, "wb");
    const int whole = f && fwrite(data, 1, size, f) == size;
    int why = errno;
    if (f && fclose(f) == 0 && whole && rename(part, path) == 0)
        return BNN_OK;
    if (whole)
        why = errno;
    if (f)
        unlink(part);
    return tool_fail(err, BNN_EIO, "%s: cannot write: %s", path, strerror(why));
}

int tool_canvas_save(const tool_canvas *c, const char *path, bnn_error *err)
{
    void *data = NULL;
    size_t size = 0;
    int rc = encode(c, &data, &size, path, err);
    if (rc != BNN_OK)
        return rc;
    rc = write_file(path, data, size, err);
    free(data);
    return rc;
}
