/* overlay_sim.h -- the C face of a Verilated overlay: one shared object an overlay, one exported symbol.
 *
 * The object holds the overlay at its AXI ports and a memory behind the AXI4
 * master. Calls advance the clock; nothing runs between them. Instances are
 * independent, each used by one thread at a time.
 */
#ifndef BNN_OVERLAY_SIM_H
#define BNN_OVERLAY_SIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BNN_SIM_ABI = 2 };

typedef struct bnn_sim bnn_sim;

/* A word that moved behind layer `id`, 32 bits at a time, lowest first. */
typedef void (*bnn_sim_tap_fn)(void *user, int id, int piece, uint32_t value);

typedef struct bnn_sim_ops {
    uint32_t    abi;         /* BNN_SIM_ABI */
    const char *description; /* topology, '%' line, folding, '%' line, ports (src/overlay/emit.c) */
    /* `init`: folder of memory images for the back door, or NULL; `waves`: VCD
     * file to write, or NULL (ignored unless built with waves). NULL: no memory. */
    bnn_sim *(*open)(const char *init, const char *waves);
    void     (*close)(bnn_sim *sim);
    /* One AXI4-Lite access; 0, or -1 when the slave does not answer in 10,000 cycles. */
    int      (*read)(bnn_sim *sim, uint32_t address, uint32_t *value);
    int      (*write)(bnn_sim *sim, uint32_t address, uint32_t value);
    /* The memory that the master sees: `size` bytes from `address`; elsewhere it gets error responses. */
    void     (*memory)(bnn_sim *sim, uint8_t *bytes, uint64_t address, size_t size);
    /* Holds back each AXI4 handshake in `percent` of cycles, at random. */
    void     (*stalls)(bnn_sim *sim, uint32_t seed, uint32_t percent);
    /* Clocks until the interrupt line is high, at most `cycles`; 1 when it is, else 0. */
    int      (*wait)(bnn_sim *sim, uint64_t cycles);
    void     (*tap)(bnn_sim *sim, bnn_sim_tap_fn fn, void *user); /* NULL: none */
    uint32_t (*peak)(const bnn_sim *sim, uint32_t unit); /* most words in a unit's output queue so far */
    uint64_t (*cycles)(const bnn_sim *sim); /* since open */
    int      (*lost)(const bnn_sim *sim); /* the first unit that had a result and no place for it; -1: none */
} bnn_sim_ops;

/* The exported symbol, by the name "bnn_overlay_sim". */
typedef const bnn_sim_ops *(*bnn_overlay_sim_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
