/* fuzz_npz.c -- any bytes as an .npy array and as an .npz archive; reads every value of what opens. */
#include "format/npz.h"
#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double sum_of(const bnn_array *a)
{
    size_t product = 1;
    double sum = 0;
    for (uint32_t d = 0; d < a->dims; d++)
        product *= a->shape[d];
    if (product != a->size)
        abort();
    for (size_t i = 0; i < a->size; i++)
        sum += a->data[i];
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile double sum;
    bnn_array a;
    bnn_npz npz;
    bnn_error err;
    if (bnn_npy_read(&a, data, size, &err) == BNN_OK) {
        sum = sum + sum_of(&a);
        bnn_free(a.data);
    }
    if (bnn_npz_read(&npz, data, size, &err) == BNN_OK) {
        for (size_t i = 0; i < npz.count; i++)
            sum = sum + sum_of(&npz.array[i]);
        bnn_npz_free(&npz);
    }
    return 0;
}
