/*
 * bnn_sum8.v : the leaf of the first layer: a sum of N signed bytes, each times -1, 0 or +1
 *
 * Combinational. Weights are one bit a lane (1 = +1, 0 = -1) or, ternary, N
 * bits "nonzero" and above them N bits "negative".
 *
 * Parameters
 *   N   lanes
 *   WT  1 when weights are ternary
 *   W   width of the signed result; follows from N, do not set
 */
`default_nettype none

module bnn_sum8
  #(parameter N  = 3,
    parameter WT = 0,
    parameter W  = 9 + $clog2(N))
   (input  wire [N*8-1:0]      i_x,
    input  wire [N*(WT+1)-1:0] i_w,
    output wire [W-1:0]        o_sum);

   wire [N-1:0] nonzero, negative;
   generate
      if (WT != 0) begin : g_ternary
         assign {negative, nonzero} = i_w;
      end else begin : g_binary
         assign {negative, nonzero} = {~i_w, {N{1'b1}}};
      end
   endgenerate

   // -x = ~x + 1: the ones are the carry-ins of the adders
   reg [W-1:0] sum, lane;
   integer     i;
   always @(*) begin
      sum = {W{1'b0}};
      for (i = 0; i < N; i = i + 1) begin
         lane = {{(W-8){i_x[8*i+7]}}, i_x[8*i +: 8]};
         lane = nonzero[i] ? lane : {W{1'b0}};
         sum  = negative[i] ? sum - lane : sum + lane;
      end
   end
   assign o_sum = sum;
endmodule
`default_nettype wire
