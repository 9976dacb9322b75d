/*
 * bnn_check.vh : parameter checks at elaboration
 *
 *     `BNN_CHECK(MW % SIMD == 0, ("bnn_x: MW (%0d) is not a multiple of SIMD (%0d)", MW, SIMD))
 *
 * Verilator stops with the message. Yosys 0.23 fires $error in branches that
 * are not taken, so there a missing module stops it; the line it names has the
 * rule. Icarus (Verilog-2005) prints the message at time 0 and ends.
 */
`ifdef VERILATOR
 `define BNN_CHECK(ok, message) generate if (!(ok)) $error message; endgenerate
`elsif YOSYS
 `define BNN_CHECK(ok, message) generate if (!(ok)) bnn_parameter_error parameter_error(); endgenerate
`else
 `define BNN_CHECK(ok, message) initial if (!(ok)) begin $display message; $finish; end
`endif
