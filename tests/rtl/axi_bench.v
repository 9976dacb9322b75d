/*
 * axi_bench.v : drives an overlay at its AXI ports in any simulator: what the driver does, without the driver
 *
 * Reads config.hex (operations on registers) and images.hex (64-bit words;
 * bench_files.c); writes results.hex, a byte a line, and cycles.txt: the
 * overlay's own counts of cycles to the first and to the last result.
 * Plus arguments: +config=LINES +in=WORDS +images=N +out=WORDS, and +stall=PERCENT of
 * cycles in which the memory is not ready.
 */
`timescale 1ns/1ns
module axi_bench;
   localparam IN_BASE = 64'h1000_0000, OUT_BASE = 64'h1800_0000;

   reg         clk = 0, reset_n = 0;
   reg  [12:0] awaddr = 0, araddr = 0;
   reg  [31:0] wdata = 0;
   reg         write_valid = 0, read_valid = 0;
   wire        awready, wready, arready, bvalid, rvalid, irq;
   wire [31:0] rdata;

   wire [63:0] m_araddr, m_awaddr, m_wdata;
   wire [7:0]  m_arlen, m_awlen, m_wstrb;
   wire [2:0]  m_arsize, m_awsize;
   wire [1:0]  m_arburst, m_awburst, bresp, rresp;
   wire        m_arvalid, m_awvalid, m_wvalid, m_wlast, m_rready, m_bready;
   reg         m_arready = 0, m_awready = 0, m_wready = 0, m_rvalid = 0, m_bvalid = 0;

   reg [63:0] images  [0:65535];
   reg [63:0] results [0:65535];
   integer    read_at = 0, read_left = 0, write_at = 0, write_left = 0, stall = 0, seed = 1;

   overlay dut
     (.aclk(clk), .aresetn(reset_n), .irq(irq),
      .s_axi_awaddr(awaddr), .s_axi_awvalid(write_valid), .s_axi_awready(awready),
      .s_axi_wdata(wdata), .s_axi_wvalid(write_valid), .s_axi_wready(wready),
      .s_axi_bresp(bresp), .s_axi_bvalid(bvalid), .s_axi_bready(1'b1),
      .s_axi_araddr(araddr), .s_axi_arvalid(read_valid), .s_axi_arready(arready),
      .s_axi_rdata(rdata), .s_axi_rresp(rresp), .s_axi_rvalid(rvalid), .s_axi_rready(1'b1),
      .m_axi_araddr(m_araddr), .m_axi_arlen(m_arlen), .m_axi_arsize(m_arsize), .m_axi_arburst(m_arburst),
      .m_axi_arvalid(m_arvalid), .m_axi_arready(m_arready),
      .m_axi_rdata(images[read_at]), .m_axi_rresp(2'd0), .m_axi_rlast(read_left == 1), .m_axi_rvalid(m_rvalid), .m_axi_rready(m_rready),
      .m_axi_awaddr(m_awaddr), .m_axi_awlen(m_awlen), .m_axi_awsize(m_awsize), .m_axi_awburst(m_awburst),
      .m_axi_awvalid(m_awvalid), .m_axi_awready(m_awready),
      .m_axi_wdata(m_wdata), .m_axi_wstrb(m_wstrb), .m_axi_wlast(m_wlast), .m_axi_wvalid(m_wvalid), .m_axi_wready(m_wready),
      .m_axi_bresp(2'd0), .m_axi_bvalid(m_bvalid), .m_axi_bready(m_bready));

   always #5 clk = !clk;

   integer n_config, n_out, i = 0, cycle = 0;
   always @(posedge clk) begin
      cycle <= cycle + 1;
      if (cycle == 20 * n_config + 2000 * n_out + 200000) begin
         $display("axi_bench: operation %0d of %0d after %0d cycles", i, n_config, cycle);
         $finish;
      end
   end

   // ------------------------------------------------------------- the memory --
   wire ar = m_arvalid && m_arready, r = m_rvalid && m_rready;
   wire aw = m_awvalid && m_awready, w = m_wvalid && m_wready;
   always @(posedge clk) begin
      if (ar) begin
         read_at   <= (m_araddr - IN_BASE) >> 3;
         read_left <= m_arlen + 1;
      end else if (r) begin
         read_at   <= read_at + 1;
         read_left <= read_left - 1;
      end
      if (aw) begin
         write_at   <= (m_awaddr - OUT_BASE) >> 3;
         write_left <= m_awlen + 1;
      end else if (w) begin
         results[write_at] <= m_wdata;
         write_at          <= write_at + 1;
         write_left        <= write_left - 1;
         if (m_wlast != (write_left == 1))
           $display("axi_bench: last word of a burst not marked");
      end
      // One burst at a time in each direction; what is offered stays
      m_arready <= reset_n && !ar && read_left - r == 0 && goes(0);
      m_rvalid  <= reset_n && (ar ? m_arlen + 1 : read_left - r) != 0 && (m_rvalid && !m_rready || goes(0));
      m_awready <= reset_n && !aw && write_left - w == 0 && goes(0) && !m_bvalid;
      m_wready  <= reset_n && (aw ? m_awlen + 1 : write_left - w) != 0 && goes(0);
      m_bvalid  <= reset_n && (w && m_wlast || m_bvalid && !m_bready);
   end
   function goes(input unused);
      goes = stall == 0 || {$random(seed)} % 100 >= stall;
   endfunction

   // ------------------------------------------------------------ the program --
   reg [51:0] operations [0:262143];
   reg [31:0] value;
   integer    n_in, n_images, b, file, bad = 0;

   task write(input [12:0] address, input [31:0] data);
      begin
         awaddr <= address;
         wdata  <= data;
         write_valid <= 1;
         @(posedge clk);
         while (!awready) @(posedge clk);
         write_valid <= 0;
      end
   endtask

   task read(input [12:0] address);
      begin
         araddr <= address;
         read_valid <= 1;
         @(posedge clk);
         while (!arready) @(posedge clk);
         read_valid <= 0;
         @(posedge clk);
         while (!rvalid) @(posedge clk);
         value = rdata;
      end
   endtask

   task operate(input [3:0] kind, input [15:0] address, input [31:0] data);
      case (kind)
        0: write(address[12:0], data);
        1: begin
           read(address[12:0]);
           while (value[0]) read(address[12:0]);
        end
        default: begin
           read(address[12:0]);
           if (value !== data) begin
              $display("axi_bench: register 0x%03x: %08x; expected %08x", address, value, data);
              bad = 1;
           end
        end
      endcase
   endtask

   initial begin
      if (!$value$plusargs("config=%d", n_config)) n_config = 0;
      if (!$value$plusargs("in=%d", n_in)) n_in = 0;
      if (!$value$plusargs("images=%d", n_images)) n_images = 1;
      if (!$value$plusargs("out=%d", n_out)) n_out = 0;
      if (!$value$plusargs("stall=%d", stall)) stall = 0;
      $readmemh("config.hex", operations, 0, n_config - 1);
      $readmemh("images.hex", images, 0, n_in - 1);
      repeat (8) @(posedge clk);
      reset_n <= 1;
      repeat (4) @(posedge clk);
      for (i = 0; i < n_config && !bad; i = i + 1)
        operate(operations[i][51:48], operations[i][47:32], operations[i][31:0]);
      write(13'h004, 1);
      write(13'h008, 1);
      write(13'h010, IN_BASE);
      write(13'h01c, OUT_BASE);
      write(13'h05c, n_images);
      write(13'h000, 1);
      while (!irq) @(posedge clk);
      file = $fopen("results.hex", "w");
      for (i = 0; i < n_out; i = i + 1)
        for (b = 0; b < 8; b = b + 1)
          $fdisplay(file, "%02x", results[i][8*b +: 8]);
      $fclose(file);
      file = $fopen("cycles.txt", "w");
      read(13'h0a8);
      $fwrite(file, "%0d", value);
      read(13'h0b0);
      $fdisplay(file, " %0d", value);
      $fclose(file);
      $finish;
   end
endmodule
