/* board_peer.c -- the other side of a board's device files: the Verilated overlay.
 *
 *     board_peer OBJECT ROOT [FAULT]
 *
 * Listens as ROOT/dev/uio0 (board_peer.h) and gives the overlay ROOT/dev/udmabuf0
 * as its memory, at the physical address that sysfs tells. The clock runs
 * while there is something to do. A driver that goes away leaves the overlay
 * as it is, for the next one. Faults:
 *
 *     silent   no interrupt ever comes
 *     early    the interrupt comes at once, long before the work is done
 *     bit      one bit of a word of the parameters is lost
 *     memory   the device sees only the first 64 bytes of its buffer
 *     load     the driver is killed amid the parameters, once
 *     run      the driver is killed just after a start, once
 */
#include "board_peer.h"
#include "../../rtl/sim/overlay_sim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    CHUNK   = 100,      /* cycles between looks at the driver */
    BUDGET  = 10000000, /* cycles after which an access that started nothing is forgotten */
    CONTROL = 0x000, DO_INIT = 0x028, WINDOW = 0x1000,
    FAULTY  = 77,       /* which word of the window suffers */
};

static struct {
    const bnn_sim_ops *ops;
    bnn_sim           *sim;
    const char        *fault;
    int                listener, irq, bus;  /* -1: no driver */
    bool               enabled, init, done; /* interrupts; doInit; the fault that happens once has happened */
    uint32_t           interrupts, words, budget;
} peer = { .fault = "", .irq = -1, .bus = -1 };

static void fail(const char *what)
{
    fprintf(stderr, "board_peer: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* -------------------------------------------------------------- bring up -- */

static void load(const char *path)
{
    bnn_overlay_sim_fn entry = NULL;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol = object ? dlsym(object, "bnn_overlay_sim") : NULL;
    memcpy(&entry, &symbol, sizeof entry);
    if (!entry || !(peer.ops = entry()) || !(peer.sim = peer.ops->open(NULL, NULL)))
        fail(path);
}

static uint64_t read_number(const char *root, const char *file)
{
    char path[4096];
    unsigned long long value = 0;
    snprintf(path, sizeof path, "%s/%s", root, file);
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%lli", (long long *)&value) != 1)
        fail(path);
    fclose(f);
    return value;
}

static void map_memory(const char *root)
{
    char path[4096];
    struct stat s;
    snprintf(path, sizeof path, "%s/dev/udmabuf0", root);
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &s) != 0)
        fail(path);
    void *bytes = mmap(NULL, (size_t)s.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        fail(path);
    close(fd);
    peer.ops->memory(peer.sim, bytes, read_number(root, "sys/class/u-dma-buf/udmabuf0/phys_addr"),
                     strcmp(peer.fault, "memory") == 0 ? 64 : (size_t)s.st_size);
}

static void listen_at(const char *root)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s/dev/uio0", root);
    unlink(address.sun_path);
    peer.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer.listener < 0 || bind(peer.listener, (struct sockaddr *)&address, sizeof address) || listen(peer.listener, 4))
        fail(address.sun_path);
}

/* ---------------------------------------------------------------- driver -- */

static void hang_up(void)
{
    close(peer.irq);
    close(peer.bus);
    peer.irq = peer.bus = -1;
    peer.enabled = false;
}

/* First the file, then the registers. */
static void take_connection(void)
{
    const int fd = accept(peer.listener, NULL, NULL);
    if (peer.irq >= 0 && peer.bus >= 0)
        hang_up();
    *(peer.irq < 0 ? &peer.irq : &peer.bus) = fd;
}

static bool is_fault(const char *name)
{
    return strcmp(peer.fault, name) == 0;
}

static void kill_driver(void)
{
    struct ucred who;
    socklen_t size = sizeof who;
    if (getsockopt(peer.bus, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
        kill(who.pid, SIGKILL);
    peer.done = true;
}

static void take_write(bnn_access a)
{
    const bool start = a.address == CONTROL && (a.value & 1) && !peer.init;
    if (a.address == DO_INIT)
        peer.init = a.value & 1;
    if (a.address >= WINDOW && ++peer.words == FAULTY) {
        if (is_fault("bit"))
            a.value ^= 1;
        if (is_fault("load") && !peer.done)
            kill_driver();
    }
    peer.ops->write(peer.sim, a.address, a.value);
    peer.budget = start && is_fault("early") ? 0 : BUDGET;
    if (start && is_fault("run") && !peer.done)
        kill_driver();
}

static void take_access(void)
{
    bnn_access a;
    if (recv(peer.bus, &a, sizeof a, MSG_WAITALL) != (ssize_t)sizeof a) {
        hang_up();
    } else if (a.is_write) {
        take_write(a);
    } else {
        uint32_t value = 0;
        peer.ops->read(peer.sim, a.address, &value);
        if (send(peer.bus, &value, sizeof value, MSG_NOSIGNAL) != (ssize_t)sizeof value)
            hang_up();
    }
}

static void take_enable(void)
{
    uint32_t on;
    if (recv(peer.irq, &on, sizeof on, MSG_WAITALL) == (ssize_t)sizeof on)
        peer.enabled = on != 0;
    else
        hang_up();
}

/* --------------------------------------------------------------- overlay -- */

/* As the kernel does: an interrupt is told once, and then waits to be enabled again. */
static void raise_interrupt(void)
{
    const bool high = is_fault("early") || (peer.ops->wait(peer.sim, 0) && !is_fault("silent"));
    if (!high || !peer.enabled)
        return;
    peer.enabled = false;
    peer.interrupts++;
    if (send(peer.irq, &peer.interrupts, sizeof peer.interrupts, MSG_NOSIGNAL) != (ssize_t)sizeof peer.interrupts)
        hang_up();
}

static void clock_on(void)
{
    if (peer.budget > 0 && peer.ops->wait(peer.sim, CHUNK))
        peer.budget = 0; /* done: the line stays high until the driver has seen to it */
    peer.budget -= peer.budget < CHUNK ? peer.budget : CHUNK;
}

static void serve(void)
{
    struct pollfd f[] = { { .fd = peer.bus, .events = POLLIN }, { .fd = peer.irq, .events = POLLIN }, { .fd = peer.listener, .events = POLLIN } };
    if (poll(f, 3, peer.budget > 0 ? 0 : -1) < 0 && errno != EINTR)
        fail("poll");
    if (f[0].revents)
        take_access();
    else if (f[1].revents)
        take_enable();
    else if (f[2].revents)
        take_connection();
    else
        clock_on();
    raise_interrupt();
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: board_peer OBJECT ROOT [FAULT]\n");
        return 2;
    }
    if (argc == 4)
        peer.fault = argv[3];
    load(argv[1]);
    map_memory(argv[2]);
    listen_at(argv[2]);
    puts("ready");
    fflush(stdout);
    for (;;)
        serve();
}
