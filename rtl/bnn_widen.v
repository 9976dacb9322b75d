/*
 * bnn_widen.v : R words of W bits become one, the first in the lowest bits
 *
 * Words come in vectors of WORDS (a pixel, a layer's outputs, an image). A
 * vector that is no multiple of R ends in a word filled up with zeros. Takes a
 * word every cycle.
 *
 * Parameters
 *   W      bits of an input word
 *   R      input words in an output word, at least 2
 *   WORDS  input words in a vector
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_widen
  #(parameter W     = 8,
    parameter R     = 2,
    parameter WORDS = 2)
   (input  wire           i_clk,
    input  wire           i_reset,
    input  wire           i_valid,
    output wire           o_ready,
    input  wire [W-1:0]   i_data,
    output wire           o_valid,
    input  wire           i_ready,
    output reg  [R*W-1:0] o_data);

   `BNN_CHECK(R >= 2, ("bnn_widen: R (%0d) is less than 2", R))

   localparam A = $clog2(R);
   localparam V = WORDS < 2 ? 1 : $clog2(WORDS);
   localparam [31:0] LAST_SLOT = R - 1;
   localparam [31:0] LAST_WORD = WORDS - 1;

   reg         full;
   reg [A-1:0] slot; // where the next word goes
   reg [V-1:0] word; // which word of the vector it is

   assign o_valid = full;
   assign o_ready = !full | i_ready;
   wire push = i_valid & o_ready;
   wire ends = word == LAST_WORD[V-1:0];
   wire done = ends | (slot == LAST_SLOT[A-1:0]);

   always @(posedge i_clk)
     if (i_reset) begin
        full <= 0;
        slot <= 0;
        word <= 0;
     end else begin
        full <= push ? done : full & ~i_ready;
        if (push) begin
           slot <= done ? {A{1'b0}} : slot + 1'b1;
           word <= ends ? {V{1'b0}} : word + 1'b1;
        end
     end

   genvar s;
   generate for (s = 0; s < R; s = s + 1) begin : g_slot
      localparam [31:0] S = s;
      wire here = slot == S[A-1:0];
      always @(posedge i_clk)
        if (push & (here | slot == 0)) // the first word of an output word clears the rest
          o_data[s*W +: W] <= here ? i_data : {W{1'b0}};
   end endgenerate

`ifdef FORMAL
   reg f_past = 0;
   always @(posedge i_clk) f_past <= 1;
   always @(*) if (!f_past) assume (i_reset);

   // A slot that the solver picks must hold what went into it, or zero when the vector ended before it.
   (* anyconst *) wire [A-1:0] f_slot;
   reg [W-1:0] f_word = 0;
   wire [R*W-1:0] f_shift = o_data >> (f_slot * W);
   always @(*) assume (f_slot < R);
   always @(posedge i_clk)
     if (push && slot == f_slot) f_word <= i_data;
     else if (push && slot == 0) f_word <= 0;
   always @(*) if (f_past && !i_reset) begin
      assert (slot < R && word < WORDS);
      assert (WORDS % R != 0 || word % R == slot);        // Rule 1: slots follow words
      if (slot != 0) assert (!full);                      // Rule 2: a word is offered only when done
      if (full || slot != 0) assert (f_shift[W-1:0] == f_word); // Rule 3: in its place
   end
   always @(posedge i_clk)
     if (f_past && !i_reset && !$past(i_reset) && $past(o_valid) && !$past(i_ready))
       assert (o_valid && o_data == $past(o_data));       // Rule 4: stays until taken
   always @(posedge i_clk) cover (f_past && full && i_ready && i_valid);
`endif
endmodule
`default_nettype wire
