/* scratch.h -- folders for tests of files: made, filled, compared, removed. */
#ifndef BNN_TESTS_FORMAT_SCRATCH_H
#define BNN_TESTS_FORMAT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A new folder of its own; removed, with all in it, by scratch_remove. */
void scratch_make(char out[256]);
void scratch_remove(const char *folder);

/* folder/name; a small ring of buffers, so two can be used in one call. */
const char *scratch_path(const char *folder, const char *name);

void     scratch_write(const char *folder, const char *name, const void *data, size_t size);
uint8_t *scratch_read(const char *path, size_t *size); /* free() it; size 0 and NULL when there is none */

/* Same names, same bytes; prints the first difference. */
bool scratch_same(const char *a, const char *b);

/* splitmix64: the same numbers on every machine. */
typedef struct scratch_rng { uint64_t state; } scratch_rng;
uint64_t scratch_next(scratch_rng *r);
int      scratch_between(scratch_rng *r, int low, int high); /* inclusive */

/* The folder of real data (BNN_DATA, or ../shared/data beside the source), or NULL. */
const char *scratch_data(const char *sub);

#endif
