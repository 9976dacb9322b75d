# pytest.sh: the package's own tests, against the package and the command of this build.
set -eu
need() {
    /usr/bin/python3 -c "import $1" 2>/dev/null || { echo "skipped: no $2"; exit 77; }
}
need cffi python3-cffi
need numpy python3-numpy
need PIL python3-pil
need pytest python3-pytest
exec /usr/bin/python3 -B -m pytest -q -p no:cacheprovider "$BNN_SOURCE/python/tests"
