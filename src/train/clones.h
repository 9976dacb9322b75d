/* clones.h -- loops over floats, compiled for several instruction sets.
 *
 * BNN_CLONES before a function makes the loader choose its AVX-512, AVX2 or
 * plain version by the CPU's flags, never by timing: training gives the same
 * bits again on the same kind of CPU. Sanitizers cannot run the resolvers.
 */
#ifndef BNN_TRAIN_CLONES_H
#define BNN_TRAIN_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) \
    && !defined(__clang__)
#  define BNN_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#  define BNN_CLONES
#endif

#endif
