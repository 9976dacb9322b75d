/* prepare_files MANIFEST OUT: each line of MANIFEST is "PATH<TAB>RULE"; OUT gets the bytes of
 * each picture through its rule, one after the other. Compared with Pillow by pillow.py. */
#include "bnn/bnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int prepare(const char *path, const char *rule, FILE *out)
{
    bnn_dataset_options options;
    bnn_dataset *set;
    bnn_shape shape;
    bnn_error err;
    bnn_dataset_options_default(&options);
    options.rule = rule;
    if (bnn_dataset_open(&set, &path, 1, &options, &err) != BNN_OK)
        return fprintf(stderr, "%s\n", err.message), 1;
    const size_t count = bnn_dataset_count(set, &shape), size = (size_t)shape.height * shape.width * shape.channels;
    uint8_t *pixels = malloc(size);
    int failed = count != 1 || !pixels;
    if (!failed && bnn_dataset_get(set, 0, 1, pixels, NULL, &err) != BNN_OK)
        failed = fprintf(stderr, "%s\n", err.message);
    if (!failed)
        fwrite(pixels, 1, size, out);
    free(pixels);
    bnn_dataset_close(set);
    return failed;
}

int main(int argc, char **argv)
{
    char line[4096];
    FILE *in = argc == 3 ? fopen(argv[1], "r") : NULL, *out = in ? fopen(argv[2], "wb") : NULL;
    int failed = !out;
    while (!failed && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = '\0';
        char *tab = strchr(line, '\t');
        if (tab)
            *tab = '\0';
        failed = !tab || prepare(line, tab + 1, out);
    }
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        failed = 1;
    return failed != 0;
}
