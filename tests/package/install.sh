# install.sh BUILD SANITIZERS: a ten-line program builds and runs against an installed tree, by pkg-config and by find_package.
set -eu
[ -z "${2:-}" ] || { echo "skipped: a sanitizer build is not installed"; exit 77; }
cmake --install "$1" --prefix "$PWD/tree" >install.log
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$BNN_SOURCE/README.md" >hello.c
[ -s hello.c ] || { echo "README.md has no C example"; exit 1; }
export PKG_CONFIG_PATH="$(dirname "$(find tree -name bnn.pc)")" LD_LIBRARY_PATH="$(dirname "$(find tree -name libbnn.so)")"
# The package file has the prefix of the configuration; this test installs elsewhere.
gcc -std=c11 hello.c -o by-pkg-config $(pkg-config --define-variable=prefix="$PWD/tree" \
    --define-variable=includedir="$PWD/tree/include" --define-variable=libdir="$LD_LIBRARY_PATH" --cflags --libs bnn)
cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(hello C)
find_package(bnn REQUIRED)
add_executable(by-cmake hello.c)
target_link_libraries(by-cmake bnn::bnn)
END
cmake -S . -B build -DCMAKE_PREFIX_PATH="$PWD/tree" >cmake.log && cmake --build build >>cmake.log || { cat cmake.log; exit 1; }
./by-pkg-config >a; ./build/by-cmake >b
cmp a b && cat a
"$(find tree -path '*/bin/bnn')" --version
