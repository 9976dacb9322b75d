/* emit.c -- the text of an overlay. */
#include "overlay/emit.h"
#include "overlay/resources.h"

#include <string.h>

void bnn_emit_description(bnn_printer *p, const bnn_plan *plan)
{
    char text[128 * BNN_MAX_LAYERS];
    bnn_design_print(&plan->design, text, sizeof text);
    bnn_print(p, "#define BNN_OVERLAY_DESCRIPTION \\\n");
    bnn_span rest = { text, strlen(text) };
    while (rest.size > 0) {
        const char *end = memchr(rest.at, '\n', rest.size);
        const size_t n = end ? (size_t)(end - rest.at) : rest.size;
        bnn_print(p, "    \"%.*s\\n\" \\\n", (int)n, rest.at);
        rest = bnn_span_skip(rest, n + 1);
    }
    bnn_print(p, "    \"\"\n");
}

/* --------------------------------------------------------------- stream -- */

#define HANDSHAKE ".i_clk(i_clk), .i_reset(i_reset),\n" \
                  "      .i_valid(v%u), .o_ready(r%u), .i_data(d%u), .o_valid(v%u), .i_ready(r%u), .o_data(d%u)"
#define ENDS(i) (i), (i), (i), (i) + 1, (i) + 1, (i) + 1

static uint32_t out_bits(const bnn_plan *plan, const bnn_stage *s)
{
    return s->b * (s->kind == BNN_STAGE_MVTU ? plan->design.units.unit[s->unit].out_bits : s->bits);
}

static void emit_mvtu(bnn_printer *p, const bnn_plan *plan, uint32_t i)
{
    const bnn_stage *s = &plan->stage[i];
    const bnn_unit *u = &plan->design.units.unit[s->unit];
    const char *weights = (uint64_t)u->SF * u->NF > BNN_LUT_DEPTH ? "BLOCK" : "LUT";
    const char *thresholds = u->NF > BNN_LUT_DEPTH ? "BLOCK" : "LUT", *replay = 2 * u->SF > BNN_LUT_REPLAY ? "BLOCK" : "LUT";
    bnn_print(p, "   bnn_mvtu\n     #(.SF(%u), .NF(%u), .SIMD(%u), .PE(%u), .INPUT_BITS(%u), .WEIGHT_BITS(%u), .THRESHOLDS(%u),\n"
                 "       .SUM_BITS(%u), .OUT_BITS(%u), .UNIT(%u), .QUEUE(%u), .PIPE(%u), .STYLE(`BNN_STYLE),\n"
                 "       .WEIGHT_STYLE(`BNN_%s), .THRESHOLD_STYLE(`BNN_%s), .REPLAY_STYLE(`BNN_%s),\n       .WEIGHT_NAME(\"w%u\"), .THRESHOLD_NAME(\"t%u\"))\n"
                 "   unit_%u\n     (" HANDSHAKE ",\n      .i_bus(i_bus), .i_chain(chain_%u), .o_chain(chain_%u));\n",
              u->SF, u->NF, u->SIMD, u->PE, u->input_bits, u->weight_bits, u->thresholds, u->sum_bits, u->out_bits,
              s->unit, plan->queue[s->unit], plan->design.pipe, weights, thresholds, replay, s->unit, s->unit, s->unit, ENDS(i), s->unit, s->unit + 1);
}

static void emit_tap(bnn_printer *p, const bnn_plan *plan, uint32_t i)
{
    bnn_print(p, "`ifdef VERILATOR\n   bnn_tap #(.ID(%u), .W(%u)) tap_%u (.i_clk(i_clk), .i_fire(v%u & r%u), .i_data(d%u));\n`endif\n",
              plan->stage[i].layer, out_bits(plan, &plan->stage[i]), plan->stage[i].layer, i + 1, i + 1, i + 1);
}

static void emit_stage(bnn_printer *p, const bnn_plan *plan, uint32_t i)
{
    const bnn_stage *s = &plan->stage[i];
    bnn_print(p, "\n   wire v%u, r%u;\n   wire [%u:0] d%u;\n", i + 1, i + 1, out_bits(plan, s) - 1, i + 1);
    switch (s->kind) {
    case BNN_STAGE_DWC:
        bnn_print(p, "   bnn_dwc #(.BITS(%u), .A(%u), .B(%u), .LANES(%u)) convert_%u\n     (" HANDSHAKE ");\n", s->bits, s->a,
                  s->b, s->lanes, i, ENDS(i));
        return;
    case BNN_STAGE_SWU:
        bnn_print(p, "   bnn_swu #(.W(%u), .H(%u), .WIDTH(%u), .K(%u), .CF(%u), .STYLE(`BNN_%s)) window_%u\n     (" HANDSHAKE ");\n",
                  s->a * s->bits, s->height, s->width, s->K, s->CF,
                  (uint64_t)(s->K * s->width + s->K) * s->CF > BNN_LUT_DEPTH ? "BLOCK" : "LUT", i, ENDS(i));
        return;
    case BNN_STAGE_POOL:
        bnn_print(p, "   bnn_maxpool #(.BITS(%u), .LANES(%u), .WIDTH(%u), .CF(%u)) pool_%u\n     (" HANDSHAKE ");\n", s->bits, s->a,
                  s->width, s->CF, i, ENDS(i));
        break;
    case BNN_STAGE_MVTU:
        emit_mvtu(p, plan, i);
        break;
    }
    emit_tap(p, plan, i);
}

static void emit_stream(bnn_printer *p, const bnn_plan *plan)
{
    const uint32_t last = plan->design.port_bits - 1, n = plan->stages, units = plan->design.units.count;
    bnn_print(p, "module overlay_stream\n   (input  wire i_clk,\n    input  wire i_reset,\n"
                 "    input  wire i_valid,\n    output wire o_ready,\n    input  wire [%u:0] i_data,\n"
                 "    output wire o_valid,\n    input  wire i_ready,\n    output wire [%u:0] o_data,\n"
                 "    input  wire [129:0] i_bus,\n    output wire [64:0] o_chain);\n\n", last, last);
    for (uint32_t i = 0; i <= units; i++)
        bnn_print(p, "   wire [64:0] chain_%u;\n", i);
    bnn_print(p, "   assign chain_0 = 65'd0;\n   assign o_chain = chain_%u;\n\n", units);
    bnn_print(p, "   wire v0, r0;\n   wire [%u:0] d0;\n   assign {v0, d0, o_ready} = {i_valid, i_data, r0};\n", last);
    for (uint32_t i = 0; i < n; i++)
        emit_stage(p, plan, i);
    bnn_print(p, "\n   assign {o_valid, o_data, r%u} = {v%u, d%u, i_ready};\nendmodule\n", n, n, n);
}

/* ------------------------------------------------------------------ tops -- */

/* Names that Vivado's IP integrator takes for AXI without being told. */
static void emit_axi_top(bnn_printer *p, const bnn_plan *plan)
{
    bnn_print(p, "\n%s",
        "module overlay\n"
        "   (input  wire aclk,\n    input  wire aresetn,\n    output wire irq,\n"
        "    input  wire [12:0] s_axi_awaddr,\n    input  wire s_axi_awvalid,\n    output wire s_axi_awready,\n"
        "    input  wire [31:0] s_axi_wdata,\n    input  wire s_axi_wvalid,\n    output wire s_axi_wready,\n"
        "    output wire [1:0] s_axi_bresp,\n    output wire s_axi_bvalid,\n    input  wire s_axi_bready,\n"
        "    input  wire [12:0] s_axi_araddr,\n    input  wire s_axi_arvalid,\n    output wire s_axi_arready,\n"
        "    output wire [31:0] s_axi_rdata,\n    output wire [1:0] s_axi_rresp,\n    output wire s_axi_rvalid,\n    input  wire s_axi_rready,\n"
        "    output wire [63:0] m_axi_araddr,\n    output wire [7:0] m_axi_arlen,\n    output wire [2:0] m_axi_arsize,\n"
        "    output wire [1:0] m_axi_arburst,\n    output wire m_axi_arvalid,\n    input  wire m_axi_arready,\n"
        "    input  wire [63:0] m_axi_rdata,\n    input  wire [1:0] m_axi_rresp,\n    input  wire m_axi_rlast,\n"
        "    input  wire m_axi_rvalid,\n    output wire m_axi_rready,\n"
        "    output wire [63:0] m_axi_awaddr,\n    output wire [7:0] m_axi_awlen,\n    output wire [2:0] m_axi_awsize,\n"
        "    output wire [1:0] m_axi_awburst,\n    output wire m_axi_awvalid,\n    input  wire m_axi_awready,\n"
        "    output wire [63:0] m_axi_wdata,\n    output wire [7:0] m_axi_wstrb,\n    output wire m_axi_wlast,\n"
        "    output wire m_axi_wvalid,\n    input  wire m_axi_wready,\n"
        "    input  wire [1:0] m_axi_bresp,\n    input  wire m_axi_bvalid,\n    output wire m_axi_bready);\n\n"
        "   // Whole words, incrementing; answers are always OKAY; a burst's end is known from its length\n"
        "   assign {m_axi_arsize, m_axi_awsize} = {3'd3, 3'd3};\n"
        "   assign {m_axi_arburst, m_axi_awburst, s_axi_bresp, s_axi_rresp} = {2'd1, 2'd1, 2'd0, 2'd0};\n"
        "   assign m_axi_wstrb = 8'hff;\n"
        "   wire unused = &{1'b0, m_axi_rlast};\n\n"
        "   wire reset, in_valid, in_ready, out_valid, out_ready;\n"
        "   wire [63:0] in_data, out_data;\n   wire [129:0] bus;\n   wire [64:0] chain;\n\n");
    bnn_print(p, "   bnn_shell #(.IDENTITY(64'h%016llx), .UNITS(%u), .IN_WORDS(%u), .OUT_WORDS(%u)) shell\n",
              (unsigned long long)bnn_design_identity(&plan->design), plan->design.units.count, plan->in_words, plan->out_words);
    bnn_print(p, "%s",
        "     (.i_clk(aclk), .i_reset_n(aresetn), .o_reset(reset), .o_interrupt(irq),\n"
        "      .i_s_awvalid(s_axi_awvalid), .o_s_awready(s_axi_awready), .i_s_awaddr(s_axi_awaddr),\n"
        "      .i_s_wvalid(s_axi_wvalid), .o_s_wready(s_axi_wready), .i_s_wdata(s_axi_wdata),\n"
        "      .o_s_bvalid(s_axi_bvalid), .i_s_bready(s_axi_bready),\n"
        "      .i_s_arvalid(s_axi_arvalid), .o_s_arready(s_axi_arready), .i_s_araddr(s_axi_araddr),\n"
        "      .o_s_rvalid(s_axi_rvalid), .i_s_rready(s_axi_rready), .o_s_rdata(s_axi_rdata),\n"
        "      .o_m_arvalid(m_axi_arvalid), .i_m_arready(m_axi_arready), .o_m_araddr(m_axi_araddr), .o_m_arlen(m_axi_arlen),\n"
        "      .i_m_rvalid(m_axi_rvalid), .o_m_rready(m_axi_rready), .i_m_rdata(m_axi_rdata), .i_m_rresp(m_axi_rresp),\n"
        "      .o_m_awvalid(m_axi_awvalid), .i_m_awready(m_axi_awready), .o_m_awaddr(m_axi_awaddr), .o_m_awlen(m_axi_awlen),\n"
        "      .o_m_wvalid(m_axi_wvalid), .i_m_wready(m_axi_wready), .o_m_wdata(m_axi_wdata), .o_m_wlast(m_axi_wlast),\n"
        "      .i_m_bvalid(m_axi_bvalid), .o_m_bready(m_axi_bready), .i_m_bresp(m_axi_bresp),\n"
        "      .o_valid(in_valid), .i_ready(in_ready), .o_data(in_data),\n"
        "      .i_valid(out_valid), .o_ready(out_ready), .i_data(out_data), .o_bus(bus), .i_chain(chain));\n\n"
        "   overlay_stream stream\n"
        "     (.i_clk(aclk), .i_reset(reset), .i_valid(in_valid), .o_ready(in_ready), .i_data(in_data),\n"
        "      .o_valid(out_valid), .i_ready(out_ready), .o_data(out_data), .i_bus(bus), .o_chain(chain));\n"
        "endmodule\n");
}

static void emit_byte_top(bnn_printer *p, const bnn_plan *plan)
{
    uint32_t value = 4; /* the widest parameter word, in whole nibbles */
    for (uint32_t i = 0; i < plan->design.units.count; i++) {
        const bnn_unit *u = &plan->design.units.unit[i];
        const uint32_t most = bnn_unit_part_bits(u) > u->sum_bits ? bnn_unit_part_bits(u) : u->sum_bits;
        value = most > value ? (most + 3) / 4 * 4 : value;
    }
    bnn_print(p, "\nmodule overlay_byte\n"
        "   (input  wire clk,\n    input  wire reset,\n    input  wire [3:0] nibble,\n    input  wire shift,\n    input  wire store,\n"
        "    input  wire [7:0] in_data,\n    input  wire in_valid,\n    output wire in_ready,\n"
        "    output wire [7:0] out_data,\n    output wire out_valid,\n    input  wire out_ready);\n\n"
        "   wire unit_reset;\n   wire [129:0] bus;\n   wire [64:0] chain; // no way to read back over these pins\n"
        "   wire unused = &{1'b0, chain};\n\n"
        "   bnn_byte_shell #(.VALUE(%u)) shell\n"
        "     (.i_clk(clk), .i_reset_pin(reset), .o_reset(unit_reset), .i_nibble(nibble), .i_shift(shift), .i_store(store), .o_bus(bus));\n\n"
        "   overlay_stream stream\n"
        "     (.i_clk(clk), .i_reset(unit_reset), .i_valid(in_valid), .o_ready(in_ready), .i_data(in_data),\n"
        "      .o_valid(out_valid), .i_ready(out_ready), .o_data(out_data), .i_bus(bus), .o_chain(chain));\n"
        "endmodule\n", value);
}

void bnn_emit_verilog(bnn_printer *p, const bnn_plan *plan)
{
    bnn_print(p, "// Written by bnn: instances of rtl/'s modules, and wires between them.\n//\n");
    char text[128 * BNN_MAX_LAYERS];
    bnn_design_print(&plan->design, text, sizeof text);
    bnn_span rest = { text, strlen(text) }, line;
    while (bnn_next_line(&rest, &line))
        bnn_print(p, "// %.*s\n", (int)line.size, line.at);
    bnn_print(p, "`default_nettype none\n"
        "`ifndef BNN_STYLE\n `define BNN_STYLE 2\n`endif\n"
        "`ifdef BNN_NO_RAM_STYLE\n `define BNN_BLOCK \"auto\"\n `define BNN_LUT \"auto\"\n"
        "`else\n `define BNN_BLOCK \"block\"\n `define BNN_LUT \"distributed\"\n`endif\n\n");
    emit_stream(p, plan);
    if (plan->design.port_bits == 64)
        emit_axi_top(p, plan);
    else
        emit_byte_top(p, plan);
    bnn_print(p, "`default_nettype wire\n");
}
