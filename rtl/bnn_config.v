/*
 * bnn_config.v : a unit's end of the configuration bus
 *
 * The bus carries one access a cycle to all units; each registers it and takes
 * its own. Fields of i_bus, lowest first:
 *
 *     value  64   word to write
 *     index  32   row of the memory
 *     part    8   weights: 64-bit part of a lane; thresholds: which of them
 *     lane   16   PE
 *     layer   8   2n = weights of unit n, 2n + 1 = its thresholds
 *     write   1
 *     read    1   the word comes back on the chain, some cycles later
 *
 * Parameters
 *   UNIT  n
 */
`default_nettype none

module bnn_config
  #(parameter UNIT = 0)
   (input  wire         i_clk,
    input  wire [129:0] i_bus,
    output reg  [1:0]   o_write, // [0] weights, [1] thresholds
    output reg  [1:0]   o_read,
    output reg  [15:0]  o_lane,
    output reg  [7:0]   o_part,
    output reg  [31:0]  o_index,
    output reg  [63:0]  o_value);

   localparam [31:0] NUMBER = UNIT;
   wire       mine = i_bus[127:121] == NUMBER[6:0];
   wire [1:0] kind = {i_bus[120], ~i_bus[120]};

   always @(posedge i_clk) begin
      o_write <= {2{mine & i_bus[128]}} & kind;
      o_read  <= {2{mine & i_bus[129]}} & kind;
      o_lane  <= i_bus[119:104];
      o_part  <= i_bus[103:96];
      o_index <= i_bus[95:64];
      o_value <= i_bus[63:0];
   end
endmodule
`default_nettype wire
