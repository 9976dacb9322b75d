/* emit.h -- writes an overlay: instances of rtl/'s modules and wires between them, never logic. */
#ifndef BNN_OVERLAY_EMIT_H
#define BNN_OVERLAY_EMIT_H

#include "overlay/plan.h"
#include "base/text.h"

/* overlay.v: modules overlay_stream and overlay (AXI ports), or overlay_byte when the ports are 8 bits. */
void bnn_emit_verilog(bnn_printer *p, const bnn_plan *plan);

/* overlay_description.h, for the simulation harness. */
void bnn_emit_description(bnn_printer *p, const bnn_plan *plan);

#endif
