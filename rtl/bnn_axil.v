/*
 * bnn_axil.v : AXI4-Lite slave: turns bus accesses into register reads and writes of one cycle
 *
 * A write is taken when address and data are both there and no response
 * waits: o_write is high for that cycle. A read is taken when no answer waits:
 * o_read is high for that cycle, and i_value must then hold the register.
 * Responses are always OKAY. All outputs to the bus are registers except the
 * ready lines.
 *
 * Parameters
 *   A  address bits
 */
`default_nettype none

module bnn_axil
  #(parameter A = 13)
   (input  wire         i_clk,
    input  wire         i_reset,
    // AXI4-Lite
    input  wire         i_awvalid,
    output wire         o_awready,
    input  wire [A-1:0] i_awaddr,
    input  wire         i_wvalid,
    output wire         o_wready,
    input  wire [31:0]  i_wdata,
    output reg          o_bvalid,
    input  wire         i_bready,
    input  wire         i_arvalid,
    output wire         o_arready,
    input  wire [A-1:0] i_araddr,
    output reg          o_rvalid,
    input  wire         i_rready,
    output reg  [31:0]  o_rdata,
    // Registers
    output wire         o_write,
    output wire [A-1:0] o_write_address,
    output wire [31:0]  o_write_value,
    output wire         o_read,
    output wire [A-1:0] o_read_address,
    input  wire [31:0]  i_value);

   assign o_write   = i_awvalid & i_wvalid & (!o_bvalid | i_bready) & !i_reset;
   assign o_awready = o_write;
   assign o_wready  = o_write;
   assign o_read    = i_arvalid & (!o_rvalid | i_rready) & !i_reset;
   assign o_arready = o_read;
   assign o_write_address = i_awaddr;
   assign o_write_value   = i_wdata;
   assign o_read_address  = i_araddr;

   always @(posedge i_clk)
     if (i_reset) begin
        o_bvalid <= 0;
        o_rvalid <= 0;
     end else begin
        if (o_write)
          o_bvalid <= 1;
        else if (i_bready)
          o_bvalid <= 0;
        if (o_read)
          o_rvalid <= 1;
        else if (i_rready)
          o_rvalid <= 0;
     end

   always @(posedge i_clk)
     if (o_read)
       o_rdata <= i_value;

`ifdef FORMAL
   reg f_past = 0;
   always @(posedge i_clk) f_past <= 1;
   always @(*) if (!f_past) assume (i_reset);
   reg f_quiet = 0; // no reset in the cycle before this one
   always @(posedge i_clk) f_quiet <= f_past && !i_reset;
   wire f_two = f_quiet && !i_reset;

   // The master keeps its side: an offer stays, unchanged, until it is taken.
   always @(posedge i_clk) if (f_two) begin
      if ($past(i_awvalid && !o_awready)) assume (i_awvalid && i_awaddr == $past(i_awaddr));
      if ($past(i_wvalid && !o_wready))   assume (i_wvalid && i_wdata == $past(i_wdata));
      if ($past(i_arvalid && !o_arready)) assume (i_arvalid && i_araddr == $past(i_araddr));
   end

   // Accesses taken and not answered yet
   reg [1:0] f_writes = 0, f_reads = 0;
   always @(posedge i_clk)
     if (i_reset) {f_writes, f_reads} <= 0;
     else begin
        f_writes <= f_writes + o_write - (o_bvalid & i_bready);
        f_reads  <= f_reads + o_read - (o_rvalid & i_rready);
     end
   always @(*) if (f_past && !i_reset) begin
      // Rule 1: one answer for each access, and none without
      assert (f_writes == o_bvalid && f_reads == o_rvalid);
      // Rule 2: a write takes its address and its data in the same cycle
      assert ((i_awvalid & o_awready) == (i_wvalid & o_wready));
   end
   always @(posedge i_clk) if (f_two) begin
      // Rule 3: an answer stays, unchanged, until it is taken
      if ($past(o_bvalid && !i_bready)) assert (o_bvalid);
      if ($past(o_rvalid && !i_rready)) assert (o_rvalid && o_rdata == $past(o_rdata));
      // Rule 4: a read answers with the register of its cycle
      if ($past(o_read)) assert (o_rvalid && o_rdata == $past(i_value));
   end
   always @(posedge i_clk) cover (f_two && o_bvalid && o_rvalid && o_write && o_read);
`endif
endmodule
`default_nettype wire
