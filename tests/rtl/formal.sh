#!/bin/sh
# Proofs of the properties at the ends of rtl/*.v (FORMAL): bounded model checking from reset, then
# induction, with yosys-smtbmc and z3. Sizes are small on purpose: what can go wrong with wrap-around,
# full, empty and partial vectors goes wrong at these.
#     formal.sh
set -e
for tool in yosys yosys-smtbmc z3; do
  command -v $tool > /dev/null || { echo "$tool is not installed: package $([ $tool = z3 ] && echo z3 || echo yosys)"; exit 77; }
done
rtl=$BNN_SOURCE/rtl

# prove MODULE DEPTH PARAMETER=VALUE...
prove() {
  module=$1 depth=$2 set=
  shift 2
  for p in "$@"; do set="$set -set ${p%%=*} ${p##*=}"; done
  yosys -q -p "read_verilog -formal -defer -I$rtl $rtl/$module.v; chparam $set $module; prep -top $module; write_smt2 -wires $module.smt2" > yosys.log 2>&1 \
    || { cat yosys.log; echo "$module $*: not elaborated"; exit 1; }
  for mode in "" -i; do
    timeout 120 yosys-smtbmc -s z3 $mode -t $depth $module.smt2 > smt.log 2>&1 || { tail -3 smt.log; echo "$module $*: not proved ($mode)"; exit 1; }
  done
  echo "$module $*: proved"
}

prove bnn_fifo 12 W=2 DEPTH=3
prove bnn_fifo 12 W=2 DEPTH=4
prove bnn_skid 12 W=3
prove bnn_widen 12 W=2 R=2 WORDS=4
prove bnn_widen 12 W=2 R=3 WORDS=4
prove bnn_narrow 12 W=2 R=3 WORDS=6
prove bnn_narrow 12 W=2 R=3 WORDS=4
prove bnn_axil 12 A=4
