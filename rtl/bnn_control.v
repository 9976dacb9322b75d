/*
 * bnn_control.v : the registers of an overlay
 *
 * 0x000 to 0x060 are BNN-PYNQ's (its host code runs unchanged): with doInit set, a
 * start writes one parameter word; without, it runs numReps images. The rest is ours.
 *
 *   0x000  control    [0] start, [1] done (cleared by reading), [2] idle, [3] ready (as done)
 *   0x004  GIE        [0] interrupts on        0x008  IER  [0] done      0x00c  ISR  [0] done, toggled by writing 1
 *   0x010 0x014       address of images        0x01c 0x020 address of results
 *   0x028  doInit     0x030  layer   0x038  lane (PE)   0x040  index   0x048  part (threshold)
 *   0x050 0x054       value                    0x05c  numReps
 *   0x080  magic "BNNO"                        0x084  version of this map
 *   0x088 0x08c       identity: hash of topology, folding and version
 *   0x090  units with weights                  0x094 0x098 bytes of an image, of a result
 *   0x09c  error      [0] read, [1] write response; cleared by a start
 *   0x0a0 0x0a4       cycles of the last run (since its first word was taken)
 *   0x0a8 0x0ac       cycles until the first result was complete
 *   0x0b0 0x0b4       ... until the last result was
 *   0x0b8  cycles without input where it was wanted    0x0bc  cycles in which output waited
 *   0x0c0  last part, 0x0c4 last index: where the automatic increment wraps (part, then index, then lane)
 *   0x0c8  scan: writing n reads n words back from layer, lane, index, part; reading: [0] busy
 *   0x0cc  mode       [0] window words are 32 bits (no high half)
 *   0x0d0 0x0d4       checksum of the scan: for each word w, s = rotate_left(s, 1) + w
 *   0x0d8 0x0dc       last word read back
 *   0x1000 to 0x1fff  window: writes go to value (offset bit 2 = high half); the high half, or in mode [0]
 *                     every write, stores the word and increments
 *
 * Parameters
 *   IDENTITY  64 bits    UNITS  IN_WORDS OUT_WORDS  64-bit words of an image, a result
 */
`default_nettype none

module bnn_control
  #(parameter [63:0] IDENTITY  = 64'd0,
    parameter        UNITS     = 4,
    parameter        IN_WORDS  = 13,
    parameter        OUT_WORDS = 16)
   (input  wire         i_clk,
    input  wire         i_reset,
    // Register accesses
    input  wire         i_write,
    input  wire [12:0]  i_write_address,
    input  wire [31:0]  i_write_value,
    input  wire         i_read,
    input  wire [12:0]  i_read_address,
    output reg  [31:0]  o_value,
    output wire         o_interrupt,
    // Runs
    output reg          o_start,
    output reg  [63:0]  o_in_address,
    output reg  [63:0]  o_out_address,
    output reg  [31:0]  o_in_words,
    output reg  [31:0]  o_out_words,
    input  wire         i_done,
    input  wire [1:0]   i_error,
    // What passes at the stream ports
    input  wire         i_in_valid,
    input  wire         i_in_ready,
    input  wire         i_out_valid,
    input  wire         i_out_ready,
    // Configuration bus and chain
    output reg  [129:0] o_bus,
    input  wire [64:0]  i_chain);

   localparam [31:0] MAGIC    = 32'h4f4e4e42; // "BNNO" in memory order
   localparam [31:0] VERSION  = 32'd1;
   localparam [31:0] N_UNITS  = UNITS;
   localparam [31:0] N_IN     = IN_WORDS;
   localparam [31:0] N_OUT    = OUT_WORDS;

   reg        done, ready, running, gie, ier, isr, init;
   reg [31:0] layer, lane, index, part, reps;
   reg [63:0] value;
   reg [31:0] last_part, last_index;
   reg        narrow;
   reg [63:0] cycles, first_out, last_out;
   reg [31:0] starved, waited, out_left;
   reg        counting, first;
   reg [31:0] in_left;
   reg [31:0] to_read, to_come;
   reg [63:0] checksum, last_word;

   wire [12:0] wa      = i_write_address;
   wire        start   = i_write & wa == 13'h000 & i_write_value[0] & !running;
   wire        window  = i_write & wa[12];
   wire        store   = window & (narrow | wa[2]); // a word of the window is complete
   wire        write_one = start & init;
   wire        run     = start & !init;
   wire        scan    = i_write & wa == 13'h0c8;
   wire        read_one = to_read != 0;
   wire        step    = read_one | stored;
   reg         stored; // the window's word goes out on the bus in this cycle

   // ------------------------------------------------- start, done, interrupt --
   wire finish = (running & i_done) | wrote;
   reg  wrote;         // a word of the original's doInit path is on the bus
   always @(posedge i_clk)
     if (i_reset)
       {done, ready, running, gie, ier, isr, o_start, wrote} <= 0;
     else begin
        o_start <= run;
        wrote   <= write_one;
        if (start)       running <= 1;
        else if (finish) running <= 0;
        if (finish)
          {done, ready} <= 2'b11;
        else if (i_read & i_read_address == 13'h000)
          {done, ready} <= 2'b00;
        if (i_write & wa == 13'h004) gie <= i_write_value[0];
        if (i_write & wa == 13'h008) ier <= i_write_value[0];
        if (i_write & wa == 13'h00c & i_write_value[0])
          isr <= !isr;
        else if (finish & ier)
          isr <= 1;
     end
   assign o_interrupt = gie & isr;

   // -------------------------------------------------------------- registers --
   always @(posedge i_clk)
     if (i_reset) begin
        init   <= 0;
        narrow <= 0;
        {o_in_address, o_out_address, reps} <= 0;
        {layer, lane, index, part, last_part, last_index, value} <= 0;
     end else begin
        if (i_write)
          case (wa)
            13'h010: o_in_address[31:0]   <= i_write_value;
            13'h014: o_in_address[63:32]  <= i_write_value;
            13'h01c: o_out_address[31:0]  <= i_write_value;
            13'h020: o_out_address[63:32] <= i_write_value;
            13'h028: init                 <= i_write_value[0];
            13'h030: layer                <= i_write_value;
            13'h038: lane                 <= i_write_value;
            13'h040: index                <= i_write_value;
            13'h048: part                 <= i_write_value;
            13'h050: value[31:0]          <= i_write_value;
            13'h054: value[63:32]         <= i_write_value;
            13'h05c: reps                 <= i_write_value;
            13'h0c0: last_part            <= i_write_value;
            13'h0c4: last_index           <= i_write_value;
            13'h0cc: narrow               <= i_write_value[0];
            default: ;
          endcase
        if (window & wa[2] & !narrow)
          value[63:32] <= i_write_value;
        else if (window)
          value <= {32'd0, i_write_value};
        // Part runs fastest, then index, then lane
        if (step) begin
           part <= part == last_part ? 32'd0 : part + 32'd1;
           if (part == last_part) begin
              index <= index == last_index ? 32'd0 : index + 32'd1;
              if (index == last_index)
                lane <= lane + 32'd1;
           end
        end
     end

   // ----------------------------------------------------- configuration bus --
   always @(posedge i_clk) begin
      stored <= store & !i_reset;
      o_bus  <= {read_one, stored | wrote, layer[7:0], lane[15:0], part[7:0], index, value};
      if (i_reset)
        o_bus[129:128] <= 0;
   end

   always @(posedge i_clk)
     if (i_reset)
       {to_read, to_come, checksum, last_word} <= 0;
     else if (scan) begin
        to_read  <= i_write_value;
        to_come  <= i_write_value;
        checksum <= 0;
     end else begin
        if (read_one)
          to_read <= to_read - 32'd1;
        if (i_chain[64]) begin
           to_come   <= to_come - 32'd1;
           last_word <= i_chain[63:0];
           checksum  <= {checksum[62:0], checksum[63]} + i_chain[63:0];
        end
     end

   // --------------------------------------------------------------- counters --
   wire in_word  = i_in_valid & i_in_ready;
   wire out_word = i_out_valid & i_out_ready;
   always @(posedge i_clk)
     if (i_reset | run) begin
        {cycles, first_out, last_out, starved, waited} <= 0;
        counting    <= 0;
        first       <= run;
        out_left    <= N_OUT;
        in_left     <= reps * N_IN;
        o_in_words  <= reps * N_IN;
        o_out_words <= reps * N_OUT;
     end else begin
        if (i_done)
          counting <= 0;
        else if (in_word)
          counting <= 1;
        if (counting | in_word)
          cycles <= cycles + 64'd1;
        if (in_word)
          in_left <= in_left - 32'd1;
        if (counting & in_left != 0 & i_in_ready & !i_in_valid)
          starved <= starved + 32'd1;
        if (i_out_valid & !i_out_ready)
          waited <= waited + 32'd1;
        if (out_word) begin
           out_left <= out_left == 1 ? N_OUT : out_left - 32'd1;
           if (out_left == 1) begin
              last_out <= cycles + 64'd1;
              first    <= 0;
              if (first)
                first_out <= cycles + 64'd1;
           end
        end
     end

   // ------------------------------------------------------------------- read --
   always @(*)
     case (i_read_address)
       13'h000: o_value = {28'd0, ready, !running, done, running};
       13'h004: o_value = {31'd0, gie};
       13'h008: o_value = {31'd0, ier};
       13'h00c: o_value = {31'd0, isr};
       13'h010: o_value = o_in_address[31:0];
       13'h014: o_value = o_in_address[63:32];
       13'h01c: o_value = o_out_address[31:0];
       13'h020: o_value = o_out_address[63:32];
       13'h028: o_value = {31'd0, init};
       13'h030: o_value = layer;
       13'h038: o_value = lane;
       13'h040: o_value = index;
       13'h048: o_value = part;
       13'h050: o_value = value[31:0];
       13'h054: o_value = value[63:32];
       13'h05c: o_value = reps;
       13'h080: o_value = MAGIC;
       13'h084: o_value = VERSION;
       13'h088: o_value = IDENTITY[31:0];
       13'h08c: o_value = IDENTITY[63:32];
       13'h090: o_value = N_UNITS;
       13'h094: o_value = N_IN << 3;
       13'h098: o_value = N_OUT << 3;
       13'h09c: o_value = {30'd0, i_error};
       13'h0a0: o_value = cycles[31:0];
       13'h0a4: o_value = cycles[63:32];
       13'h0a8: o_value = first_out[31:0];
       13'h0ac: o_value = first_out[63:32];
       13'h0b0: o_value = last_out[31:0];
       13'h0b4: o_value = last_out[63:32];
       13'h0b8: o_value = starved;
       13'h0bc: o_value = waited;
       13'h0c0: o_value = last_part;
       13'h0c4: o_value = last_index;
       13'h0c8: o_value = {31'd0, to_come != 0};
       13'h0cc: o_value = {31'd0, narrow};
       13'h0d0: o_value = checksum[31:0];
       13'h0d4: o_value = checksum[63:32];
       13'h0d8: o_value = last_word[31:0];
       13'h0dc: o_value = last_word[63:32];
       default: o_value = 32'd0;
     endcase
endmodule
`default_nettype wire
