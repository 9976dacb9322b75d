/* replay.c -- runs a fuzz target over the files of the folders named: seeds as a regression test. */
#include "base/file.h"
#include "base/mem.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_folder(const char *folder)
{
    bnn_names names;
    bnn_error err;
    if (bnn_names_read(&names, folder, &err) != BNN_OK)
        return fprintf(stderr, "%s\n", err.message), 1;
    for (size_t i = 0; i < names.count; i++) {
        bnn_file file;
        char *path = bnn_path_join(folder, names.name[i]);
        if (!path || bnn_file_open(&file, path, &err) != BNN_OK)
            return fprintf(stderr, "%s\n", path ? err.message : "not enough memory"), 1;
        LLVMFuzzerTestOneInput(file.data, file.size);
        bnn_file_close(&file);
        bnn_free(path);
    }
    printf("%zu seeds of %s\n", names.count, folder);
    const int empty = names.count == 0;
    bnn_names_free(&names);
    return empty;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i]);
    return failed;
}
