# `bnn verify` on the overlays of all shipped foldings: every layer of at least 200 images (LFC) and 20 (CNV), through
# both doors, with and without memory that makes both ends wait. BNN-PYNQ's own networks where BNN_DATA has them,
# drawn ones where no trained network is open.
#     verify.sh TOPOLOGY COUNT [SETTINGS]...
set -e
command -v verilator > /dev/null || { echo "verilator is not installed: package verilator"; exit 77; }
topology=$1 count=$2 data=${BNN_DATA:-$BNN_SOURCE/../shared/data}/bnn-pynq images=
shift 2
case $topology in
lfcW1A1|lfcW1A2) network=$data/params/mnist/$topology images=$data/vectors/lfc_structured200.idx3-ubyte ;;
cnvW1A1) network=$data/params/cifar10/$topology images=$data/vectors/cnv_structured200.cifar.bin ;;
*) network=$topology.safetensors; "$BNN_RTL_TOOLS/draw_network" "$topology" "$network" ;;
esac
[ -e "$network" ] || { echo "no $network: set BNN_DATA to the folder that shared/data/unpack filled"; exit 77; }
for settings in "$@"; do
  echo "$topology, $settings:"
  "$BNN" verify --overlay "$settings" --backend overlay --count "$count" -n "$network" $images > verify.txt || { cat verify.txt; exit 1; }
  cat verify.txt
  grep -q "^$count images\|: $count images" verify.txt
done
