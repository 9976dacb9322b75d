/* canvas.h -- a colour picture in memory: rectangles, scaled images, small letters; written as PNG. */
#ifndef BNN_TOOLS_CANVAS_H
#define BNN_TOOLS_CANVAS_H

#include "tool.h"

typedef struct tool_colour { uint8_t r, g, b; } tool_colour;

typedef struct tool_canvas {
    uint32_t width, height;
    uint8_t *pixels; /* height x width x R,G,B */
} tool_canvas;

enum { TOOL_LETTER_WIDTH = 6, TOOL_LETTER_HEIGHT = 10 }; /* with the gaps between letters and lines */

/* All of one colour. ENOMEM; ESHAPE beyond 2^28 pixels. */
int  tool_canvas_new(tool_canvas *c, uint64_t width, uint64_t height, tool_colour colour, bnn_error *err);
void tool_canvas_free(tool_canvas *c);

/* An image of 1 (grey) or 3 channels, each pixel a square of `scale`, with its corner at x, y. What lies outside is cut off. */
void tool_canvas_image(tool_canvas *c, uint32_t x, uint32_t y, const uint8_t *image, bnn_shape shape, uint32_t scale);
/* A line of text at most `room` letters long; a longer one ends in "..". ASCII has letters, others a box. */
void tool_canvas_text(tool_canvas *c, uint32_t x, uint32_t y, const char *text, size_t room, tool_colour colour);

/* Appears whole or not at all. EIO, ENOMEM. */
int  tool_canvas_save(const tool_canvas *c, const char *path, bnn_error *err);

#endif
