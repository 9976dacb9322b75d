# Man pages: well formed, one a command, and every option of --help is in the command's page or in bnn.1.
pages="$CLI/../../docs/man"
command -v mandoc >/dev/null || skip "mandoc is not installed"
mandoc -Tlint -W warning "$pages"/*.1
options() { "$BNN" "$1" --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' | grep -v '^help$'; }
"$BNN" help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | while read -r command; do
    page="$pages/bnn-$command.1"
    [ -e "$page" ] || { echo "docs/man/bnn-$command.1 is missing"; continue; }
    grep -q "^\.Xr bnn-$command 1" "$pages/bnn.1" || echo "bnn.1 does not name bnn-$command"
    for option in $(options "$command"); do
        grep -qE "(Fl|,) -$option( |\$)" "$page" || echo "bnn-$command.1 does not name --$option"
        grep -qE "Fl -$option( |\$)" "$page" "$pages/bnn.1" || echo "no page explains --$option of $command"
    done
done
