#!/bin/sh
# Verilator -Wall over overlays of all kinds and a sweep of parameters: no warning at all.
#     lint.sh
set -e
command -v verilator > /dev/null || { echo "verilator is not installed: package verilator"; exit 77; }
rtl=$BNN_SOURCE/rtl

lint() { # FILE TOP [OPTION]...
  verilator --lint-only -Wall -Wno-DECLFILENAME -I"$rtl" -I"$rtl/sim" --top-module "$2" $3 $4 $5 $6 $7 $8 $9 "$1" > lint.log 2>&1 \
    || { head -20 lint.log; echo "$*: not clean"; exit 1; }
  echo "$*: clean"
}

for t in lfcW1A1 lfcW1A2 cnvW1A1 cnvW1A2 cnvW2A2 sfc tfc; do
  "$BNN" overlay write --topology $t out-$t > /dev/null
  lint out-$t/overlay.v overlay -DBNN_STYLE=2
done
"$BNN" overlay write --topology tfc --ports 8 --pipe out-byte > /dev/null
lint out-byte/overlay.v overlay_byte

for in in 1 2 8; do for weight in 1 2; do for thresholds in 0 1 2; do for pipe in 0 1; do
  lint $rtl/bnn_mvtu.v bnn_mvtu -GINPUT_BITS=$in -GWEIGHT_BITS=$weight -GTHRESHOLDS=$thresholds -GPIPE=$pipe -GSUM_BITS=14 -DBNN_STYLE=2
done; done; done; done
for fold in "-GSF=1 -GNF=1 -GSIMD=1 -GPE=1 -GQUEUE=6" "-GSF=1 -GNF=3 -GSIMD=7 -GPE=3" "-GSF=5 -GNF=1 -GSIMD=72 -GPE=2" "-GSF=13 -GNF=4 -GSIMD=64 -GPE=5"; do
  lint $rtl/bnn_mvtu.v bnn_mvtu $fold -GSUM_BITS=12
done
for style in 1 2 3; do for n in 1 2 3 5 6 7 16 32 63 64 88; do
  lint $rtl/bnn_agree.v bnn_agree -GN=$n -GSTYLE=$style
  lint $rtl/bnn_agree.v bnn_agree -GN=$n -GSTYLE=$style -GXT=1
done; done
for ab in "64 24 3072" "24 64 192" "88 66 1024" "7 5 33" "3 2 3" "5 9 20" "8 8 64" "64 1 784" "1 64 100"; do
  set -- $ab
  lint $rtl/bnn_dwc.v bnn_dwc -GA=$1 -GB=$2 -GLANES=$3
done
for k in 1 2 3 5; do for cf in 1 3 4; do
  lint $rtl/bnn_swu.v bnn_swu -GK=$k -GH=6 -GWIDTH=9 -GCF=$cf
done; done
lint $rtl/bnn_maxpool.v bnn_maxpool -GBITS=2 -GWIDTH=2 -GCF=1
lint $rtl/bnn_maxpool.v bnn_maxpool -GBITS=1 -GWIDTH=10 -GCF=3
for d in 1 2 3 16 64; do lint $rtl/bnn_fifo.v bnn_fifo -GDEPTH=$d; done
for m in bnn_skid bnn_axil bnn_control bnn_shell bnn_dma_read bnn_dma_write bnn_byte_shell bnn_config bnn_sum8; do
  lint $rtl/$m.v $m
done

# The checks at elaboration: a wrong parameter stops, with the rule
if verilator --lint-only -Wall -Wno-DECLFILENAME -I"$rtl" -GINPUT_BITS=3 --top-module bnn_mvtu $rtl/bnn_mvtu.v > lint.log 2>&1 \
   || ! grep -q "INPUT_BITS (3) is not 1, 2 or 8" lint.log; then
  head lint.log
  echo "bnn_mvtu with INPUT_BITS 3 was not refused"
  exit 1
fi
