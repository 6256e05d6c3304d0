#!/bin/bash
# Compiles the kernels for 64-bit Arm and runs each of them under emulation against its scalar twin and its definition: on a processor
# without the dot products of bytes and on two that have them. Then the same for this machine; what products give must be the same bits
# here and there.
#   run.sh [-O0]    the level at which the kernels are compiled, -O2 unless given
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
level=${1:--O2}
compiler=${CLANG:-$(dirname "$(command -v "${SWIFT:-swift}" || echo /usr/bin/swift)")/clang}
command -v "$compiler" > /dev/null || compiler=clang
missing=
command -v "$compiler" > /dev/null || { echo "There is no clang, which comes with Swift; name one: CLANG=… $0" >&2; exit 1; }
command -v qemu-aarch64 > /dev/null || missing+=" qemu-user"
libraries=/usr/aarch64-linux-gnu/lib
[ "$(uname -m)" = aarch64 ] && libraries=/usr/lib/aarch64-linux-gnu
[ -e "$libraries/libc.a" ] || missing+=" gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
[ -z "$missing" ] || { echo "Packages are missing: apt-get install$missing" >&2; exit 1; }

out=.build/neon
rm -rf "$out" && mkdir -p "$out"
compile() { # name, then flags
  local name=$1 source
  shift
  mkdir -p "$out/$name"
  for source in Sources/CKernels/*.c; do
    "$compiler" "$@" "$level" -Wall -Wextra -Werror -ISources/CKernels/include -c "$source" -o "$out/$name/$(basename "$source" .c).o"
  done
  "$compiler" "$@" -O2 -Wall -Wextra -Werror -std=gnu17 -ISources/CKernels/include -ISources/CKernels Tests/Neon/*.c \
    "$out/$name"/*.o -static -lm -pthread -o "$out/$name/check"
}

compile arm --target=aarch64-linux-gnu
compile here
for processor in "cortex-a53 plain" "cortex-a76 dotprod" "max dotprod"; do
  read -r name form <<< "$processor"
  echo "== $name: $form"
  qemu-aarch64 -cpu "$name" "$out/arm/check" "$form" > "$out/$name.txt"
  grep -v ^digest "$out/$name.txt"
done
echo "== $(uname -m), this machine"
"$out/here/check" > "$out/here.txt"
grep -v ^digest "$out/here.txt"
for name in cortex-a53 cortex-a76 max; do
  diff <(grep ^digest "$out/here.txt") <(grep ^digest "$out/$name.txt") || { echo "$name and this machine differ" >&2; exit 1; }
done
echo "$(grep -c ^digest "$out/here.txt") digests of rounding, packing and products are the same on all of them"
