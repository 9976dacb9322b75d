# symbols.sh SHARED STATIC: what the libraries export begins with bnn_; the shared one has just what the headers declare.
set -eu
foreign() { nm "$@" --defined-only | awk '$2 ~ /[A-TV-Z]/ && NF == 3 { print $3 }' | grep -v -E '^(bnn_|_init$|_fini$|__asan|__odr_asan|___asan|__sanitizer|__ubsan|__tsan)' || true; }
for wrong in "$(foreign -D "$1")" "$(foreign -g "$2")"; do
    [ -z "$wrong" ] || { echo "symbols without bnn_: $wrong"; exit 1; }
done
nm -D --defined-only "$1" | awk '$2 ~ /[TDBR]/ { print $3 }' | grep '^bnn_' | sort -u >exported
cat "$BNN_SOURCE"/include/bnn/*.h | tr '\n' ' ' | grep -oE 'BNN_API [^;{]*[;]' | grep -oE 'bnn_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >declared
comm -3 exported declared >difference
[ ! -s difference ] || { echo "exported | declared only on one side:"; cat difference; exit 1; }
echo "$(wc -l <exported) public functions"
