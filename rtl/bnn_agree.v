/*
 * bnn_agree.v : the leaf of a matrix product: xnor (or ternary product) and population count
 *
 * Combinational. Lanes are values of one bit (1 = +1, 0 = -1) or, ternary, of
 * two planes: N bits "nonzero" and above them N bits "negative". The result is
 * an unsigned count whose meaning is shifted by a constant:
 *
 *     both of one bit    count = lanes that agree           = (N + dot) / 2
 *     any of two bits    count = (products +1) + (N - products -1) = N + dot
 *
 * so sums over many steps stay unsigned, and whoever loads thresholds shifts
 * them by the same constant. A one-bit operand beside a ternary one is never zero.
 *
 * Parameters
 *   N      lanes
 *   XT WT  1 when inputs, weights are ternary
 *   STYLE  of bnn_popcount; 3 = triples of xnors straight into two-bit counts
 *          (each a pair of 6-input tables), then style 1 on both columns;
 *          one-bit operands only, ternary ones fall back to 1
 *   W      width of the result; follows from the above, do not set
 */
`default_nettype none

(* keep_hierarchy *)
module bnn_agree
  #(parameter N     = 64,
    parameter XT    = 0,
    parameter WT    = 0,
    parameter STYLE = 2,
    parameter W     = $clog2((XT + WT > 0 ? 2 : 1) * N + 1))
   (input  wire [N*(XT+1)-1:0] i_x,
    input  wire [N*(WT+1)-1:0] i_w,
    output wire [W-1:0]        o_count);

   generate
      if (XT == 0 && WT == 0 && STYLE == 3) begin : g_fused
         localparam G  = (N + 2) / 3;
         localparam WG = $clog2(G + 1);
         wire [3*G-1:0] x = {{(3*G-N){1'b0}}, i_x};
         wire [3*G-1:0] w = {{(3*G-N){1'b1}}, i_w}; // lanes beyond N disagree
         wire [G-1:0]   ones, twos;
         genvar g;
         for (g = 0; g < G; g = g + 1) begin : g_triple
            wire [2:0] a = ~(x[3*g +: 3] ^ w[3*g +: 3]);
            assign ones[g] = ^a;
            assign twos[g] = (a[0] & a[1]) | (a[2] & (a[0] ^ a[1]));
         end
         wire [WG-1:0] n1, n2;
         bnn_popcount #(.N(G), .STYLE(1)) count_ones (.i_bits(ones), .o_count(n1));
         bnn_popcount #(.N(G), .STYLE(1)) count_twos (.i_bits(twos), .o_count(n2));
         wire [WG+1:0] sum = {2'b0, n1} + {1'b0, n2, 1'b0};
         assign o_count = sum[W-1:0];
         wire unused = &{1'b0, sum};
      end else if (XT == 0 && WT == 0) begin : g_binary
         bnn_popcount #(.N(N), .STYLE(STYLE)) count (.i_bits(~(i_x ^ i_w)), .o_count(o_count));
      end else begin : g_ternary
         wire [N-1:0] x_nonzero, x_negative, w_nonzero, w_negative;
         if (XT != 0) begin : g_xt
            assign {x_negative, x_nonzero} = i_x;
         end else begin : g_xb
            assign {x_negative, x_nonzero} = {~i_x, {N{1'b1}}};
         end
         if (WT != 0) begin : g_wt
            assign {w_negative, w_nonzero} = i_w;
         end else begin : g_wb
            assign {w_negative, w_nonzero} = {~i_w, {N{1'b1}}};
         end
         wire [N-1:0] nonzero  = x_nonzero & w_nonzero;
         wire [N-1:0] differ   = x_negative ^ w_negative;
         wire [N-1:0] plus     = nonzero & ~differ;
         wire [N-1:0] no_minus = ~(nonzero & differ);
         bnn_popcount #(.N(2*N), .STYLE(STYLE == 3 ? 1 : STYLE)) count (.i_bits({no_minus, plus}), .o_count(o_count));
      end
   endgenerate
endmodule
`default_nettype wire
