#!/bin/sh
# Compiles forest-kernel.c (Debian: clang, lld) and writes forest-kernel.ts, which is committed: users need no compiler.
set -eu
cd "$(dirname "$0")"
out=$(mktemp)
clang --target=wasm32 -O3 -fno-builtin -nostdlib -Wl,--no-entry,--import-memory,--stack-first,-z,stack-size=16384,--strip-all -o "$out" forest-kernel.c
{
  echo "/** forest-kernel.c as WebAssembly, written by build.sh. */"
  printf "export const FOREST_KERNEL =\n"
  base64 -w 100 "$out" | sed "s/.*/  '&' +/"
  echo "  '';"
} > forest-kernel.ts
rm -f "$out"
