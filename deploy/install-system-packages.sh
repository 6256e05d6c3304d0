#!/bin/bash
# Installs the system packages that Weighbridge needs to build, run and be tested on Debian 12: only those that are missing.
# Asks nothing of the network and of no one where all are there.
set -euo pipefail

packages=(
  libssl-dev       # libcrypto: Ed25519, CMS, SHA-256
  libsqlite3-dev   # the store
  libyaml-dev      # configuration and term files
  pkg-config       # how the build finds these
  openssl          # verifies audit bundles without our code
  python3          # the first minute, verify.py
  python3-venv     # make test-clients
  curl
  ca-certificates
)

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "This is no Debian system: install the equivalents of these yourself: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$package" 2> /dev/null || true)
  [[ $state == ii* ]] || missing+=("$package")
done
if (( ${#missing[@]} == 0 )); then exit 0; fi

run=()
if (( EUID != 0 )); then
  if ! command -v sudo > /dev/null; then
    echo "System packages are missing: ${missing[*]}" >&2
    echo "Install them as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  run=(sudo)
fi

echo "Installing system packages: ${missing[*]}"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
