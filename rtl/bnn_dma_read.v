/*
 * bnn_dma_read.v : reads WORDS-many 64-bit words from memory into a stream (AXI4 master, read half)
 *
 * INCR bursts of up to 16 beats, cut at multiples of 128 bytes, so that none
 * crosses a 4 KiB border. The next bursts are asked for while words of earlier
 * ones arrive, as long as the queue has room for all that was asked for: the
 * memory may answer late without starving the stream.
 *
 * i_start begins a transfer of i_words (> 0) from i_address, a multiple of 8.
 * An error response sets o_error, which stays until the next start; the words
 * are passed on all the same, so nothing hangs.
 *
 * Parameters
 *   QUEUE  words of the queue, a multiple of 16
 */
`default_nettype none

module bnn_dma_read
  #(parameter QUEUE = 64)
   (input  wire        i_clk,
    input  wire        i_reset,
    input  wire        i_start,
    input  wire [63:0] i_address,
    input  wire [31:0] i_words,
    output reg         o_error,
    // Stream
    output wire        o_valid,
    input  wire        i_ready,
    output wire [63:0] o_data,
    // AXI4
    output reg         o_arvalid,
    input  wire        i_arready,
    output reg  [63:0] o_araddr,
    output reg  [7:0]  o_arlen,
    input  wire        i_rvalid,
    output wire        o_rready,
    input  wire [63:0] i_rdata,
    input  wire [1:0]  i_rresp);

   localparam A = $clog2(QUEUE + 1);
   localparam [31:0] PLACES = QUEUE;

   reg  [63:0]  address;
   reg  [31:0]  left;  // words not asked for yet
   reg  [A-1:0] room;  // places of the queue, less words asked for
   wire [4:0]   border = 5'd16 - {1'b0, address[6:3]};
   wire [4:0]   beats  = left < {27'd0, border} ? left[4:0] : border;
   wire         pop    = o_valid & i_ready;
   wire         ask    = !o_arvalid & left != 0 & room >= {{(A-5){1'b0}}, beats};

   always @(posedge i_clk)
     if (i_reset) begin
        o_arvalid <= 0;
        left      <= 0;
        room      <= PLACES[A-1:0];
        o_error   <= 0;
     end else begin
        room <= room + {{(A-1){1'b0}}, pop} - (ask ? {{(A-5){1'b0}}, beats} : {A{1'b0}});
        if (i_start) begin
           left    <= i_words;
           o_error <= 0;
        end else begin
           if (ask)
             left <= left - {27'd0, beats};
           if (i_rvalid & o_rready & i_rresp[1])
             o_error <= 1;
        end
        if (ask)
          o_arvalid <= 1;
        else if (i_arready)
          o_arvalid <= 0;
     end

   always @(posedge i_clk)
     if (i_start)
       address <= i_address;
     else if (ask) begin
        address  <= address + {56'd0, beats, 3'd0};
        o_araddr <= address;
        o_arlen  <= {3'd0, beats} - 8'd1;
     end

   bnn_fifo #(.W(64), .DEPTH(QUEUE)) queue
     (.i_clk(i_clk), .i_reset(i_reset), .i_valid(i_rvalid), .o_ready(o_rready), .i_data(i_rdata),
      .o_valid(o_valid), .i_ready(i_ready), .o_data(o_data));

   wire unused = &{1'b0, i_rresp[0]};
endmodule
`default_nettype wire
