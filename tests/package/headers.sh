# Every public header compiles alone, without a warning, as C99, C11 and C++.
set -e
warn="-Wall -Wextra -Wpedantic -Wshadow -Werror"
for header in "$BNN_SOURCE"/include/bnn/*.h; do
    echo "#include \"bnn/$(basename "$header")\"" >alone.c
    for std in c99 c11; do
        gcc -std=$std $warn -Wstrict-prototypes -Wmissing-prototypes -I"$BNN_SOURCE/include" -c alone.c -o alone.o
    done
    g++ -std=c++11 $warn -I"$BNN_SOURCE/include" -x c++ -c alone.c -o alone.o
    echo "$(basename "$header"): C99, C11, C++"
done
