. "$CLI/../../tools/completion/bnn"
try() { # WORD...: the last is being completed
    COMP_WORDS=("$BNN" "$@") COMP_CWORD=$#
    _bnn "$BNN" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s ->' "bnn $*"; printf ' %s' "${COMPREPLY[@]}"; echo
}
try c
try ev
try help cl
try classify --to
try classify --format ''
try classify --variant w
try verify --se
try info --f
try classify ne
try classify net.safetensors n
try classify -n net
try info --topology sf
