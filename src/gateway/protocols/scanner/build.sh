#!/bin/sh
# Compiles row-scanner.c (Debian: clang, lld) and writes row-scanner-wasm.ts, which is committed: users need no compiler.
set -eu
cd "$(dirname "$0")"
out=$(mktemp)
clang --target=wasm32 -O2 -fno-builtin -nostdlib -Wall -Wl,--no-entry,--import-memory,--stack-first,-z,stack-size=4096,--strip-all -o "$out" row-scanner.c
{
  echo "/** row-scanner.c as WebAssembly, written by build.sh. */"
  printf "export const ROW_SCANNER =\n"
  base64 -w 100 "$out" | sed "s/.*/  '&' +/"
  echo "  '';"
} > row-scanner-wasm.ts
rm -f "$out"
