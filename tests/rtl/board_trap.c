/* board_trap.c -- registers that are somewhere else, for a driver that maps them.
 *
 * Linked into the program of the driver, it takes the place of open and mmap.
 * Where dev/uio0 is a socket, opening it connects, and mapping it gives a page
 * that cannot be touched: each load and store ends in a handler, which looks
 * at the instruction, asks the peer, and goes on behind it. So the peer sees
 * every access, in order, as a bus would: words written twice, and reads
 * that clear what they read. Every other file is the system's business.
 */
#include "board_peer.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <ucontext.h>
#include <unistd.h>
#include <fcntl.h>

/* A program has one board. */
static struct { int file, bus; uint8_t *base; size_t size; struct sockaddr_un address; } board = { .file = -1, .bus = -1 };

/* ------------------------------------------------------- the instruction -- */

/* What a load or store moves: the register, and where the next instruction is. Wider or narrower ones are not expected. */
struct move { bool ok, is_store; unsigned rt; size_t length; };

#if defined __x86_64__

/* mov r32, [m] is 8b /r and mov [m], r32 is 89 /r, with or without a REX prefix. */
static struct move decode(const uint8_t *pc)
{
    const uint8_t *p = pc;
    const unsigned rex = (*p & 0xf0) == 0x40 ? *p++ : 0;
    const uint8_t op = *p++, modrm = *p++, mod = modrm >> 6, rm = modrm & 7;
    const uint8_t sib = mod != 3 && rm == 4 ? *p++ : 0;
    const size_t displacement = mod == 1 ? 1 : mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5))) ? 4 : 0;
    return (struct move){ (op == 0x8b || op == 0x89) && mod != 3 && !(rex & 8), op == 0x89, (modrm >> 3 & 7) | (rex & 4) << 1,
                          (size_t)(p - pc) + displacement };
}

static greg_t *place(ucontext_t *u, unsigned rt)
{
    static const int name[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
    return &u->uc_mcontext.gregs[name[rt]];
}

static uint8_t *counter(const ucontext_t *u) { return (uint8_t *)u->uc_mcontext.gregs[REG_RIP]; }
static void set_counter(ucontext_t *u, uint8_t *pc) { u->uc_mcontext.gregs[REG_RIP] = (greg_t)pc; }
static uint32_t get_register(ucontext_t *u, unsigned rt) { return (uint32_t)*place(u, rt); }
static void set_register(ucontext_t *u, unsigned rt, uint32_t value) { *place(u, rt) = value; }

#elif defined __aarch64__

/* ldr and str of 32 bits: bits 31 to 22 are 10111 0xx, and opc = 01 loads. Register 31 is zero. */
static struct move decode(const uint8_t *pc)
{
    uint32_t word;
    memcpy(&word, pc, sizeof word);
    return (struct move){ (word & 0xfe800000) == 0xb8000000, !(word >> 22 & 1), word & 31, 4 };
}

static uint8_t *counter(const ucontext_t *u) { return (uint8_t *)(uintptr_t)u->uc_mcontext.pc; }
static void set_counter(ucontext_t *u, uint8_t *pc) { u->uc_mcontext.pc = (uintptr_t)pc; }
static uint32_t get_register(ucontext_t *u, unsigned rt) { return rt == 31 ? 0 : (uint32_t)u->uc_mcontext.regs[rt]; }
static void set_register(ucontext_t *u, unsigned rt, uint32_t value)
{
    if (rt != 31)
        u->uc_mcontext.regs[rt] = value;
}

#elif defined __arm__ && !defined __thumb__

/* ldr and str of 32 bits in ARM state: bits 27 and 26 are 01, bit 22 clear, bit 20 loads. */
static struct move decode(const uint8_t *pc)
{
    uint32_t word;
    memcpy(&word, pc, sizeof word);
    return (struct move){ (word & 0x0c400000) == 0x04000000, !(word >> 20 & 1), word >> 12 & 15, 4 };
}

static uint8_t *counter(const ucontext_t *u) { return (uint8_t *)(uintptr_t)u->uc_mcontext.arm_pc; }
static void set_counter(ucontext_t *u, uint8_t *pc) { u->uc_mcontext.arm_pc = (uintptr_t)pc; }
static uint32_t get_register(ucontext_t *u, unsigned rt) { return (uint32_t)(&u->uc_mcontext.arm_r0)[rt]; }
static void set_register(ucontext_t *u, unsigned rt, uint32_t value) { (&u->uc_mcontext.arm_r0)[rt] = value; }

#else
#error "board_trap.c knows the loads and stores of x86-64, AArch64 and ARM state"
#endif

/* --------------------------------------------------------------- the bus -- */

/* A peer that is gone answers like a bus without a slave: all ones. */
static uint32_t ask(bnn_access a)
{
    uint32_t value = UINT32_MAX;
    if (send(board.bus, &a, sizeof a, MSG_NOSIGNAL) == (ssize_t)sizeof a && !a.is_write
        && recv(board.bus, &value, sizeof value, MSG_WAITALL) != (ssize_t)sizeof value)
        return UINT32_MAX;
    return value;
}

static void on_access(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    const uint8_t *at = info->si_addr;
    const struct move m = decode(counter(u));
    if (!board.base || at < board.base || at >= board.base + board.size || !m.ok) {
        signal(signal_number, SIG_DFL); /* not ours: it happens again, for good */
        return;
    }
    const uint32_t address = (uint32_t)(at - board.base);
    if (m.is_store)
        ask((bnn_access){ 1, address, get_register(u, m.rt) });
    else
        set_register(u, m.rt, ask((bnn_access){ 0, address, 0 }));
    set_counter(u, counter(u) + m.length);
}

static int join(void)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&board.address, sizeof board.address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ------------------------------------------------- in place of the system's -- */

int open(const char *path, int flags, ...)
{
    struct stat s;
    va_list more;
    va_start(more, flags);
    const int mode = flags & O_CREAT ? va_arg(more, int) : 0;
    va_end(more);
    if (stat(path, &s) != 0 || !S_ISSOCK(s.st_mode) || strlen(path) >= sizeof board.address.sun_path)
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    board.address.sun_family = AF_UNIX;
    strcpy(board.address.sun_path, path);
    return board.file = join();
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    const bool registers = fd >= 0 && fd == board.file;
    if (registers) {
        const struct sigaction trap = { .sa_sigaction = on_access, .sa_flags = SA_SIGINFO };
        sigaction(SIGSEGV, &trap, NULL);
        board.bus = join();
        protection = PROT_NONE;
        flags = MAP_PRIVATE | MAP_ANONYMOUS;
        fd = -1;
    }
#ifdef SYS_mmap2 /* the offset in pages of 4096 bytes */
    void *p = (void *)syscall(SYS_mmap2, at, size, protection, flags, fd, offset / 4096);
#else
    void *p = (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
#endif
    if (registers && p != MAP_FAILED) {
        board.base = p;
        board.size = size;
    }
    return p;
}
