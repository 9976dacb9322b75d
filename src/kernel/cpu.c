/* cpu.c -- asks the processor (CPUID) and the operating system (XGETBV, arch_prctl, auxv). */
#include "kernel/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bits of the registers that hold them. */
enum {
    L1_ECX_POPCNT = 1 << 23, L1_ECX_OSXSAVE = 1 << 27,
    L7_EBX_AVX2 = 1 << 5, L7_EBX_BMI2 = 1 << 8,
    L7_EBX_AVX512 = 1 << 16 | 1 << 17 | 1 << 30, /* F, DQ, BW; VL is bit 31 */
    L7_ECX_AVX512 = 1 << 11 | 1 << 12 | 1 << 14, /* VNNI, BITALG, VPOPCNTDQ */
    L7_EDX_AMX = 1 << 24 | 1 << 25,              /* TILE, INT8 */
};
/* XCR0: the register files that the operating system saves. */
enum { XCR0_YMM = 0x6, XCR0_ZMM = 0xe6, XCR0_TILES = 0x60000 };

struct leaves { uint32_t l1_ecx, ebx, ecx, edx; uint64_t xcr0; };

static uint64_t xgetbv0(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static struct leaves read_leaves(void)
{
    struct leaves l = { 0 };
    uint32_t a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d))
        l.l1_ecx = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        l.ebx = b;
        l.ecx = c;
        l.edx = d;
    }
    if (l.l1_ecx & L1_ECX_OSXSAVE)
        l.xcr0 = xgetbv0();
    return l;
}

static bool all(uint64_t have, uint64_t want) { return (have & want) == want; }

static const char *missing_avx2(const struct leaves *l)
{
    if (!all(l->ebx, L7_EBX_AVX2 | L7_EBX_BMI2) || !all(l->l1_ecx, L1_ECX_POPCNT))
        return "this processor has no AVX2 with BMI2 and POPCNT";
    return all(l->xcr0, XCR0_YMM) ? NULL : "the operating system does not keep the AVX registers";
}

static const char *missing_avx512(const struct leaves *l)
{
    if (!all(l->ebx, L7_EBX_AVX512 | (uint32_t)1 << 31) || !all(l->ecx, L7_ECX_AVX512))
        return "this processor has no AVX-512 with VL, BW, DQ, VNNI, BITALG and VPOPCNTDQ";
    return all(l->xcr0, XCR0_ZMM) ? NULL : "the operating system does not keep the AVX-512 registers";
}

static const char *missing_amx(const struct leaves *l)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA */
    if (!all(l->edx, L7_EDX_AMX))
        return "this processor has no AMX with INT8";
    if (!all(l->xcr0, XCR0_TILES))
        return "the operating system does not keep the AMX tiles";
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 ? NULL : "the operating system refused the use of AMX tiles";
}

const char *bnn_cpu_missing(unsigned flag)
{
    const struct leaves l = read_leaves();
    const char *why = flag & BNN_CPU_NEON ? "this build is for x86-64" : missing_avx2(&l);
    if (!why && flag & (BNN_CPU_AVX512 | BNN_CPU_AMX))
        why = missing_avx512(&l);
    if (!why && flag & BNN_CPU_AMX)
        why = missing_amx(&l);
    return why;
}

#elif defined(__aarch64__)

const char *bnn_cpu_missing(unsigned flag)
{
    return flag & BNN_CPU_NEON ? NULL : "this build is for AArch64";
}

#elif defined(__arm__)
#include <sys/auxv.h>

const char *bnn_cpu_missing(unsigned flag)
{
    enum { HAS_NEON = 1 << 12 }; /* HWCAP_NEON */
    if (!(flag & BNN_CPU_NEON))
        return "this build is for ARMv7";
    return getauxval(AT_HWCAP) & HAS_NEON ? NULL : "this processor has no NEON";
}

#else

const char *bnn_cpu_missing(unsigned flag)
{
    (void)flag;
    return "this build has no kernels for this architecture";
}

#endif
