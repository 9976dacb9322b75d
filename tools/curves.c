/* curves.c -- CSV and SVG of a training run. No times in them: the same run gives the same files. */
#include "curves.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "epoch,loss,accuracy,validation,learning_rate\n";

int tool_curves_add(tool_curves *c, const tool_epoch *e, bnn_error *err)
{
    while (c->rows && c->row[c->rows - 1].epoch >= e->epoch)
        c->rows--;
    if (c->rows == c->room) {
        const size_t room = c->room ? 2 * c->room : 64;
        tool_epoch *grown = realloc(c->row, room * sizeof *grown);
        if (!grown)
            return tool_fail(err, BNN_ENOMEM, "not enough memory for %zu epochs", room);
        c->row  = grown;
        c->room = room;
    }
    c->row[c->rows++] = *e;
    return BNN_OK;
}

int tool_curves_read(tool_curves *c, const char *csv, bnn_error *err)
{
    char line[200];
    tool_epoch e;
    FILE *f = fopen(csv, "r");
    int rc = BNN_OK;
    if (!f || !fgets(line, sizeof line, f) || strcmp(line, header) != 0) {
        if (f)
            fclose(f);
        return BNN_OK;
    }
    while (rc == BNN_OK && fgets(line, sizeof line, f)
           && sscanf(line, "%u,%lf,%lf,%lf,%lf", &e.epoch, &e.loss, &e.accuracy, &e.validation, &e.learning_rate) == 5)
        rc = tool_curves_add(c, &e, err);
    fclose(f);
    return rc;
}

static void print_csv(FILE *f, const tool_curves *c)
{
    fputs(header, f);
    for (size_t i = 0; i < c->rows; i++)
        fprintf(f, "%u,%.6f,%.6f,%.6f,%.8f\n", c->row[i].epoch, c->row[i].loss, c->row[i].accuracy, c->row[i].validation,
                c->row[i].learning_rate);
}

/* ----------------------------------------------------------- the drawing -- */

enum { WIDTH = 720, HEIGHT = 400, LEFT = 56, RIGHT = 664, TOP = 40, BOTTOM = 350 };

static double loss_of(const tool_epoch *e) { return e->loss; }
static double accuracy_of(const tool_epoch *e) { return e->accuracy; }
static double validation_of(const tool_epoch *e) { return e->validation; }

static double x_of(const tool_curves *c, size_t i)
{
    return LEFT + (RIGHT - LEFT) * (c->rows > 1 ? (double)i / (double)(c->rows - 1) : 0.5);
}

static double y_of(double v, double low, double high)
{
    return BOTTOM - (BOTTOM - TOP) * (high > low ? (v - low) / (high - low) : 0.5);
}

static void print_line(FILE *f, const tool_curves *c, double (*value)(const tool_epoch *), double low, double high, const char *colour)
{
    fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" points=\"", colour);
    for (size_t i = 0; i < c->rows; i++)
        if (value(&c->row[i]) >= 0)
            fprintf(f, "%.1f,%.1f ", x_of(c, i), y_of(value(&c->row[i]), low, high));
    fputs("\"/>\n", f);
}

/* The range of two curves, 0 below it left out: -1 is "none". */
static void range(const tool_curves *c, double (*a)(const tool_epoch *), double (*b)(const tool_epoch *), double *low, double *high)
{
    *low = 1e9;
    *high = -1e9;
    for (size_t i = 0; i < c->rows; i++)
        for (int k = 0; k < 2; k++) {
            const double v = (k ? b : a)(&c->row[i]);
            if (v < 0)
                continue;
            *low  = v < *low ? v : *low;
            *high = v > *high ? v : *high;
        }
}

static void print_axes(FILE *f, const tool_curves *c, double low, double high, double loss_low, double loss_high)
{
    for (int k = 0; k <= 4; k++) {
        const double part = k / 4.0, y = y_of(part, 0, 1);
        fprintf(f, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", LEFT, y, RIGHT, y);
        fprintf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f %%</text>\n", LEFT - 6, y + 4, 100 * (low + part * (high - low)));
        fprintf(f, "<text x=\"%d\" y=\"%.1f\" fill=\"#a33\">%.3f</text>\n", RIGHT + 6, y + 4, loss_low + part * (loss_high - loss_low));
    }
    for (size_t k = 0; k <= 4; k++) {
        const size_t i = (c->rows - 1) * k / 4;
        fprintf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%u</text>\n", x_of(c, i), BOTTOM + 18, c->row[i].epoch);
    }
    fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">epoch</text>\n", (LEFT + RIGHT) / 2, BOTTOM + 38);
}

static void print_svg(FILE *f, const tool_curves *c)
{
    double low, high, loss_low, loss_high;
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
               "<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", WIDTH, HEIGHT, WIDTH, HEIGHT);
    if (c->rows) {
        range(c, accuracy_of, validation_of, &low, &high);
        range(c, loss_of, loss_of, &loss_low, &loss_high);
        print_axes(f, c, low, high, loss_low, loss_high);
        print_line(f, c, loss_of, loss_low, loss_high, "#a33");
        print_line(f, c, accuracy_of, low, high, "#999");
        print_line(f, c, validation_of, low, high, "#15a");
    }
    fprintf(f, "<text x=\"%d\" y=\"22\"><tspan fill=\"#15a\">validation accuracy</tspan>  <tspan fill=\"#777\">training accuracy</tspan>"
               "  <tspan fill=\"#a33\">loss (right)</tspan></text>\n</svg>\n", LEFT);
}

/* ----------------------------------------------------------------- files -- */

/* Beside its place first, then renamed into it. */
static int write_file(const tool_curves *c, void (*print)(FILE *, const tool_curves *), const char *path, bnn_error *err)
{
    char part[4096];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
        return tool_fail(err, BNN_EIO, "%s: the name is too long", path);
    FILE *f = fopen(part, "w");
    if (f) {
        print(f, c);
        const int failed = ferror(f);
        if (fclose(f) == 0 && !failed && rename(part, path) == 0)
            return BNN_OK;
        remove(part);
    }
    return tool_fail(err, BNN_EIO, "%s: cannot write: %s", path, strerror(errno));
}

int tool_curves_write(const tool_curves *c, const char *csv, const char *svg, bnn_error *err)
{
    const int rc = write_file(c, print_csv, csv, err);
    return rc == BNN_OK ? write_file(c, print_svg, svg, err) : rc;
}

void tool_curves_free(tool_curves *c)
{
    free(c->row);
    *c = (tool_curves){ 0 };
}
