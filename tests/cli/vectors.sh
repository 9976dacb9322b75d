# The command gives what the original runtime gave for its own parameters, byte for byte.
data="${BNN_DATA:-$CLI/../../../shared/data}/bnn-pynq"
[ -d "$data/params" ] || skip "no unpacked data: set BNN_DATA to the folder that shared/data/unpack filled"
labels() { od -An -td4 -w4 -v | tr -d ' '; }
for set in mnist/lfcW1A1 mnist/lfcW1A2 cifar10/cnvW1A1; do
    network=$data/params/$set kind=${set#*/}
    case $kind in
    lfc*) images=$data/vectors/lfc_structured200.idx3-ubyte output=word.u64le ;;
    cnv*) images=$data/vectors/cnv_structured200.cifar.bin output=scores.i32le ;;
    esac
    vectors=$data/vectors/$kind-${set%/*}/$(basename "$images" | cut -d. -f1)
    "$BNN" convert "$network" $kind.safetensors || exit 1
    for net in "$network" $kind.safetensors; do
        "$BNN" classify -n "$net" --format raw "$images" | cmp - "$vectors.$output"
        for decode in multi single; do
            "$BNN" classify -n "$net" --format labels --decode $decode "$images" >given
            labels <"$vectors.class_$decode.i32le" | cmp - given
        done
    done
    echo "$set: $(wc -l <given) images"
done
