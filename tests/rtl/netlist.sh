# After synthesis: the gates that Yosys makes of tfc for iCE40, with the vendor's cells as Yosys models them, still give
# the scalar kernels' scores in the estimate's cycles.
set -e
for tool in yosys verilator; do
  command -v $tool > /dev/null || { echo "$tool is not installed: package $tool"; exit 77; }
done
cells=$(yosys-config --datdir 2> /dev/null || echo /usr/share/yosys)/ice40/cells_sim.v
[ -f "$cells" ] || { echo "no models of iCE40 cells in $cells"; exit 77; }
rtl=$BNN_SOURCE/rtl images=50

"$BNN" overlay write --topology tfc --ports 8 --pipe out > /dev/null
yosys -q -p "read_verilog -defer -DBNN_NO_RAM_STYLE -I$rtl $rtl/bnn_*.v out/overlay.v; hierarchy -check -top overlay_byte
  synth_ice40 -top overlay_byte; write_verilog -noattr netlist.v" > yosys.log 2>&1 || { tail -5 yosys.log; exit 1; }
verilator --binary --timing -Wno-fatal -Wno-lint -Wno-style -O3 --noassert -DNO_ICE40_DEFAULT_ASSIGNMENTS \
  --top-module byte_bench -MAKEFLAGS "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0" -Mdir build "$BNN_SOURCE/tests/rtl/byte_bench.v" netlist.v "$cells" > build.log 2>&1 \
  || { tail -5 build.log; exit 1; }
"$BNN_RTL_TOOLS/bench_files" write tfc 8 $images
# A register that nothing resets starts as it likes: zeros, ones, at random
for start in 0 1 2; do
  build/Vbyte_bench +verilator+rand+reset+$start +verilator+seed+1 +config="$(grep -c . config.hex)" +in=$((images * 98)) \
    +images=$images +out=$((images * 128)) > bench.log || { tail -5 bench.log; exit 1; }
  "$BNN_RTL_TOOLS/bench_files" check tfc 8 $images
done
echo "$(grep -c '^  SB_' netlist.v) cells of iCE40"
