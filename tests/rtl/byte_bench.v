/*
 * byte_bench.v : runs an overlay of byte-wide ports: parameters in, images through, results out
 *
 * Reads config.hex and images.hex (bench_files.c); writes results.hex, a byte
 * a line, and cycles.txt: cycles from the first byte in to the first and to the
 * last result's end. For any simulator, and for the netlist after synthesis.
 * Plus arguments: +config=LINES +in=BYTES +images=N +out=BYTES, and +stall=PERCENT, which
 * holds up both ends at random (the same way in every simulator).
 */
`timescale 1ns/1ns
module byte_bench;
   reg        clk = 0, reset = 1, shift = 0, store = 0;
   reg  [3:0] nibble = 0;
   reg        in_valid = 0, out_ready = 0;
   wire [7:0] in_data, out_data;
   wire       in_ready, out_valid;
   overlay_byte dut
     (.clk(clk), .reset(reset), .nibble(nibble), .shift(shift), .store(store),
      .in_data(in_data), .in_valid(in_valid), .in_ready(in_ready),
      .out_data(out_data), .out_valid(out_valid), .out_ready(out_ready));

   always #5 clk = !clk;

   reg [4:0] config_lines [0:1048575];
   reg [7:0] images [0:1048575];
   integer   n_config, n_in, n_out, n_images, stall;
   integer   at = 0, sent = 0, got = 0, cycle = 0, first = 0, results;
   reg       running = 0, counting = 0;
   initial begin
      if (!$value$plusargs("config=%d", n_config)) n_config = 0;
      if (!$value$plusargs("in=%d", n_in)) n_in = 0;
      if (!$value$plusargs("images=%d", n_images)) n_images = 1;
      if (!$value$plusargs("out=%d", n_out)) n_out = 0;
      if (!$value$plusargs("stall=%d", stall)) stall = 0;
      $readmemh("config.hex", config_lines, 0, n_config - 1);
      $readmemh("images.hex", images, 0, n_in - 1);
      results = $fopen("results.hex", "w");
   end

   // x^32 + x^22 + x^2 + x + 1, eight steps a use
   reg [31:0] random = 32'h1234567;
   integer    step;
   function [31:0] next(input [31:0] r);
      begin
         next = r;
         for (step = 0; step < 8; step = step + 1)
           next = {next[30:0], next[31] ^ next[21] ^ next[1] ^ next[0]};
      end
   endfunction

   // Parameters, while the units are not in reset but have no input
   always @(posedge clk) begin
      cycle <= cycle + 1;
      if (cycle == 8)
        reset <= 0;
      shift <= 0;
      store <= 0;
      if (cycle > 16 && at < n_config) begin
         nibble <= config_lines[at][3:0];
         shift  <= !config_lines[at][4];
         store  <= config_lines[at][4];
         at     <= at + 1;
      end
      if (cycle > n_config + 32)
        running <= 1;
   end

   // Images in: an offered byte stays until it is taken
   assign in_data = images[sent];
   always @(posedge clk) if (running) begin
      random <= next(random);
      if (in_valid && in_ready)
        sent <= sent + 1;
      if (!in_valid || in_ready)
        in_valid <= sent + (in_valid && in_ready ? 1 : 0) < n_in && random[6:0] * 100 >= stall * 128;
      out_ready <= random[14:8] * 100 >= stall * 128;
      if (in_valid && in_ready && !counting)
        counting <= 1;
   end

   integer passed = 0;
   always @(posedge clk) begin
      if (counting || (in_valid && in_ready))
        passed <= passed + 1;
      if (out_valid === 1 && out_ready) begin
         $fdisplay(results, "%02x", out_data);
         got <= got + 1;
         if ((got + 1) * n_images == n_out)
           first <= passed + 1;
         if (got + 1 == n_out)
           finish_run(passed + 1);
      end
      if (cycle > n_config + 2000 * n_out + 200000) begin
         $display("byte_bench: %0d of %0d result bytes after %0d cycles", got, n_out, cycle);
         $finish;
      end
   end

   integer cycles;
   task finish_run(input integer last);
      begin
         $fclose(results);
         cycles = $fopen("cycles.txt", "w");
         $fdisplay(cycles, "%0d %0d", n_images == 1 ? last : first, last);
         $fclose(cycles);
         $finish;
      end
   endtask
endmodule
