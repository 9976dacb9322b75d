/* platform_sim.c -- a Verilated overlay: the real RTL, cycle by cycle (rtl/sim/overlay_sim.h). */
#include "backend/platform.h"
#include "base/mem.h"
#include "../../rtl/sim/overlay_sim.h"

#include <dlfcn.h>
#include <string.h>

enum { ADDRESS = 0x10000000 }; /* where the simulated master finds the buffer */

struct bnn_device {
    void              *object;
    const bnn_sim_ops *ops;
    bnn_sim           *sim;
    uint8_t           *bytes;
    uint32_t           percent; /* of stalls */
};

static void sim_close(bnn_device *d)
{
    if (!d)
        return;
    if (d->sim)
        d->ops->close(d->sim);
    if (d->object)
        dlclose(d->object);
    bnn_free(d->bytes);
    bnn_free(d);
}

static int load(bnn_device *d, const char *path, bnn_error *err)
{
    bnn_overlay_sim_fn entry = NULL;
    d->object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!d->object)
        return bnn_fail(err, BNN_EBACKEND, "%s", dlerror());
    void *symbol = dlsym(d->object, "bnn_overlay_sim");
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from an object to a function */
    d->ops = entry ? entry() : NULL;
    if (!d->ops)
        return bnn_fail(err, BNN_EMAGIC, "%s: no simulation object of an overlay", path);
    if (d->ops->abi != BNN_SIM_ABI)
        return bnn_fail(err, BNN_EVERSION, "%s: simulation interface %u; expected %d", path, d->ops->abi, BNN_SIM_ABI);
    return BNN_OK;
}

static int sim_open(bnn_device **out, const bnn_options *options, const char *images, bnn_error *err)
{
    bnn_device *d = bnn_alloc(1, sizeof *d);
    if (!d)
        return bnn_fail_memory(err, sizeof *d);
    int rc = load(d, options->overlay, err);
    if (rc == BNN_OK) {
        d->sim = d->ops->open(images, options->overlay_waves);
        rc = d->sim ? BNN_OK : bnn_fail_memory(err, sizeof *d);
    }
    if (rc != BNN_OK) {
        sim_close(d);
        return rc;
    }
    d->percent = options->overlay_stall < 99 ? options->overlay_stall : 99;
    d->ops->stalls(d->sim, options->overlay_seed, d->percent);
    *out = d;
    return BNN_OK;
}

static const char *sim_description(const bnn_device *d)
{
    return d->ops->description;
}

static int sim_read(bnn_device *d, uint32_t address, uint32_t *value, bnn_error *err)
{
    if (d->ops->read(d->sim, address, value) != 0)
        return bnn_fail(err, BNN_ETIMEOUT, "overlay register 0x%03x: no answer to a read", address);
    return BNN_OK;
}

static int sim_write(bnn_device *d, uint32_t address, uint32_t value, bnn_error *err)
{
    if (d->ops->write(d->sim, address, value) != 0)
        return bnn_fail(err, BNN_ETIMEOUT, "overlay register 0x%03x: no answer to a write", address);
    return BNN_OK;
}

static int sim_buffer(bnn_device *d, size_t least, size_t want, uint8_t **bytes, uint64_t *address, size_t *size, bnn_error *err)
{
    (void)least;
    d->bytes = bnn_alloc(want, 1);
    if (!d->bytes)
        return bnn_fail_memory(err, want);
    d->ops->memory(d->sim, d->bytes, ADDRESS, want);
    *bytes   = d->bytes;
    *address = ADDRESS;
    *size    = want;
    return BNN_OK;
}

static int sim_sync(bnn_device *d, size_t size, bool to_device, bnn_error *err)
{
    (void)d, (void)size, (void)to_device, (void)err;
    return BNN_OK;
}

/* Both ends may be held up in `percent` of cycles: then everything may take that much longer, and twice as long by chance. */
static int sim_wait(bnn_device *d, uint64_t cycles, bnn_error *err)
{
    const uint64_t patience = 2 * cycles * 100 / (100 - d->percent) + 100000;
    const int done = d->ops->wait(d->sim, patience), lost = d->ops->lost(d->sim);
    if (lost >= 0)
        return bnn_fail(err, BNN_ECORRUPT, "overlay: unit %d lost a result: its output queue has fewer places than it counts on", lost);
    if (done)
        return BNN_OK;
    return bnn_fail(err, BNN_ETIMEOUT, "overlay: not done after %llu cycles; expected about %llu", (unsigned long long)patience,
                    (unsigned long long)cycles);
}

static void sim_pause(bnn_device *d, uint32_t cycles)
{
    d->ops->wait(d->sim, cycles);
}

static int sim_tap(bnn_device *d, bnn_tap_fn fn, void *user)
{
    d->ops->tap(d->sim, fn, user);
    return BNN_OK;
}

const bnn_platform bnn_platform_sim = {
    "simulation", sim_open, sim_close, sim_description, sim_read, sim_write, sim_buffer, sim_sync, sim_wait, sim_pause, sim_tap,
};
