/*
 * bnn_dma_write.v : writes a stream of 64-bit words to memory (AXI4 master, write half)
 *
 * INCR bursts of up to 16 beats, cut at multiples of 128 bytes, so that none
 * crosses a 4 KiB border. A burst's address goes out before its data; data
 * follow as the stream delivers them.
 *
 * i_start begins a transfer of i_words (> 0) to i_address, a multiple of 8;
 * o_done is high for a cycle when memory has confirmed the last burst. An
 * error response sets o_error, which stays until the next start.
 *
 * Parameters
 *   QUEUE  words that wait while an address is on its way
 */
`default_nettype none

module bnn_dma_write
  #(parameter QUEUE = 16)
   (input  wire        i_clk,
    input  wire        i_reset,
    input  wire        i_start,
    input  wire [63:0] i_address,
    input  wire [31:0] i_words,
    output reg         o_done,
    output reg         o_error,
    // Stream
    input  wire        i_valid,
    output wire        o_ready,
    input  wire [63:0] i_data,
    // AXI4
    output reg         o_awvalid,
    input  wire        i_awready,
    output reg  [63:0] o_awaddr,
    output reg  [7:0]  o_awlen,
    output wire        o_wvalid,
    input  wire        i_wready,
    output wire [63:0] o_wdata,
    output wire        o_wlast,
    input  wire        i_bvalid,
    output wire        o_bready,
    input  wire [1:0]  i_bresp);

   reg  [63:0] address;
   reg  [31:0] left;    // words without a burst yet
   reg  [4:0]  beats;   // of the burst at hand, still to send
   reg  [31:0] pending; // bursts not confirmed yet
   reg         running;
   wire [4:0]  border = 5'd16 - {1'b0, address[6:3]};
   wire [4:0]  length = left < {27'd0, border} ? left[4:0] : border;
   wire        open   = !o_awvalid & left != 0 & (beats == 0 | (send & beats == 1));
   wire        queued;
   wire        send     = o_wvalid & i_wready;
   wire        response = i_bvalid & o_bready;

   assign o_wvalid = queued & beats != 0;
   assign o_wlast  = beats == 1;
   assign o_bready = 1;

   always @(posedge i_clk)
     if (i_reset) begin
        o_awvalid <= 0;
        left      <= 0;
        beats     <= 0;
        pending   <= 0;
        running   <= 0;
        o_done    <= 0;
        o_error   <= 0;
     end else begin
        o_done <= running & left == 0 & beats == 0 & pending == 0;
        if (i_start) begin
           left    <= i_words;
           running <= 1;
           o_error <= 0;
        end else begin
           if (open)
             left <= left - {27'd0, length};
           if (running & left == 0 & beats == 0 & pending == 0)
             running <= 0;
           if (response & i_bresp[1])
             o_error <= 1;
        end
        if (open) begin
           o_awvalid <= 1;
           beats     <= length;
        end else begin
           if (i_awready)
             o_awvalid <= 0;
           if (send)
             beats <= beats - 5'd1;
        end
        pending <= pending + {31'd0, open} - {31'd0, response};
     end

   always @(posedge i_clk)
     if (i_start)
       address <= i_address;
     else if (open) begin
        address  <= address + {56'd0, length, 3'd0};
        o_awaddr <= address;
        o_awlen  <= {3'd0, length} - 8'd1;
     end

   bnn_fifo #(.W(64), .DEPTH(QUEUE)) queue
     (.i_clk(i_clk), .i_reset(i_reset), .i_valid(i_valid), .o_ready(o_ready), .i_data(i_data),
      .o_valid(queued), .i_ready(send), .o_data(o_wdata));

   wire unused = &{1'b0, i_bresp[0]};
endmodule
`default_nettype wire
