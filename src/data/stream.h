/* stream.h -- the bytes of a file, or of what a .gz file holds, read at any place.
 *
 * A plain file is mapped. A .gz file is inflated as it is read: forwards at no
 * extra cost, backwards from the nearest of some marks kept on the way. Nothing
 * is ever inflated whole. Several threads may read at once.
 */
#ifndef BNN_DATA_STREAM_H
#define BNN_DATA_STREAM_H

#include "base/file.h"

typedef struct bnn_stream bnn_stream;

/* EIO, ENOMEM. */
int  bnn_stream_open(bnn_stream **out, const char *path, bnn_error *err);
void bnn_stream_close(bnn_stream *s);

/* Exactly n bytes from byte `at`. ECORRUPT where the file ends early or is no valid gzip. */
int  bnn_stream_read(bnn_stream *s, uint64_t at, size_t n, uint8_t *out, bnn_error *err);

/* ECORRUPT "path: N bytes; expected SIZE (what)" unless the stream is `size` bytes
 * long. Of a .gz file its trailer is asked, and only if that disagrees all is inflated. */
int  bnn_stream_expect(bnn_stream *s, uint64_t size, const char *what, bnn_error *err);

#endif
