# `bnn classify --stats`: where the time went, beside the same output.
make network net.safetensors
make pictures top.png left.pgm pics/left-1.png pics/top-2.pgm
"$BNN" classify net.safetensors top.png left.pgm pics >plain
"$BNN" classify net.safetensors --stats top.png left.pgm pics 2>stats | cmp - plain && echo same output
sed 's/[0-9][0-9.]*/N/g; s/cpu [a-z0-9N]*,/cpu LEVEL,/' stats
