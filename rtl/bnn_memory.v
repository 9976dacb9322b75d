/*
 * bnn_memory.v : parameters of a unit: DEPTH rows of LANES x W bits
 *
 * One row is read a cycle (o_row follows i_address by a cycle). The
 * configuration port writes, or reads back, one part of one lane: a lane of
 * more than 64 bits has ceil(W / 64) parts of equal size (the last may be
 * less). Reading back borrows the row port, so it is for idle units only; the
 * word comes two cycles after i_read_back.
 *
 * Each part of a lane is a memory of its own, so that the number of block RAMs
 * is a matter of arithmetic. Under Verilator it is one array of whole rows,
 * which simulates three times as fast; there the rows can also be filled at
 * time 0 from FOLDER/NAME.hex of the plus argument +init=FOLDER (back door).
 *
 * Parameters
 *   LANES, W, DEPTH  shape
 *   PART             bits of a part; follows from W, unless set (thresholds)
 *   STYLE            "block", "distributed", or "auto": the ram_style attribute
 *   NAME             of the memory image
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_memory
  #(parameter LANES = 4,
    parameter W     = 32,
    parameter DEPTH = 64,
    parameter PART  = (W + (W + 63) / 64 - 1) / ((W + 63) / 64),
    parameter STYLE = "auto",
    parameter NAME  = "",
    // Follow from the above; do not set.
    parameter A     = DEPTH < 2 ? 1 : $clog2(DEPTH),
    parameter L     = LANES < 2 ? 1 : $clog2(LANES))
   (input  wire               i_clk,
    input  wire               i_read,
    input  wire [A-1:0]       i_address,
    output reg  [LANES*W-1:0] o_row,
    // Configuration
    input  wire               i_write,
    input  wire               i_read_back,
    input  wire [L-1:0]       i_lane,
    input  wire [7:0]         i_part,
    input  wire [A-1:0]       i_index,
    input  wire [63:0]        i_value,
    output reg                o_word_valid,
    output reg  [63:0]        o_word);

   localparam PARTS = (W + PART - 1) / PART;
   localparam REST  = W - (PARTS - 1) * PART; // bits of the last part
   `BNN_CHECK(PART <= 64, ("bnn_memory: PART (%0d) is more than 64 bits", PART))

   wire [A-1:0] address = i_read_back ? i_index : i_address;
   wire         read    = i_read | i_read_back;

   genvar p;
`ifdef VERILATOR
   reg [LANES*W-1:0] rows [0:DEPTH-1];
   always @(posedge i_clk)
     if (read)
       o_row <= rows[address];
   generate for (p = 0; p < PARTS; p = p + 1) begin : g_part
      localparam BITS = p == PARTS - 1 ? REST : PART;
      always @(posedge i_clk)
        if (i_write && i_part == p)
          rows[i_index][{{(32-L){1'b0}}, i_lane} * W + p * PART +: BITS] <= i_value[BITS-1:0];
   end endgenerate
   string folder;
   initial if ($value$plusargs("init=%s", folder))
     $readmemh({folder, "/", NAME, ".hex"}, rows);
   wire unused = &{1'b0, STYLE};
`else
   genvar q;
   generate for (q = 0; q < LANES; q = q + 1) begin : g_lane
      localparam [31:0] LANE = q;
      for (p = 0; p < PARTS; p = p + 1) begin : g_part
         localparam BITS = p == PARTS - 1 ? REST : PART;
         (* ram_style = STYLE *) reg [BITS-1:0] rows [0:DEPTH-1];
         always @(posedge i_clk)
           if (i_write && i_lane == LANE[L-1:0] && i_part == p)
             rows[i_index] <= i_value[BITS-1:0];
         always @(posedge i_clk)
           if (read)
             o_row[q*W + p*PART +: BITS] <= rows[address];
      end
   end endgenerate
   wire unused = NAME == "";
`endif

   wire unused_value = &{1'b0, i_value};

   // Read back: pick the lane and part out of the row that was just read
   reg         back;
   reg [L-1:0] lane;
   reg [7:0]   part;
   always @(posedge i_clk) begin
      back         <= i_read_back;
      lane         <= i_lane;
      part         <= i_part;
      o_word_valid <= back;
   end
`ifdef VERILATOR
   wire [PARTS*PART-1:0] picked;
   generate
      if (PARTS * PART > W) begin : g_padded
         assign picked = {{(PARTS*PART-W){1'b0}}, o_row[{{(32-L){1'b0}}, lane} * W +: W]};
      end else begin : g_exact
         assign picked = o_row[{{(32-L){1'b0}}, lane} * W +: W];
      end
   endgenerate
   wire [PART-1:0] word = picked[{24'd0, part} * PART +: PART];
`else
   // and-or: a variable shift by lane x W would cost far more where W is no power of two
   wire [PARTS*PART*LANES-1:0] picked;
   generate for (q = 0; q < LANES; q = q + 1) begin : g_pick
      localparam [31:0] LANE = q;
      for (p = 0; p < PARTS; p = p + 1) begin : g_part
         localparam BITS = p == PARTS - 1 ? REST : PART;
         wire [PART-1:0] mask = {PART{lane == LANE[L-1:0] && part == p}};
         assign picked[(q*PARTS + p)*PART +: PART] = mask & (o_row[q*W + p*PART +: BITS] | {PART{1'b0}});
      end
   end endgenerate
   reg [PART-1:0] word;
   integer        i;
   always @(*) begin
      word = {PART{1'b0}};
      for (i = 0; i < LANES * PARTS; i = i + 1)
        word = word | picked[i*PART +: PART];
   end
`endif
   always @(posedge i_clk)
     if (back)
       o_word <= {{(64-PART){1'b0}}, word};
endmodule
`default_nettype wire
