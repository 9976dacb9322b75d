/*
 * bnn_popcount.v : how many of N bits are 1, combinational
 *
 * Parameters
 *   N      number of bits
 *   STYLE  how the sum is built:
 *          0  for simulation: the processor's own instruction under Verilator
 *             (2 elsewhere)
 *          1  groups of six bits, each a 6-to-3 table, then a tree of adders
 *          2  recursive: two halves and a carry-in, so that 2^k - 1 bits cost
 *             exactly the adders of a 2^k - 1 counter; the smallest on parts
 *             with carry chains, as long as nothing flattens it (adder merging
 *             across levels destroys it)
 *   W      width of the result; follows from N, do not set
 */
`default_nettype none

(* keep_hierarchy *)
module bnn_popcount
  #(parameter N     = 64,
    parameter STYLE = 2,
    parameter W     = $clog2(N + 1))
   (input  wire [N-1:0] i_bits,
    output wire [W-1:0] o_count);

   generate
      if (N == 1) begin : g_one
         assign o_count = i_bits;
`ifdef VERILATOR
      end else if (STYLE == 0 && N <= 64) begin : g_machine
         wire [63:0] bits = {{(64-N){1'b0}}, i_bits};
         // verilator lint_off WIDTH
         assign o_count = $c("__builtin_popcountll(", bits, ")");
         // verilator lint_on WIDTH
`endif
      end else if (STYLE == 1 && N <= 6) begin : g_six
         wire [5:0] b = {{(6-N){1'b0}}, i_bits};
         wire [2:0] c = ({2'b0, b[0]} + {2'b0, b[1]} + {2'b0, b[2]})
                      + ({2'b0, b[3]} + {2'b0, b[4]} + {2'b0, b[5]});
         assign o_count = c[W-1:0];
         if (W < 3) begin : g_unused
            wire unused = &{1'b0, c[2:W]};
         end
      end else begin : g_halves
         // STYLE 2 keeps one bit as the adder's carry-in; STYLE 1 cuts at a
         // multiple of six, so that the leaves are whole tables.
         localparam CARRY = STYLE == 1 ? 0 : 1;
         localparam NA    = STYLE == 1 ? ((N / 2 + 5) / 6) * 6 : (N - 1) / 2;
         localparam NB    = N - CARRY - NA;
         if (NA == 0) begin : g_two // N = 2: a half adder
            assign o_count = {i_bits[0] & i_bits[1], i_bits[0] ^ i_bits[1]};
         end else begin : g_sum
            localparam WA = $clog2(NA + 1);
            localparam WB = $clog2(NB + 1);
            wire [WA-1:0] a;
            wire [WB-1:0] b;
            bnn_popcount #(.N(NA), .STYLE(STYLE)) count_a (.i_bits(i_bits[NA-1:0]), .o_count(a));
            bnn_popcount #(.N(NB), .STYLE(STYLE)) count_b (.i_bits(i_bits[NA +: NB]), .o_count(b));
            wire [W:0] aw = {{(W+1-WA){1'b0}}, a};
            wire [W:0] bw = {{(W+1-WB){1'b0}}, b};
            wire [W:0] sum;
            if (CARRY != 0) begin : g_carry
               assign sum = aw + bw + {{W{1'b0}}, i_bits[N-1]};
            end else begin : g_plain
               assign sum = aw + bw;
            end
            assign o_count = sum[W-1:0];
            wire unused = &{1'b0, sum[W]}; // the sum fits W bits
         end
      end
   endgenerate
endmodule
`default_nettype wire
