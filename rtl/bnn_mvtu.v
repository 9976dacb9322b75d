/*
 * bnn_mvtu.v : matrix-vector-threshold unit, the engine of a layer with weights
 *
 * Takes vectors of SF words of SIMD lanes and gives, for each, NF words of PE
 * lanes: y = threshold(W x). A vector takes SF x NF cycles. Row r of the matrix
 * belongs to lane r % PE of output word r / PE.
 *
 *               +--------+   +-------+   +-----+   +-----+   +------+
 *   i_data ---->| replay |-->|       |   |     |   |     |   | out  |
 *   SIMD lanes  | 2 x SF |   | agree |-->| sum |-->| >=T |-->| FIFO |--> o_data
 *               +--------+ +>| (PE x)|   |     |   |     |   |      |    PE lanes
 *               +--------+ | +-------+   +-----+   +-----+   +------+
 *               | weights|-+                 threshold memory ^
 *               +--------+
 *
 * Replay buffer: two halves. Each vector is read NF times while the next one
 * comes in, so units can follow each other without a FIFO. Reading starts as
 * soon as the first word is there.
 *
 * No stall reaches into the pipeline: the last step of a row is issued only
 * when the output FIFO has a place for its result (`credit`), so the pipeline
 * needs no enable, and o_ready depends on nothing outside.
 *
 * A step issued in cycle t is counted in t + 2 + PIPE, summed in t + 3 + PIPE,
 * compared in t + 4 + PIPE, and, when it ends a row, o_valid in t + 5 + PIPE.
 *
 * Arithmetic (bnn_agree.v): sums are agree counts of all SF x SIMD lanes;
 * lanes that pad a matrix must be loaded so that they count nothing. Lane
 * values are 1 bit, 2 bits (two's complement -1, 0, +1) or 8 bits (signed).
 * Output by THRESHOLDS: 0 = the sum in OUT_BITS, 1 = bit sum >= T,
 * 2 = value -1 + (sum >= T0) + (sum >= T1) in two bits.
 *
 * Weight words of the configuration bus hold SIMD bits a lane, or, ternary,
 * SIMD bits "nonzero" and above them SIMD bits "negative".
 *
 * Parameters
 *   SF NF SIMD PE                       folding
 *   INPUT_BITS WEIGHT_BITS THRESHOLDS   1, 2 or 8; 1 or 2; 0, 1 or 2
 *   SUM_BITS                            width of sums and thresholds
 *   OUT_BITS                            of a score, when THRESHOLDS = 0
 *   UNIT                                number on the configuration bus
 *   QUEUE                               places of the output FIFO
 *   PIPE                                1 = a register after the memories
 *   STYLE                               of bnn_agree
 *   WEIGHT_STYLE, THRESHOLD_STYLE, REPLAY_STYLE   ram_style of the memories
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_mvtu
  #(parameter SF              = 2,
    parameter NF              = 2,
    parameter SIMD            = 8,
    parameter PE              = 4,
    parameter INPUT_BITS      = 1,
    parameter WEIGHT_BITS     = 1,
    parameter THRESHOLDS      = 1,
    parameter SUM_BITS        = 6,
    parameter OUT_BITS        = 16,
    parameter UNIT            = 0,
    parameter QUEUE           = 4,
    parameter PIPE            = 0,
    parameter STYLE           = 2,
    parameter WEIGHT_STYLE    = "auto",
    parameter THRESHOLD_STYLE = "auto",
    parameter REPLAY_STYLE    = "auto",
    parameter WEIGHT_NAME     = "weights",
    parameter THRESHOLD_NAME  = "thresholds",
    // Follows from the above; do not set.
    parameter LANE            = THRESHOLDS == 0 ? OUT_BITS : THRESHOLDS)
   (input  wire                       i_clk,
    input  wire                       i_reset,
    // Vectors in
    input  wire                       i_valid,
    output wire                       o_ready,
    input  wire [SIMD*INPUT_BITS-1:0] i_data,
    // Vectors out
    output wire                       o_valid,
    input  wire                       i_ready,
    output wire [PE*LANE-1:0]         o_data,
    // Configuration bus, and the chain of words read back ({valid, word})
    input  wire [129:0]               i_bus,
    input  wire [64:0]                i_chain,
    output reg  [64:0]                o_chain);

   `BNN_CHECK(INPUT_BITS == 1 || INPUT_BITS == 2 || INPUT_BITS == 8,
              ("bnn_mvtu: INPUT_BITS (%0d) is not 1, 2 or 8", INPUT_BITS))
   `BNN_CHECK(WEIGHT_BITS == 1 || WEIGHT_BITS == 2, ("bnn_mvtu: WEIGHT_BITS (%0d) is not 1 or 2", WEIGHT_BITS))
   `BNN_CHECK(THRESHOLDS >= 0 && THRESHOLDS <= 2, ("bnn_mvtu: THRESHOLDS (%0d) is not 0, 1 or 2", THRESHOLDS))
   `BNN_CHECK(QUEUE >= 2, ("bnn_mvtu: QUEUE (%0d) is less than 2", QUEUE))
   `BNN_CHECK(THRESHOLDS != 0 || OUT_BITS >= SUM_BITS,
              ("bnn_mvtu: OUT_BITS (%0d) cannot hold sums of SUM_BITS (%0d)", OUT_BITS, SUM_BITS))

   localparam XB = SIMD * INPUT_BITS;
   localparam WB = SIMD * WEIGHT_BITS;
   localparam WM = SF * NF;                         // rows of the weight memory
   localparam SA = SF < 2 ? 1 : $clog2(SF);
   localparam NA = NF < 2 ? 1 : $clog2(NF);
   localparam WA = WM < 2 ? 1 : $clog2(WM);
   localparam LA = PE < 2 ? 1 : $clog2(PE);
   localparam SIGNED = INPUT_BITS == 8;
   localparam CB = SIGNED ? 9 + $clog2(SIMD)        // bits of a step's count
                 : $clog2((INPUT_BITS + WEIGHT_BITS > 2 ? 2 : 1) * SIMD + 1);
   localparam QA = $clog2(QUEUE + 1);
   localparam [31:0] SF_LAST = SF - 1;
   localparam [31:0] NF_LAST = NF - 1;
   localparam [31:0] WM_LAST = WM - 1;
   localparam [31:0] SF_WORDS = SF;
   localparam [31:0] PLACES  = 2 * SF;
   localparam [31:0] QUEUED  = QUEUE;
   `BNN_CHECK(SUM_BITS >= CB, ("bnn_mvtu: SUM_BITS (%0d) is less than a step's %0d", SUM_BITS, CB))

   // ------------------------------------------------------- replay buffer --
   // Two-bit lanes are stored as planes: all "nonzero", then all "negative".
   wire [XB-1:0] planes;
   genvar i;
   generate
      if (INPUT_BITS == 2) begin : g_planes
         for (i = 0; i < SIMD; i = i + 1) begin : g_lane
            assign planes[i]        = i_data[2*i];
            assign planes[SIMD + i] = i_data[2*i + 1];
         end
      end else begin : g_lanes
         assign planes = i_data;
      end
   endgenerate

   (* ram_style = REPLAY_STYLE *) reg [XB-1:0] replay [0:2*(1<<SA)-1];
   reg          in_half, out_half;
   reg [SA-1:0] in_step, step;
   reg [NA-1:0] fold;
   reg [WA-1:0] row;
   reg [SA+1:0] held;   // words of the vector being read and of the next one
   reg [QA-1:0] credit; // free places of the output FIFO, less results on their way

   wire step_last = step == SF_LAST[SA-1:0];
   wire fold_last = fold == NF_LAST[NA-1:0];
   wire push  = i_valid & o_ready;
   wire pop   = o_valid & i_ready;
   wire issue = held > {2'b0, step} && (!step_last || credit != 0);
   wire leave = issue & step_last & fold_last; // the vector has been read NF times
   assign o_ready = held != PLACES[SA+1:0];

   always @(posedge i_clk)
     if (push)
       replay[{in_half, in_step}] <= planes;

   always @(posedge i_clk)
     if (i_reset) begin
        in_half <= 0;
        in_step <= 0;
     end else if (push) begin
        in_half <= in_half ^ (in_step == SF_LAST[SA-1:0]);
        in_step <= in_step == SF_LAST[SA-1:0] ? {SA{1'b0}} : in_step + 1'b1;
     end

   always @(posedge i_clk)
     if (i_reset) begin
        out_half <= 0;
        step     <= 0;
        fold     <= 0;
        row      <= 0;
     end else if (issue) begin
        out_half <= out_half ^ leave;
        step     <= step_last ? {SA{1'b0}} : step + 1'b1;
        row      <= row == WM_LAST[WA-1:0] ? {WA{1'b0}} : row + 1'b1;
        if (step_last)
          fold <= fold_last ? {NA{1'b0}} : fold + 1'b1;
     end

   always @(posedge i_clk)
     if (i_reset) begin
        held   <= 0;
        credit <= QUEUED[QA-1:0];
     end else begin
        held   <= held + {{(SA+1){1'b0}}, push} - (leave ? SF_WORDS[SA+1:0] : {(SA+2){1'b0}});
        credit <= credit + {{(QA-1){1'b0}}, pop} - {{(QA-1){1'b0}}, issue & step_last};
     end

   // ------------------------------------------------------- configuration --
   wire [1:0]  write, read;
   wire [15:0] lane;
   wire [7:0]  part;
   wire [31:0] index;
   wire [63:0] value;
   bnn_config #(.UNIT(UNIT)) config_port
     (.i_clk(i_clk), .i_bus(i_bus), .o_write(write), .o_read(read),
      .o_lane(lane), .o_part(part), .o_index(index), .o_value(value));

   // ------------------------------------------------- step 1: memories read --
   reg [XB-1:0]     x_read;
   wire [PE*WB-1:0] w_read;
   wire             weight_back;
   wire [63:0]      weight_word;
   always @(posedge i_clk)
     if (issue)
       x_read <= replay[{out_half, step}];
   bnn_memory #(.LANES(PE), .W(WB), .DEPTH(WM), .STYLE(WEIGHT_STYLE), .NAME(WEIGHT_NAME)) weights
     (.i_clk(i_clk), .i_read(issue), .i_address(row), .o_row(w_read),
      .i_write(write[0]), .i_read_back(read[0]), .i_lane(lane[LA-1:0]), .i_part(part), .i_index(index[WA-1:0]),
      .i_value(value), .o_word_valid(weight_back), .o_word(weight_word));

   reg          valid1, first1, last1;
   reg [NA-1:0] fold1;
   always @(posedge i_clk) begin
      valid1 <= issue & ~i_reset;
      first1 <= step == 0;
      last1  <= step_last;
      fold1  <= fold;
   end

   // ------------------------------------------------- PIPE: registers more --
   wire [XB-1:0]    x;
   wire [PE*WB-1:0] w;
   wire             valid2, first2, last2;
   wire [NA-1:0]    fold2;
   generate
      if (PIPE != 0) begin : g_pipe
         reg [XB-1:0]    x_q;
         reg [PE*WB-1:0] w_q;
         reg             valid_q, first_q, last_q;
         reg [NA-1:0]    fold_q;
         always @(posedge i_clk) begin
            x_q     <= x_read;
            w_q     <= w_read;
            valid_q <= valid1 & ~i_reset;
            first_q <= first1;
            last_q  <= last1;
            fold_q  <= fold1;
         end
         assign {x, w} = {x_q, w_q};
         assign {valid2, first2, last2, fold2} = {valid_q, first_q, last_q, fold_q};
      end else begin : g_no_pipe
         assign {x, w} = {x_read, w_read};
         assign {valid2, first2, last2, fold2} = {valid1, first1, last1, fold1};
      end
   endgenerate

   // ---------------------------------------- steps 2 to 4: count, sum, compare --
   reg          valid3, first3, last3; // beside the count
   reg [NA-1:0] fold3;
   reg          done4;                 // beside a finished sum and its thresholds
   reg          done5;                 // beside the result
   always @(posedge i_clk) begin
      valid3 <= valid2 & ~i_reset;
      first3 <= first2;
      last3  <= last2;
      fold3  <= fold2;
      done4  <= valid3 & last3 & ~i_reset;
      done5  <= done4 & ~i_reset;
   end

   wire        threshold_back;
   wire [63:0] threshold_word;
   wire [PE*(THRESHOLDS < 1 ? 1 : THRESHOLDS)*SUM_BITS-1:0] t;
   generate
      if (THRESHOLDS != 0) begin : g_thresholds
         bnn_memory #(.LANES(PE), .W(THRESHOLDS*SUM_BITS), .PART(SUM_BITS), .DEPTH(NF), .STYLE(THRESHOLD_STYLE),
                      .NAME(THRESHOLD_NAME)) thresholds
           (.i_clk(i_clk), .i_read(valid3 & last3), .i_address(fold3), .o_row(t),
            .i_write(write[1]), .i_read_back(read[1]), .i_lane(lane[LA-1:0]), .i_part(part), .i_index(index[NA-1:0]),
            .i_value(value), .o_word_valid(threshold_back), .o_word(threshold_word));
      end else begin : g_scores
         assign t = 0;
         assign threshold_back = 0;
         assign threshold_word = 0;
         wire unused = &{1'b0, fold3, write[1], read[1], t, THRESHOLD_NAME == "", THRESHOLD_STYLE == ""};
      end
   endgenerate

   reg [PE*LANE-1:0] result;
   genvar p;
   generate for (p = 0; p < PE; p = p + 1) begin : g_pe
      wire [CB-1:0]       c;
      reg  [CB-1:0]       count;
      reg  [SUM_BITS-1:0] sum;
      if (SIGNED) begin : g_signed
         bnn_sum8 #(.N(SIMD), .WT(WEIGHT_BITS - 1)) leaf (.i_x(x), .i_w(w[p*WB +: WB]), .o_sum(c));
      end else begin : g_counts
         bnn_agree #(.N(SIMD), .XT(INPUT_BITS - 1), .WT(WEIGHT_BITS - 1), .STYLE(STYLE)) leaf
           (.i_x(x), .i_w(w[p*WB +: WB]), .o_count(c));
      end
      wire [SUM_BITS-1:0] step_count;
      if (SUM_BITS > CB) begin : g_extend
         assign step_count = {{(SUM_BITS-CB){SIGNED & count[CB-1]}}, count};
      end else begin : g_exact
         assign step_count = count;
      end
      always @(posedge i_clk) begin
         count <= c;
         if (valid3)
           sum <= (first3 ? {SUM_BITS{1'b0}} : sum) + step_count;
      end

      if (THRESHOLDS == 0) begin : g_score
         wire [OUT_BITS:0] wide = {{(OUT_BITS+1-SUM_BITS){SIGNED & sum[SUM_BITS-1]}}, sum};
         always @(posedge i_clk)
           if (done4)
             result[p*LANE +: LANE] <= wide[OUT_BITS-1:0];
         wire unused = &{1'b0, wide[OUT_BITS]};
      end else begin : g_fire
         // Signed numbers compare like unsigned ones once their sign bits are turned over.
         localparam [SUM_BITS-1:0] TURN = {SIGNED ? 1'b1 : 1'b0, {(SUM_BITS-1){1'b0}}};
         wire [THRESHOLDS-1:0] fire;
         genvar k;
         for (k = 0; k < THRESHOLDS; k = k + 1) begin : g_k
            assign fire[k] = (sum ^ TURN) >= (t[(p*THRESHOLDS + k)*SUM_BITS +: SUM_BITS] ^ TURN);
         end
         // -1 + number of thresholds reached, as {negative, nonzero}; one threshold: the bit itself
         wire [1:0] ternary = {~|fire, THRESHOLDS == 2 ? ~^fire : fire[0]};
         always @(posedge i_clk)
           if (done4)
             result[p*LANE +: LANE] <= ternary[THRESHOLDS-1:0];
         wire unused = &{1'b0, ternary};
      end
   end endgenerate

   wire has_place; // always: credit saw to it
   bnn_fifo #(.W(PE*LANE), .DEPTH(QUEUE), .ID(UNIT)) out_queue
     (.i_clk(i_clk), .i_reset(i_reset), .i_valid(done5), .o_ready(has_place), .i_data(result),
      .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data));

   // Words read back pass down the chain, one unit a cycle
   always @(posedge i_clk)
     o_chain <= weight_back ? {1'b1, weight_word} : threshold_back ? {1'b1, threshold_word} : i_chain;

   wire unused = &{1'b0, lane, index, has_place, REPLAY_STYLE == ""};
endmodule
`default_nettype wire
