# docs.sh: the documentation builds without a warning.
set -eu
command -v doxygen >/dev/null || { echo "skipped: no doxygen"; exit 77; }
for module in sphinx breathe myst_parser numpy; do
    /usr/bin/python3 -c "import $module" 2>/dev/null || { echo "skipped: no $module (python3-sphinx python3-breathe python3-myst-parser)"; exit 77; }
done
exec /usr/bin/python3 -B -m sphinx -W -q -b html -d doctrees "$BNN_SOURCE/docs" html
