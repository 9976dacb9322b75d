/* zip.h -- the zip container, as much of it as NumPy archives use.
 *
 * Members stored or deflated, found by the central directory, checked against
 * their CRC-32. Refused: encryption, several disks, archives of 4 GiB and more
 * (zip64), members whose declared size no deflate stream of their length
 * reaches, and more than BNN_ZIP_MAX_SIZE declared bytes in all. So memory
 * stays proportional to the file. (APPNOTE.TXT, PKWARE, 6.3.10.)
 */
#ifndef BNN_FORMAT_ZIP_H
#define BNN_FORMAT_ZIP_H

#include "base/error.h"

#include <stdbool.h>

enum { BNN_ZIP_MAX_MEMBERS = 4096, BNN_ZIP_MAX_SIZE = 1 << 28 };

typedef struct bnn_zip_member {
    char          *name;
    const uint8_t *data;   /* as it lies in the archive */
    size_t         packed; /* bytes there */
    size_t         size;   /* bytes unpacked, as declared */
    uint32_t       crc;
    uint16_t       method; /* 0 stored, 8 deflated */
} bnn_zip_member;

typedef struct bnn_zip { bnn_zip_member *member; size_t count; } bnn_zip;

/* Reads the directory; the members point into `data`. EMAGIC, ECORRUPT, ENOMEM. */
int  bnn_zip_open(bnn_zip *out, const void *data, size_t size, bnn_error *err);
void bnn_zip_close(bnn_zip *zip);
/* Unpacks one member into member->size bytes. ECORRUPT, ENOMEM. */
int  bnn_zip_unpack(const bnn_zip_member *member, void *out, bnn_error *err);

/* Builds an archive in memory; it has no dates, so the same members give the same bytes. */
typedef struct bnn_zip_writer {
    uint8_t *data, *directory;
    size_t   size, room, directory_size, directory_room;
    unsigned count;
} bnn_zip_writer;

/* Both ENOMEM; EINVAL for more than an archive can hold. On failure, and in the end, bnn_zip_free. */
int  bnn_zip_add(bnn_zip_writer *w, const char *name, const void *data, size_t size, bool deflated, bnn_error *err);
int  bnn_zip_finish(bnn_zip_writer *w, bnn_error *err); /* then data and size are the file */
void bnn_zip_free(bnn_zip_writer *w);

#endif
