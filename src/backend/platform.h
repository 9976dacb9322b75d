/* platform.h -- what the overlay driver needs of the place where an overlay runs.
 *
 * A few functions; the driver (overlay.c) is the same over all of them. To add
 * a platform: write platform_NAME.c with a bnn_platform, and add it to the
 * table in overlay.c.
 */
#ifndef BNN_BACKEND_PLATFORM_H
#define BNN_BACKEND_PLATFORM_H

#include "net/design.h"

typedef struct bnn_device bnn_device; /* each platform defines its own */

/* A word that moved behind layer `layer`, 32 bits at a time, lowest first. */
typedef void (*bnn_tap_fn)(void *user, int layer, int piece, uint32_t value);

typedef struct bnn_platform {
    const char *name;
    /* Brings the overlay up: loads a bit stream, or opens a simulation.
     * `images`: folder of memory images to start with (back door), or NULL. */
    int  (*open)(bnn_device **out, const bnn_options *options, const char *images, bnn_error *err);
    void (*close)(bnn_device *d);
    const char *(*description)(const bnn_device *d); /* text of a design (net/design.h) */
    int  (*read)(bnn_device *d, uint32_t address, uint32_t *value, bnn_error *err);
    int  (*write)(bnn_device *d, uint32_t address, uint32_t value, bnn_error *err);
    /* Memory that both sides see: at least `least` bytes, as many as `want` if
     * there are. Gives what there is, where the device sees it. Once a device. */
    int  (*buffer)(bnn_device *d, size_t least, size_t want, uint8_t **bytes, uint64_t *address, size_t *size, bnn_error *err);
    /* Hands the first `size` bytes of the buffer over, to the device or back (caches). */
    int  (*sync)(bnn_device *d, size_t size, bool to_device, bnn_error *err);
    /* Waits for the interrupt; about `cycles` of the overlay's clock are expected. ETIMEOUT. */
    int  (*wait)(bnn_device *d, uint64_t cycles, bnn_error *err);
    void (*pause)(bnn_device *d, uint32_t cycles); /* lets so much time pass */
    int  (*tap)(bnn_device *d, bnn_tap_fn fn, void *user); /* NULL where nothing inside can be seen */
} bnn_platform;

extern const bnn_platform bnn_platform_sim; /* platform_sim.c: a Verilated overlay */
extern const bnn_platform bnn_platform_uio; /* platform_uio.c: a board under Linux */

#endif
