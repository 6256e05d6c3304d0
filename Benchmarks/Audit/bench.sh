#!/bin/bash
# Writes a bundle and verifies it, in turn with sha256sum over the same files; the best of three of each counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
entries=${1:-1000000}
bench=${AUDIT_BENCH:-.build/release/audit-bench}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$bench" write "$directory/bundle" "$entries"
du -sb "$directory/bundle" | sed -E 's/^([0-9]+).*/{"step":"size","bytes":\1}/'
for _ in 1 2 3; do
  TIMEFORMAT='{"step":"sha256sum","seconds":"%R","processor_seconds":"%U"}'
  time find "$directory/bundle" -type f -exec sha256sum {} + > /dev/null
  "$bench" verify "$directory/bundle"
done
