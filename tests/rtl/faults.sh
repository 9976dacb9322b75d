# Faults put into the hardware on purpose: each is found, and the message says where it is.
set -e
command -v verilator > /dev/null || { echo "verilator is not installed: package verilator"; exit 77; }
"$BNN_RTL_TOOLS/draw_network" tfc net.safetensors

# fault WHAT MESSAGE FILE SED [SETTINGS]: tfc with FILE of its Verilog changed by SED must fail to verify, with MESSAGE
fault() {
  what=$1 message=$2 file=$3 change=$4
  rm -rf out rtl
  cp -r "$BNN_SOURCE/rtl" rtl
  "$BNN" overlay write --topology tfc out > /dev/null
  ln -s ../out/overlay.v rtl/overlay.v
  sed -i --follow-symlinks "$change" "rtl/$file"
  if cmp -s "rtl/$file" "$BNN_SOURCE/rtl/$file"; then echo "$what: nothing to change in $file"; exit 1; fi
  sed -i "s|^rtl=.*|rtl='$PWD/rtl'|" out/simulate.sh
  sh out/simulate.sh > build.log 2>&1 || { tail -5 build.log; exit 1; }
  if "$BNN" verify --backend overlay --overlay object=out/overlay.so${5:+,$5} --count 20 -n net.safetensors > verify.txt 2>&1; then
    echo "$what: not found"; cat verify.txt; exit 1
  fi
  grep -q "$message" verify.txt || { echo "$what: expected '$message' in"; cat verify.txt; exit 1; }
  echo "$what: $(grep '^bnn:' verify.txt)"
}

fault "a weight bit that arrives wrong" 'unit 1 weights: checksum' \
  bnn_memory.v "s/<= i_value\[BITS-1:0\];/<= i_value[BITS-1:0] ^ {{(BITS-1){1'b0}}, NAME == \"w1\" \&\& i_index == 3 \&\& i_lane == 1};/"
fault "a weight bit that is used wrong" 'layer 1 (dense), neuron' \
  bnn_memory.v "s/o_row <= rows\[address\];/o_row <= rows[address] ^ {{(LANES*W-1){1'b0}}, NAME == \"w1\" \&\& i_read};/"
fault "a threshold that arrives wrong" 'unit 2 thresholds: checksum' \
  bnn_memory.v "s/<= i_value\[BITS-1:0\];/<= i_value[BITS-1:0] ^ {{(BITS-1){1'b0}}, NAME == \"t2\" \&\& i_index == 0 \&\& i_lane == 0};/"
fault "a threshold that is compared wrong" 'layer 0 (dense), neuron' \
  bnn_mvtu.v 's/(sum ^ TURN) >= (t/(sum ^ TURN) > (t/'
# Seen only while results wait: memory that seldom takes them
fault "a queue with too few places" 'unit 3 lost a result' \
  bnn_mvtu.v 's/\.DEPTH(QUEUE), \.ID(UNIT)/.DEPTH(UNIT == 3 ? 1 : QUEUE), .ID(UNIT)/' stall=98
