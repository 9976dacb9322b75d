/*
 * bnn_byte_shell.v : configuration of an overlay over a few pins, for small parts without AXI
 *
 * Images and results pass beside it, as byte streams. Parameters come four
 * bits at a time: i_shift shifts i_nibble into a register from below, i_store
 * puts the register on the configuration bus. Its fields, highest first:
 * layer 8, lane 16, index 16, value VALUE bits (part is 0).
 *
 * Parameters
 *   VALUE  bits of a parameter word, a multiple of 4
 */
`default_nettype none

module bnn_byte_shell
  #(parameter VALUE = 32)
   (input  wire         i_clk,
    input  wire         i_reset_pin, // asynchronous pin; the units get it two cycles later
    output wire         o_reset,
    input  wire [3:0]   i_nibble,
    input  wire         i_shift,
    input  wire         i_store,
    output wire [129:0] o_bus);

   reg [1:0]        reset;
   reg [3:0]        nibble;
   reg              shift, store, go;
   reg [39+VALUE:0] word;

   always @(posedge i_clk) begin
      reset  <= {reset[0], i_reset_pin};
      nibble <= i_nibble;
      shift  <= i_shift;
      store  <= i_store;
      go     <= store;
      if (shift)
        word <= {word[35+VALUE:0], nibble};
   end
   assign o_reset = reset[1];
   assign o_bus = {1'b0, go, word[39+VALUE:32+VALUE], word[31+VALUE:16+VALUE], 8'd0,
                   16'd0, word[15+VALUE:VALUE], {(64-VALUE){1'b0}}, word[VALUE-1:0]};
endmodule
`default_nettype wire
