/* platform_uio.c -- a board under Linux: fpga_manager, UIO, u-dma-buf.
 *
 * All under options.overlay_root (default "/"):
 *
 *     lib/firmware/bnn-overlay.bit.bin   the bit stream, bnn-overlay.txt its description (net/design.h)
 *     sys/class/fpga_manager/fpga0/      firmware (written), state (must become "operating")
 *     sys/class/uio/uio0/, dev/uio0      registers, interrupt
 *     sys/class/u-dma-buf/udmabuf0/, dev/udmabuf0   the buffer shared with the device
 */
#include "backend/platform.h"
#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FPGA "sys/class/fpga_manager/fpga0/"
#define UIO "sys/class/uio/uio0/maps/map0/"
#define DMA "sys/class/u-dma-buf/udmabuf0/"

enum { REGISTER_BYTES = 0x2000, SLOWEST_HZ = 10000000 };

struct bnn_device {
    const char        *root;
    char              *text; /* description */
    int                uio;
    volatile uint32_t *registers;
    uint8_t           *buffer;
    size_t             buffer_size;
};

struct name { char path[4096]; };

static struct name in_root(const bnn_device *d, const char *file)
{
    struct name n;
    snprintf(n.path, sizeof n.path, "%s/%s", d->root, file);
    return n;
}

/* ---------------------------------------------------- small files of sysfs -- */

static int read_text(const bnn_device *d, const char *file, char *out, size_t size, bnn_error *err)
{
    const struct name n = in_root(d, file);
    const int fd = open(n.path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);
    const int rc = got < 0 ? bnn_fail_errno(err, "cannot read", n.path) : BNN_OK;
    if (fd >= 0)
        close(fd);
    if (rc == BNN_OK) {
        out[got] = 0;
        out[strcspn(out, "\n")] = 0;
    }
    return rc;
}

static int read_number(const bnn_device *d, const char *file, uint64_t *out, bnn_error *err)
{
    char text[64], *end;
    const int rc = read_text(d, file, text, sizeof text, err);
    if (rc != BNN_OK)
        return rc;
    *out = strtoull(text, &end, 0);
    return end != text && *end == 0 ? BNN_OK : bnn_fail(err, BNN_ECORRUPT, "%s: '%s'; expected a number", in_root(d, file).path, text);
}

static int write_text(const bnn_device *d, const char *file, const char *text, bnn_error *err)
{
    const struct name n = in_root(d, file);
    const int fd = open(n.path, O_WRONLY | O_CLOEXEC);
    const bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    const int rc = ok ? BNN_OK : bnn_fail_errno(err, "cannot write", n.path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* ----------------------------------------------------------------- open -- */

static int load_bit_stream(const bnn_device *d, bnn_error *err)
{
    char state[128];
    int rc = write_text(d, FPGA "firmware", "bnn-overlay.bit.bin", err);
    if (rc == BNN_OK)
        rc = read_text(d, FPGA "state", state, sizeof state, err);
    if (rc == BNN_OK && strcmp(state, "operating") != 0)
        rc = bnn_fail(err, BNN_EBACKEND, "%s: '%s' after loading bnn-overlay.bit.bin; expected 'operating'", in_root(d, FPGA "state").path, state);
    return rc;
}

static int read_description(bnn_device *d, bnn_error *err)
{
    const struct name n = in_root(d, "lib/firmware/bnn-overlay.txt");
    bnn_file file;
    const int rc = bnn_file_open(&file, n.path, err);
    if (rc != BNN_OK)
        return rc;
    d->text = bnn_strndup((const char *)file.data, file.size);
    bnn_file_close(&file);
    return d->text ? BNN_OK : bnn_fail_memory(err, file.size);
}

static int map_registers(bnn_device *d, bnn_error *err)
{
    const struct name n = in_root(d, "dev/uio0");
    uint64_t size;
    const int rc = read_number(d, UIO "size", &size, err);
    if (rc != BNN_OK)
        return rc;
    if (size < REGISTER_BYTES)
        return bnn_fail(err, BNN_EBACKEND, "%s: registers of %llu bytes; expected at least %d", in_root(d, UIO "size").path,
                        (unsigned long long)size, REGISTER_BYTES);
    d->uio = open(n.path, O_RDWR | O_CLOEXEC);
    if (d->uio < 0)
        return bnn_fail_errno(err, "cannot open", n.path);
    void *p = mmap(NULL, REGISTER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, d->uio, 0);
    if (p == MAP_FAILED)
        return bnn_fail_errno(err, "cannot map", n.path);
    d->registers = p;
    return BNN_OK;
}

static void uio_close(bnn_device *d)
{
    if (!d)
        return;
    if (d->registers)
        munmap((void *)(uintptr_t)d->registers, REGISTER_BYTES);
    if (d->buffer)
        munmap(d->buffer, d->buffer_size);
    if (d->uio >= 0)
        close(d->uio);
    bnn_free(d->text);
    bnn_free(d);
}

static int uio_open(bnn_device **out, const bnn_options *options, const char *images, bnn_error *err)
{
    bnn_device *d = bnn_alloc(1, sizeof *d);
    if (!d)
        return bnn_fail_memory(err, sizeof *d);
    (void)images;
    *d = (bnn_device){ .root = options->overlay_root ? options->overlay_root : "", .uio = -1 };
    int rc = read_description(d, err);
    if (rc == BNN_OK)
        rc = load_bit_stream(d, err);
    if (rc == BNN_OK)
        rc = map_registers(d, err);
    if (rc == BNN_OK)
        *out = d;
    else
        uio_close(d);
    return rc;
}

static const char *uio_description(const bnn_device *d)
{
    return d->text;
}

/* ------------------------------------------------------------------ use -- */

static int uio_read(bnn_device *d, uint32_t address, uint32_t *value, bnn_error *err)
{
    (void)err;
    *value = d->registers[address / 4];
    return BNN_OK;
}

static int uio_write(bnn_device *d, uint32_t address, uint32_t value, bnn_error *err)
{
    (void)err;
    d->registers[address / 4] = value;
    return BNN_OK;
}

static int uio_buffer(bnn_device *d, size_t least, size_t want, uint8_t **bytes, uint64_t *address, size_t *size, bnn_error *err)
{
    const struct name n = in_root(d, "dev/udmabuf0");
    uint64_t there;
    int rc = read_number(d, DMA "phys_addr", address, err);
    if (rc == BNN_OK)
        rc = read_number(d, DMA "size", &there, err);
    if (rc != BNN_OK)
        return rc;
    if (there < least)
        return bnn_fail(err, BNN_EBACKEND, "%s: a buffer of %llu bytes; expected at least %zu for one image and its result",
                        in_root(d, DMA "size").path, (unsigned long long)there, least);
    *size = there < want ? (size_t)there : want;
    const int fd = open(n.path, O_RDWR | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    rc = p == MAP_FAILED ? bnn_fail_errno(err, "cannot map", n.path) : BNN_OK;
    if (fd >= 0)
        close(fd);
    if (rc != BNN_OK)
        return rc;
    d->buffer      = p;
    d->buffer_size = *size;
    *bytes         = d->buffer;
    return BNN_OK;
}

static int uio_sync(bnn_device *d, size_t size, bool to_device, bnn_error *err)
{
    (void)size; /* the whole buffer, u-dma-buf's default */
    __sync_synchronize();
    return write_text(d, to_device ? DMA "sync_for_device" : DMA "sync_for_cpu", "1", err);
}

/* Never for ever: twice the time at the slowest clock that is sensible, and two seconds. */
static int uio_wait(bnn_device *d, uint64_t cycles, bnn_error *err)
{
    const int timeout = (int)(2 * cycles * 1000 / SLOWEST_HZ) + 2000;
    struct pollfd ready = { .fd = d->uio, .events = POLLIN };
    const uint32_t on = 1;
    uint32_t count;
    if (write(d->uio, &on, sizeof on) != (ssize_t)sizeof on)
        return bnn_fail_errno(err, "cannot enable the interrupt of", in_root(d, "dev/uio0").path);
    int n;
    while ((n = poll(&ready, 1, timeout)) < 0 && errno == EINTR)
        continue;
    if (n == 0)
        return bnn_fail(err, BNN_ETIMEOUT, "overlay: no interrupt within %d ms", timeout);
    if (n < 0 || read(d->uio, &count, sizeof count) != (ssize_t)sizeof count)
        return bnn_fail_errno(err, "cannot wait for", in_root(d, "dev/uio0").path);
    return BNN_OK;
}

static void uio_pause(bnn_device *d, uint32_t cycles)
{
    const struct timespec t = { 0, 1000 + (long)(cycles % 10000000) * 100 }; /* at SLOWEST_HZ */
    (void)d;
    nanosleep(&t, NULL);
}

const bnn_platform bnn_platform_uio = {
    "board", uio_open, uio_close, uio_description, uio_read, uio_write, uio_buffer, uio_sync, uio_wait, uio_pause, NULL,
};
