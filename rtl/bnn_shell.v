/*
 * bnn_shell.v : what surrounds the streaming units of an overlay: registers and two DMAs
 *
 *                 +---------+ bus, chain        +-------+
 *   AXI4-Lite <-->| axil +  |<----------------->|       |
 *                 | control |   +----------+    | units |
 *                 +---------+   | dma_read |--->| (the  |
 *   AXI4 <--------------------->|          |    | gene- |
 *                               | dma_write|<---| rated |
 *                               +----------+    | part) |
 *                                               +-------+
 *
 * Parameters: as bnn_control
 */
`default_nettype none

module bnn_shell
  #(parameter [63:0] IDENTITY  = 64'd0,
    parameter        UNITS     = 4,
    parameter        IN_WORDS  = 13,
    parameter        OUT_WORDS = 16)
   (input  wire         i_clk,
    input  wire         i_reset_n, // the bus's; synchronous
    output reg          o_reset,   // the units'
    // AXI4-Lite slave
    input  wire         i_s_awvalid,
    output wire         o_s_awready,
    input  wire [12:0]  i_s_awaddr,
    input  wire         i_s_wvalid,
    output wire         o_s_wready,
    input  wire [31:0]  i_s_wdata,
    output wire         o_s_bvalid,
    input  wire         i_s_bready,
    input  wire         i_s_arvalid,
    output wire         o_s_arready,
    input  wire [12:0]  i_s_araddr,
    output wire         o_s_rvalid,
    input  wire         i_s_rready,
    output wire [31:0]  o_s_rdata,
    output wire         o_interrupt,
    // AXI4 master
    output wire         o_m_arvalid,
    input  wire         i_m_arready,
    output wire [63:0]  o_m_araddr,
    output wire [7:0]   o_m_arlen,
    input  wire         i_m_rvalid,
    output wire         o_m_rready,
    input  wire [63:0]  i_m_rdata,
    input  wire [1:0]   i_m_rresp,
    output wire         o_m_awvalid,
    input  wire         i_m_awready,
    output wire [63:0]  o_m_awaddr,
    output wire [7:0]   o_m_awlen,
    output wire         o_m_wvalid,
    input  wire         i_m_wready,
    output wire [63:0]  o_m_wdata,
    output wire         o_m_wlast,
    input  wire         i_m_bvalid,
    output wire         o_m_bready,
    input  wire [1:0]   i_m_bresp,
    // To and from the units
    output wire         o_valid,
    input  wire         i_ready,
    output wire [63:0]  o_data,
    input  wire         i_valid,
    output wire         o_ready,
    input  wire [63:0]  i_data,
    output wire [129:0] o_bus,
    input  wire [64:0]  i_chain);

   always @(posedge i_clk) o_reset <= !i_reset_n;

   wire        write, read, start, done, read_error, write_error;
   wire [12:0] write_address, read_address;
   wire [31:0] write_value, value, in_words, out_words;
   wire [63:0] in_address, out_address;

   bnn_axil axil
     (.i_clk(i_clk), .i_reset(o_reset),
      .i_awvalid(i_s_awvalid), .o_awready(o_s_awready), .i_awaddr(i_s_awaddr),
      .i_wvalid(i_s_wvalid), .o_wready(o_s_wready), .i_wdata(i_s_wdata),
      .o_bvalid(o_s_bvalid), .i_bready(i_s_bready),
      .i_arvalid(i_s_arvalid), .o_arready(o_s_arready), .i_araddr(i_s_araddr),
      .o_rvalid(o_s_rvalid), .i_rready(i_s_rready), .o_rdata(o_s_rdata),
      .o_write(write), .o_write_address(write_address), .o_write_value(write_value),
      .o_read(read), .o_read_address(read_address), .i_value(value));

   bnn_control #(.IDENTITY(IDENTITY), .UNITS(UNITS), .IN_WORDS(IN_WORDS), .OUT_WORDS(OUT_WORDS)) control
     (.i_clk(i_clk), .i_reset(o_reset),
      .i_write(write), .i_write_address(write_address), .i_write_value(write_value),
      .i_read(read), .i_read_address(read_address), .o_value(value), .o_interrupt(o_interrupt),
      .o_start(start), .o_in_address(in_address), .o_out_address(out_address),
      .o_in_words(in_words), .o_out_words(out_words), .i_done(done), .i_error({write_error, read_error}),
      .i_in_valid(o_valid), .i_in_ready(i_ready), .i_out_valid(i_valid), .i_out_ready(o_ready),
      .o_bus(o_bus), .i_chain(i_chain));

   bnn_dma_read dma_read
     (.i_clk(i_clk), .i_reset(o_reset), .i_start(start), .i_address(in_address), .i_words(in_words),
      .o_error(read_error), .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data),
      .o_arvalid(o_m_arvalid), .i_arready(i_m_arready), .o_araddr(o_m_araddr), .o_arlen(o_m_arlen),
      .i_rvalid(i_m_rvalid), .o_rready(o_m_rready), .i_rdata(i_m_rdata), .i_rresp(i_m_rresp));

   bnn_dma_write dma_write
     (.i_clk(i_clk), .i_reset(o_reset), .i_start(start), .i_address(out_address), .i_words(out_words),
      .o_done(done), .o_error(write_error), .i_valid(i_valid), .o_ready(o_ready), .i_data(i_data),
      .o_awvalid(o_m_awvalid), .i_awready(i_m_awready), .o_awaddr(o_m_awaddr), .o_awlen(o_m_awlen),
      .o_wvalid(o_m_wvalid), .i_wready(i_m_wready), .o_wdata(o_m_wdata), .o_wlast(o_m_wlast),
      .i_bvalid(i_m_bvalid), .o_bready(o_m_bready), .i_bresp(i_m_bresp));
endmodule
`default_nettype wire
