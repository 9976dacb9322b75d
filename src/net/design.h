/* design.h -- an overlay's design: topology, folding and ports, and the text that identifies it.
 *
 *     input 28x28x1 bit        the topology
 *     ...
 *     %
 *     pe 32 simd 64            the folding
 *     ...
 *     %
 *     ports 64 pipe 0 map 1    bits of the stream ports, PIPE of the units, version of the register map
 *
 * Everything else of an overlay follows from these. The text travels with a
 * built overlay, so that its driver knows where each parameter goes; the
 * identity register holds its hash.
 */
#ifndef BNN_NET_DESIGN_H
#define BNN_NET_DESIGN_H

#include "net/unit.h"

enum { BNN_REGISTER_MAP = 1 }; /* rtl/bnn_control.v */

typedef struct bnn_design {
    bnn_topology topology;
    bnn_folding  folding;
    bnn_units    units;
    uint32_t     port_bits; /* 64, or 8 for parts without AXI */
    uint32_t     pipe;      /* 1: a register more after the memories, for speed */
} bnn_design;

/* EINVAL, ESHAPE. */
int      bnn_design_set(bnn_design *out, const bnn_topology *t, const bnn_folding *f, uint32_t port_bits, uint32_t pipe, bnn_error *err);
int      bnn_design_parse(bnn_design *out, const char *text, size_t size, bnn_error *err);
size_t   bnn_design_print(const bnn_design *d, char *out, size_t size); /* as snprintf */
uint64_t bnn_design_identity(const bnn_design *d); /* first 8 bytes of SHA-256 over the text, little endian */

enum { BNN_DESIGN_TEXT = 128 * BNN_MAX_LAYERS }; /* room for any design's text */

#endif
