/*
 * bnn_dwc.v : width converter: vectors of words of A lanes become vectors of words of B lanes
 *
 * A vector has L = LANES lanes that count: ceil(L / A) words come in and
 * ceil(L / B) go out. Lanes beyond L are dropped or zero. Ratios need not be
 * integers: then words are widened to M lanes and narrowed from there, where M
 * is the least common multiple of A and B, or the whole vector if that is less.
 *
 *     A == B   wires          B = R A   widen        A = R B   narrow
 *     else     widen to M, then narrow; 64 -> 24 goes through 192
 *
 * Parameters
 *   BITS   of a lane
 *   A, B   lanes of an input word, of an output word
 *   LANES  of a vector
 */
`default_nettype none

module bnn_dwc
  #(parameter BITS  = 1,
    parameter A     = 64,
    parameter B     = 24,
    parameter LANES = 192)
   (input  wire              i_clk,
    input  wire              i_reset,
    input  wire              i_valid,
    output wire              o_ready,
    input  wire [A*BITS-1:0] i_data,
    output wire              o_valid,
    input  wire              i_ready,
    output wire [B*BITS-1:0] o_data);

   localparam IN  = (LANES + A - 1) / A; // words of a vector
   localparam OUT = (LANES + B - 1) / B;

   function integer gcd(input integer x, input integer y);
      integer a, b, t;
      begin
         a = x;
         b = y;
         while (b != 0) begin
            t = a % b;
            a = b;
            b = t;
         end
         gcd = a;
      end
   endfunction

   localparam LCM   = A / gcd(A, B) * B;
   localparam WHOLE = LCM >= IN * A || LCM >= OUT * B;
   localparam RA    = WHOLE ? IN : LCM / A;
   localparam RB    = WHOLE ? OUT : LCM / B;

   generate
      if (A == B) begin : g_same
         assign o_valid = i_valid;
         assign o_ready = i_ready;
         assign o_data  = i_data;
         wire unused = &{1'b0, i_clk, i_reset};
      end else if (B % A == 0) begin : g_widen
         bnn_widen #(.W(A*BITS), .R(B/A), .WORDS(IN)) widen
           (.i_clk(i_clk), .i_reset(i_reset), .i_valid(i_valid), .o_ready(o_ready), .i_data(i_data),
            .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data));
      end else if (A % B == 0) begin : g_narrow
         bnn_narrow #(.W(B*BITS), .R(A/B), .WORDS(OUT)) narrow
           (.i_clk(i_clk), .i_reset(i_reset), .i_valid(i_valid), .o_ready(o_ready), .i_data(i_data),
            .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data));
      end else begin : g_both
         localparam WA = RA * A * BITS;
         localparam WB = RB * B * BITS;
         wire          middle_valid, middle_ready;
         wire [WA-1:0] wide;
         wire [WB-1:0] wide_out;
         if (RA > 1) begin : g_in
            bnn_widen #(.W(A*BITS), .R(RA), .WORDS(IN)) widen
              (.i_clk(i_clk), .i_reset(i_reset), .i_valid(i_valid), .o_ready(o_ready), .i_data(i_data),
               .o_valid(middle_valid), .i_ready(middle_ready), .o_data(wide));
         end else begin : g_in_wires
            assign {middle_valid, wide, o_ready} = {i_valid, i_data, middle_ready};
         end
         if (WB > WA) begin : g_fill
            assign wide_out = {{(WB-WA){1'b0}}, wide};
         end else begin : g_cut
            assign wide_out = wide[WB-1:0];
            if (WA > WB) begin : g_unused
               wire unused = &{1'b0, wide[WA-1:WB]};
            end
         end
         if (RB > 1) begin : g_out
            bnn_narrow #(.W(B*BITS), .R(RB), .WORDS(OUT)) narrow
              (.i_clk(i_clk), .i_reset(i_reset), .i_valid(middle_valid), .o_ready(middle_ready), .i_data(wide_out),
               .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data));
         end else begin : g_out_wires
            assign {o_valid, o_data, middle_ready} = {middle_valid, wide_out, i_ready};
         end
      end
   endgenerate
endmodule
`default_nettype wire
