/*
 * bnn_fifo.v : a queue of DEPTH words between two units
 *
 * Show-ahead: o_data is the oldest word while o_valid. o_ready and o_valid
 * come straight from the fill count, so neither side sees the other's
 * handshake in the same cycle: a FIFO also cuts long ready paths.
 *
 *            ____      ____      ____      ____
 * i_clk   __/    \____/    \____/    \____/    \____
 * i_valid   /---------\_____________________________    one word goes in,
 * o_valid _____________/-------------------\_________    is seen a cycle later,
 * i_ready _______________________/---------\_________    and leaves
 *
 * Parameters
 *   W      bits a word
 *   DEPTH  words, at least 1 (2 and more keep full rate)
 *   ID     of a queue whose writer does not wait: under Verilator, number by
 *          which the peak fill, or a word that found no place (-1), is reported
 *          to the harness; -1 = not reported
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_fifo
  #(parameter W     = 8,
    parameter DEPTH = 2,
    parameter ID    = -1)
   (input  wire         i_clk,
    input  wire         i_reset,
    input  wire         i_valid,
    output wire         o_ready,
    input  wire [W-1:0] i_data,
    output wire         o_valid,
    input  wire         i_ready,
    output wire [W-1:0] o_data);

   `BNN_CHECK(DEPTH >= 1, ("bnn_fifo: DEPTH (%0d) is less than 1", DEPTH))

   localparam A = DEPTH < 2 ? 1 : $clog2(DEPTH);
   localparam [31:0] LAST = DEPTH - 1;
   localparam [31:0] FULL = DEPTH;

   reg [W-1:0] words [0:DEPTH-1];
   reg [A-1:0] head, tail; // next to read, next to write
   reg [A:0]   count;

   assign o_ready = count != FULL[A:0];
   assign o_valid = count != 0;
   assign o_data  = words[head];

   wire push = i_valid & o_ready;
   wire pop  = o_valid & i_ready;

   always @(posedge i_clk)
     if (push)
       words[tail] <= i_data;

   always @(posedge i_clk)
     if (i_reset) begin
        head  <= 0;
        tail  <= 0;
        count <= 0;
     end else begin
        if (push)
          tail <= tail == LAST[A-1:0] ? {A{1'b0}} : tail + 1'b1;
        if (pop)
          head <= head == LAST[A-1:0] ? {A{1'b0}} : head + 1'b1;
        if (push != pop)
          count <= push ? count + 1'b1 : count - 1'b1;
     end

`ifdef VERILATOR
   generate if (ID >= 0) begin : g_peak
      import "DPI-C" function void bnn_sim_peak(input int id, input int fill);
      reg [A:0] peak;
      always @(posedge i_clk)
        if (i_reset)
          peak <= 0;
        else if (count > peak || (i_valid && !o_ready)) begin
           peak <= count;
           bnn_sim_peak(ID, i_valid && !o_ready ? -32'd1 : {{(31-A){1'b0}}, count});
        end
   end endgenerate
`else
   wire [31:0] unused = ID;
`endif

`ifdef FORMAL
   reg f_past = 0;
   always @(posedge i_clk) f_past <= 1;
   always @(*) if (!f_past) assume (i_reset);

   // The word that goes in at a moment the solver picks is followed through
   // the queue: f_ahead words must leave before it.
   (* anyseq *) reg f_pick;
   reg         f_follow = 0;
   reg [A:0]   f_ahead = 0;
   reg [W-1:0] f_word = 0;
   always @(posedge i_clk)
     if (i_reset)
       f_follow <= 0;
     else if (!f_follow && f_pick && push) begin
        f_follow <= 1;
        f_word   <= i_data;
        f_ahead  <= count - {{A{1'b0}}, pop};
     end else if (f_follow && pop) begin
        if (f_ahead == 0) f_follow <= 0;
        else              f_ahead  <= f_ahead - 1'b1;
     end

   wire [A+1:0] f_tail = {2'b0, head} + {1'b0, count};
   wire [A+1:0] f_at   = {2'b0, head} + {1'b0, f_ahead};
   wire [A+1:0] f_spot = f_at >= DEPTH ? f_at - DEPTH : f_at;
   always @(*) if (f_past && !i_reset) begin
      // Rule 1: never more words than places, and pointers that agree with the count
      assert (count <= DEPTH);
      assert (head < DEPTH && tail < DEPTH);
      assert ((f_tail >= DEPTH ? f_tail - DEPTH : f_tail) == {2'b0, tail});
      // Rule 2: a word that went in is still there, in its place
      if (f_follow) assert (f_ahead < count && words[f_spot[A-1:0]] == f_word);
      // Rule 3: it comes out when it is the oldest
      if (f_follow && f_ahead == 0) assert (o_valid && o_data == f_word);
   end
   // Rule 4: a word offered is offered, unchanged, until it is taken
   always @(posedge i_clk)
     if (f_past && !i_reset && !$past(i_reset) && $past(o_valid) && !$past(i_ready))
       assert (o_valid && o_data == $past(o_data));
   always @(posedge i_clk)
     cover (f_past && f_follow && f_ahead == 0 && o_valid && i_ready);
`endif
endmodule
`default_nettype wire
