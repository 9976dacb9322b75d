/*
 * bnn_tap.v : shows the harness the words of a stream (Verilator only)
 *
 * Every word that moves is handed over in pieces of 32 bits, lowest first.
 *
 * Parameters
 *   ID  what the harness calls this place: the layer
 *   W   bits of a word
 */
`default_nettype none

module bnn_tap
  #(parameter ID = 0,
    parameter W  = 8)
   (input wire         i_clk,
    input wire         i_fire,
    input wire [W-1:0] i_data);

   localparam PIECES = (W + 31) / 32;
   import "DPI-C" function void bnn_sim_tap(input int id, input int piece, input int value);

   wire [PIECES*32-1:0] data;
   generate
      if (PIECES * 32 > W) begin : g_fill
         assign data = {{(PIECES*32-W){1'b0}}, i_data};
      end else begin : g_exact
         assign data = i_data;
      end
   endgenerate

   integer i;
   always @(posedge i_clk)
     if (i_fire)
       for (i = 0; i < PIECES; i = i + 1)
         bnn_sim_tap(ID, i, data[32*i +: 32]);
endmodule
`default_nettype wire
