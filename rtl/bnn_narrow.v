/*
 * bnn_narrow.v : one word of R x W bits becomes R words, the lowest bits first
 *
 * Words go out in vectors of WORDS. When a vector ends within an input word,
 * the rest of that word is dropped (it was filling). Gives a word every cycle.
 *
 * Parameters
 *   W      bits of an output word
 *   R      output words in an input word, at least 2
 *   WORDS  output words in a vector
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_narrow
  #(parameter W     = 8,
    parameter R     = 2,
    parameter WORDS = 2)
   (input  wire           i_clk,
    input  wire           i_reset,
    input  wire           i_valid,
    output wire           o_ready,
    input  wire [R*W-1:0] i_data,
    output wire           o_valid,
    input  wire           i_ready,
    output wire [W-1:0]   o_data);

   `BNN_CHECK(R >= 2, ("bnn_narrow: R (%0d) is less than 2", R))

   localparam A = $clog2(R + 1);
   localparam V = WORDS < 2 ? 1 : $clog2(WORDS);
   localparam [31:0] FULL      = R;
   localparam [31:0] LAST_WORD = WORDS - 1;

   reg [R*W-1:0] hold;
   reg [A-1:0]   left; // words of `hold` still to go
   reg [V-1:0]   word; // which word of the vector is next

   assign o_valid = left != 0;
   assign o_data  = hold[W-1:0];
   wire pop  = o_valid & i_ready;
   wire ends = word == LAST_WORD[V-1:0];
   wire last = ends | left == 1;
   assign o_ready = !o_valid | (i_ready & last);
   wire push = i_valid & o_ready;

   always @(posedge i_clk)
     if (i_reset) begin
        left <= 0;
        word <= 0;
     end else begin
        if (push)
          left <= FULL[A-1:0];
        else if (pop)
          left <= last ? {A{1'b0}} : left - 1'b1;
        if (pop)
          word <= ends ? {V{1'b0}} : word + 1'b1;
     end

   always @(posedge i_clk)
     if (push)
       hold <= i_data;
     else if (pop)
       hold <= {{W{1'b0}}, hold[R*W-1:W]};

`ifdef FORMAL
   reg f_past = 0;
   always @(posedge i_clk) f_past <= 1;
   always @(*) if (!f_past) assume (i_reset);

   // The input word, kept whole: what goes out must be its next piece.
   reg [R*W-1:0] f_word = 0;
   always @(posedge i_clk) if (push) f_word <= i_data;
   wire [R*W-1:0] f_shift = f_word >> ((R - left) * W);
   always @(*) if (f_past && !i_reset) begin
      assert (left <= R && word < WORDS);
      if (o_valid) assert (hold == f_shift);              // Rule 1: pieces in order
      if (WORDS % R == 0) assert ((word + left) % R == 0); // Rule 2: no piece lost
   end
   always @(posedge i_clk)
     if (f_past && !i_reset && !$past(i_reset) && $past(o_valid) && !$past(i_ready))
       assert (o_valid && o_data == $past(o_data));       // Rule 3: stays until taken
   always @(posedge i_clk) cover (f_past && pop && push);
`endif
endmodule
`default_nettype wire
