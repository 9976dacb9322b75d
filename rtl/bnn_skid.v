/*
 * bnn_skid.v : a register in both directions of a stream, at full rate
 *
 * Cuts the valid, data and ready paths: o_ready and o_valid are registers. The
 * word that arrives in the cycle in which the output stalls waits in a second
 * register (it "skids").
 *
 * Parameters
 *   W  bits a word
 */
`default_nettype none

module bnn_skid
  #(parameter W = 8)
   (input  wire         i_clk,
    input  wire         i_reset,
    input  wire         i_valid,
    output wire         o_ready,
    input  wire [W-1:0] i_data,
    output reg          o_valid,
    input  wire         i_ready,
    output reg  [W-1:0] o_data);

   reg         waiting; // a word is in the second register
   reg [W-1:0] second;

   assign o_ready = !waiting;
   wire push = i_valid & o_ready;
   wire move = !o_valid | i_ready; // the output register is free after this cycle

   always @(posedge i_clk)
     if (i_reset) begin
        o_valid <= 0;
        waiting <= 0;
     end else if (move) begin
        o_valid <= waiting | push;
        waiting <= 0;
     end else if (push)
       waiting <= 1;

   always @(posedge i_clk) begin
      if (move)
        o_data <= waiting ? second : i_data;
      if (push)
        second <= i_data;
   end

`ifdef FORMAL
   reg f_past = 0;
   always @(posedge i_clk) f_past <= 1;
   always @(*) if (!f_past) assume (i_reset);

   wire pop = o_valid & i_ready;
   // A word that the solver picks, and how many words are ahead of it
   (* anyseq *) reg f_pick;
   reg         f_follow = 0, f_ahead = 0;
   reg [W-1:0] f_word = 0;
   always @(posedge i_clk)
     if (i_reset)
       f_follow <= 0;
     else if (!f_follow && f_pick && push) begin
        f_follow <= 1;
        f_word   <= i_data;
        f_ahead  <= o_valid && !i_ready;
     end else if (f_follow && pop) begin
        if (f_ahead) f_ahead  <= 0;
        else         f_follow <= 0;
     end
   always @(*) if (f_past && !i_reset) begin
      // Rule 1: the second register is used only behind the first
      if (waiting) assert (o_valid);
      // Rule 2: words come out in order, unchanged
      if (f_follow && !f_ahead) assert (o_valid && o_data == f_word);
      if (f_follow && f_ahead)  assert (waiting && second == f_word);
   end
   // Rule 3: a word offered stays until it is taken
   always @(posedge i_clk)
     if (f_past && !i_reset && !$past(i_reset) && $past(o_valid) && !$past(i_ready))
       assert (o_valid && o_data == $past(o_data));
   always @(posedge i_clk)
     cover (f_past && waiting && i_ready);
`endif
endmodule
`default_nettype wire
