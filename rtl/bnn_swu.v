/*
 * bnn_swu.v : sliding window unit: a map of pixels becomes its valid K x K windows, stride 1
 *
 * In: pixels row by row, CF words each. Out, for each of the
 * (H-K+1) x (WIDTH-K+1) window positions, row by row: its K x K pixels in
 * order (ky, kx), CF words each.
 *
 *     ring buffer, K rows and K pixels long     the window's pixels are read
 *     +---------------------------------+       in order; when it moves, its
 *     | . . . [a b c] . . [d e f] . .[g |       base (and so the room for new
 *     +---------------------------------+       pixels) advances: by a pixel,
 *             ^ base                            by K at the end of a row, by
 *                                               K rows at the end of the map
 *
 * The writer runs ahead up to the ring's size, into the next rows and the next
 * map, while windows of this one are still read. Cycles a map: the larger of
 * H x WIDTH x CF in and (H-K+1) x (WIDTH-K+1) x K x K x CF out.
 *
 * Parameters
 *   W         bits a word
 *   H WIDTH   of the map, in pixels
 *   K         of the window
 *   CF        words a pixel
 *   STYLE     ram_style of the ring
 *   PIXELS    of the ring; at least (K-1) x WIDTH + K
 */
`default_nettype none
`include "bnn_check.vh"

module bnn_swu
  #(parameter W      = 8,
    parameter H      = 8,
    parameter WIDTH  = 8,
    parameter K      = 3,
    parameter CF     = 1,
    parameter STYLE  = "auto",
    parameter PIXELS = K * WIDTH + K)
   (input  wire         i_clk,
    input  wire         i_reset,
    input  wire         i_valid,
    output wire         o_ready,
    input  wire [W-1:0] i_data,
    output wire         o_valid,
    input  wire         i_ready,
    output wire [W-1:0] o_data);

   `BNN_CHECK(K >= 1 && H >= K && WIDTH >= K, ("bnn_swu: K (%0d) does not fit a map of %0d x %0d", K, H, WIDTH))
   `BNN_CHECK(PIXELS >= (K-1) * WIDTH + K, ("bnn_swu: PIXELS (%0d) cannot hold a window", PIXELS))

   localparam WORDS = PIXELS * CF;
   localparam A     = WORDS < 2 ? 1 : $clog2(WORDS);
   localparam N     = $clog2(WORDS + 1) + 1;       // counts and sums of two ring addresses
   localparam XA    = $clog2(WIDTH + 1);
   localparam YA    = $clog2(H + 1);
   localparam KA    = $clog2(K + 1);
   localparam CA    = $clog2(CF + 1);
   localparam [31:0] LAST    = WORDS - 1;
   localparam [31:0] SIZE    = WORDS;
   localparam [31:0] CF_LAST = CF - 1;
   localparam [31:0] K_LAST  = K - 1;
   localparam [31:0] X_LAST  = WIDTH - K;
   localparam [31:0] Y_LAST  = H - K;
   localparam [31:0] ROW     = (WIDTH - K) * CF + 1; // from the last word of a window's row to the next row
   localparam [31:0] MOVE_X  = CF;                   // how far the base moves after a window,
   localparam [31:0] MOVE_Y  = K * CF;               // after the last of a row,
   localparam [31:0] MOVE    = ((K-1) * WIDTH + K) * CF; // and after the last of the map

   (* ram_style = STYLE *) reg [W-1:0] ring [0:WORDS-1];
   reg [A-1:0]  in, base, out;  // ring addresses: next to write, window's first word, next to read
   reg [N-1:0]  held;           // words since base
   reg [N-1:0]  ahead;          // of the word to read, from base
   reg [CA-1:0] cf;
   reg [KA-1:0] kx, ky;
   reg [XA-1:0] x;
   reg [YA-1:0] y;
   reg          valid;
   reg [W-1:0]  data;

   wire en      = !valid | i_ready;
   wire push    = i_valid & o_ready;
   wire read    = en & held > ahead;
   wire cf_last = cf == CF_LAST[CA-1:0];
   wire kx_last = kx == K_LAST[KA-1:0];
   wire ky_last = ky == K_LAST[KA-1:0];
   wire x_last  = x == X_LAST[XA-1:0];
   wire y_last  = y == Y_LAST[YA-1:0];
   wire row_end = cf_last & kx_last;
   wire window_end = row_end & ky_last;
   wire [N-1:0] move = !x_last ? MOVE_X[N-1:0] : !y_last ? MOVE_Y[N-1:0] : MOVE[N-1:0];

   assign o_ready = held != SIZE[N-1:0];
   assign o_valid = valid;
   assign o_data  = data;

   // Ring addresses wrap at WORDS; both sums are below twice that.
   wire [N-1:0] base_sum = {{(N-A){1'b0}}, base} + move;
   wire [N-1:0] out_sum  = {{(N-A){1'b0}}, out} + ROW[N-1:0];
   wire [N-1:0] base_cut = base_sum - SIZE[N-1:0];
   wire [N-1:0] out_cut  = out_sum - SIZE[N-1:0];
   wire [A-1:0] base_next = base_sum >= SIZE[N-1:0] ? base_cut[A-1:0] : base_sum[A-1:0];
   wire [A-1:0] out_next  = out_sum >= SIZE[N-1:0] ? out_cut[A-1:0] : out_sum[A-1:0];
   wire unused = &{1'b0, base_cut[N-1:A], out_cut[N-1:A], STYLE == ""};

   always @(posedge i_clk) begin
      if (push)
        ring[in] <= i_data;
      if (read)
        data <= ring[out];
   end

   always @(posedge i_clk)
     if (i_reset) begin
        in    <= 0;
        held  <= 0;
        valid <= 0;
     end else begin
        if (push)
          in <= in == LAST[A-1:0] ? {A{1'b0}} : in + 1'b1;
        held <= held + {{(N-1){1'b0}}, push} - (read & window_end ? move : {N{1'b0}});
        if (en)
          valid <= read;
     end

   always @(posedge i_clk)
     if (i_reset) begin
        {cf, kx, ky, x, y} <= 0;
        base  <= 0;
        out   <= 0;
        ahead <= 0;
     end else if (read) begin
        cf <= cf_last ? {CA{1'b0}} : cf + 1'b1;
        if (cf_last)
          kx <= kx_last ? {KA{1'b0}} : kx + 1'b1;
        if (row_end)
          ky <= ky_last ? {KA{1'b0}} : ky + 1'b1;
        if (window_end) begin
           x <= x_last ? {XA{1'b0}} : x + 1'b1;
           if (x_last)
             y <= y_last ? {YA{1'b0}} : y + 1'b1;
           base  <= base_next;
           out   <= base_next;
           ahead <= 0;
        end else if (row_end) begin
           out   <= out_next;
           ahead <= ahead + ROW[N-1:0];
        end else begin
           out   <= out == LAST[A-1:0] ? {A{1'b0}} : out + 1'b1;
           ahead <= ahead + 1'b1;
        end
     end
endmodule
`default_nettype wire
