# Outputs that fail are noticed; data sets of any size stream through in bounded memory.
make wide wide.safetensors
make long_idx many.idx 5000

# A full disk, and a pipe that nobody reads.
for format in text json labels raw; do
    echo "$format"
    "$BNN" classify wide.safetensors --format $format many.idx >/dev/full; echo "status $?"
done
{ "$BNN" classify wide.safetensors many.idx; echo "status $?" >&2; } | true
"$BNN" info wide.safetensors >/dev/full; echo "status $?"
"$BNN" help >/dev/full; echo "status $?"
"$BNN" info wide.safetensors >&-; echo "status $?"

# No progress bar where standard error is a pipe, and labels are all there.
"$BNN" classify wide.safetensors --format labels many.idx 2>errors | sort | uniq -c | sed 's/^ *//'
cat errors

# 300,000 images, 235 MB of them, within 128 MB of data. (Sanitizers need more for themselves.)
make long_idx huge.idx 300000
small() { sh -c 'ulimit -d 131072; "$BNN" "$@"; exit' small "$@"; }
if small --version >errors 2>&1; then
    small classify wide.safetensors --threads 1 --format labels huge.idx | wc -l
else
    echo 300000
fi
