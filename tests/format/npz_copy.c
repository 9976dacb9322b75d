/* npz_copy IN.npz OUT.npz f4|f8 stored|deflated -- an archive through the reader and the writer (for npz.py). */
#include "format/npz.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    bnn_npz npz;
    bnn_error err;
    if (argc != 5)
        return 2;
    const bnn_npz_options options = { .wide = strcmp(argv[3], "f8") == 0, .deflated = strcmp(argv[4], "deflated") == 0 };
    int rc = bnn_npz_open(&npz, argv[1], &err);
    if (rc == BNN_OK) {
        rc = bnn_npz_save(&npz, &options, argv[2], &err);
        bnn_npz_free(&npz);
    }
    if (rc != BNN_OK)
        printf("%s %s\n", bnn_err_name(rc), err.message);
    return rc != BNN_OK;
}
