/*
 * bnn_maxpool.v : maximum over 2 x 2 pixels, stride 2
 *
 * In: pixels row by row, CF words of LANES lanes each; H and WIDTH are even.
 * Out: a quarter of them. Lanes of one bit: the maximum is OR. Of two bits
 * (two's complement -1, 0, +1): {negative, nonzero}.
 *
 * A row of half-width partial maxima waits in `partial`; the fourth pixel of a
 * square completes it. Takes a word every cycle; a result is offered a cycle
 * after the word that completed it.
 *
 * Parameters
 *   BITS LANES   of a word: 1 or 2, and how many
 *   WIDTH CF     pixels of a row, words of a pixel
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_maxpool
  #(parameter BITS  = 1,
    parameter LANES = 8,
    parameter WIDTH = 8,
    parameter CF    = 1)
   (input  wire                  i_clk,
    input  wire                  i_reset,
    input  wire                  i_valid,
    output wire                  o_ready,
    input  wire [LANES*BITS-1:0] i_data,
    output wire                  o_valid,
    input  wire                  i_ready,
    output wire [LANES*BITS-1:0] o_data);

   `BNN_CHECK(WIDTH % 2 == 0, ("bnn_maxpool: WIDTH (%0d) is odd", WIDTH))
   `BNN_CHECK(BITS == 1 || BITS == 2, ("bnn_maxpool: BITS (%0d) is not 1 or 2", BITS))

   localparam N  = WIDTH / 2 * CF; // words of `partial`
   localparam A  = N < 2 ? 1 : $clog2(N);
   localparam CA = CF < 2 ? 1 : $clog2(CF);
   localparam XA = $clog2(WIDTH);
   localparam [31:0] CF_LAST = CF - 1;
   localparam [31:0] X_LAST  = WIDTH - 1;

   reg [LANES*BITS-1:0] partial [0:N-1];
   reg [CA-1:0]         cf;
   reg [XA-1:0]         x;
   reg                  odd_row;
   reg [A-1:0]          first, at; // partial word of the square's first word, and of this one
   reg                  valid;
   reg [LANES*BITS-1:0] data;

   wire en      = !valid | i_ready;
   wire take    = i_valid & en;
   wire cf_last = cf == CF_LAST[CA-1:0];
   wire x_last  = x == X_LAST[XA-1:0];
   wire begins  = !odd_row & !x[0];
   wire ends    = odd_row & x[0];

   wire [LANES*BITS-1:0] earlier = partial[at];
   wire [LANES*BITS-1:0] both, best;
   assign best = begins ? i_data : both;
   genvar i;
   generate
      if (BITS == 1) begin : g_or
         assign both = earlier | i_data;
      end else begin : g_max
         for (i = 0; i < LANES; i = i + 1) begin : g_lane
            wire [1:0] a = earlier[2*i +: 2];
            wire [1:0] b = i_data[2*i +: 2];
            wire negative = a[1] & b[1];
            wire positive = (a == 2'b01) | (b == 2'b01);
            assign both[2*i +: 2] = {negative, negative | positive};
         end
      end
   endgenerate

   assign o_ready = en;
   assign o_valid = valid;
   assign o_data  = data;

   always @(posedge i_clk) begin
      if (take & !ends)
        partial[at] <= best;
      if (take & ends)
        data <= best;
   end

   always @(posedge i_clk)
     if (i_reset) begin
        valid   <= 0;
        odd_row <= 0;
        cf      <= 0;
        x       <= 0;
        at      <= 0;
        first   <= 0;
     end else begin
        if (en)
          valid <= take & ends;
        if (take) begin
           cf <= cf_last ? {CA{1'b0}} : cf + 1'b1;
           at <= at + 1'b1;
           if (cf_last & x_last) begin
              x       <= 0;
              odd_row <= !odd_row;
              at      <= 0;
              first   <= 0;
           end else if (cf_last) begin
              x <= x + 1'b1;
              if (x[0]) first <= at + 1'b1; // the next square
              else      at    <= first;     // the second pixel of this one
           end
        end
     end
endmodule
`default_nettype wire
