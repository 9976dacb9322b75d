# A second simulator: Icarus runs the small overlays as Verilator does, with the memories and popcounts that synthesis
# sees. Scores are the scalar kernels', cycles the estimate's, which are Verilator's too (rtl.overlay_*).
#     icarus.sh [all]
set -e
command -v iverilog > /dev/null || { echo "iverilog is not installed: package iverilog"; exit 77; }
rtl=$BNN_SOURCE/rtl bench=$BNN_SOURCE/tests/rtl

# simulate TOPOLOGY PORTS IMAGES [STALL]
simulate() {
  topology=$1 ports=$2 images=$3 stall=${4:-0} top=axi_bench pipe=
  [ "$ports" = 64 ] || { top=byte_bench pipe=--pipe; }
  "$BNN" overlay write --topology "$topology" --ports "$ports" $pipe out > /dev/null
  "$BNN_RTL_TOOLS/bench_files" write "$topology" "$ports" "$images"
  iverilog -g2005 -I"$rtl" -o "$top.vvp" -s "$top" "$bench/$top.v" out/overlay.v "$rtl"/*.v
  rm -f results.hex cycles.txt
  # Rows of 16 bits, 64 of them, in words of the port
  vvp "$top.vvp" +config="$(grep -c . config.hex)" +in="$(grep -c . images.hex)" +images="$images" \
    +out=$((images * 1024 / ports)) +stall="$stall"
  echo "$topology, ports of $ports bits, stalls in $stall %:"
  "$BNN_RTL_TOOLS/bench_files" check "$topology" "$ports" "$images" $([ "$stall" = 0 ] || echo any)
}

simulate tfc 64 5
simulate tfc 64 3 90
[ "$1" != all ] || { simulate tfc 8 20; simulate tfc 8 10 70; simulate sfc 64 10; simulate sfc 64 5 90; }
