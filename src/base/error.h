/* error.h -- how every function of the library reports what went wrong.
 *
 *     return bnn_fail(err, BNN_ECORRUPT, "%s: %zu bytes, expected %zu", path, size, want);
 *
 * The message is one line: where, what was found, what was expected. `err` may
 * be NULL. The value returned is the code, so that a failure is one statement.
 */
#ifndef BNN_BASE_ERROR_H
#define BNN_BASE_ERROR_H

#include "bnn/bnn.h"

#include <stdarg.h>

int bnn_fail(bnn_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As bnn_fail, for byte `offset` of a file. */
int bnn_fail_at(bnn_error *err, int code, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int bnn_fail_memory(bnn_error *err, size_t bytes);
/* "path: message" with errno's text; EIO. */
int bnn_fail_errno(bnn_error *err, const char *what, const char *path);
/* Puts "prefix: " before a message that is already there (a path before a line number). */
int bnn_fail_prefix(bnn_error *err, const char *prefix);

#endif
