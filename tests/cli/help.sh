# Help and version. What the commands say of themselves is theirs; here: every one answers.
"$BNN" --help >a && "$BNN" -h >b && "$BNN" help >c && cmp a b && cmp b c
head -2 a
for command in classify eval info convert verify train; do
    grep -q "^  $command " a || echo "$command is not listed"
done
sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' a | while read -r command; do
    "$BNN" $command --help >d || echo "$command --help failed"
    "$BNN" help $command >e && "$BNN" $command -h >f && cmp d e && cmp e f
    head -1 d | grep -q "^usage: bnn $command " || echo "$command --help begins otherwise"
done
"$BNN" --version | sed 's/[0-9][0-9]*/N/g'
"$BNN" classify --top 3 nothing.safetensors --help >d && head -1 d
