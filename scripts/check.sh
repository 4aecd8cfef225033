#!/usr/bin/env bash
# Installs what the tests need (through apt, when root), builds, and runs every check and test.
set -euo pipefail
cd "$(dirname "$0")/.."

# Programs that tests run for real, and the packages they come in.
declare -A package=(
  [tshark]=tshark [tcpdump]=tcpdump [ip]=iproute2 [nft]=nftables [ethtool]=ethtool [ping]=iputils-ping
  [redis-server]=redis-server [redis-cli]=redis-tools [nginx]=nginx-light [named]=bind9 [dig]=bind9-dnsutils [curl]=curl
  [arping]=iputils-arping [traceroute]=traceroute [tcpreplay]=tcpreplay [jq]=jq [tmux]=tmux [openssl]=openssl
)
PATH="$PATH:/usr/sbin:/sbin"
missing=()
for program in "${!package[@]}"; do command -v "$program" >/dev/null || missing+=("${package[$program]}"); done
ldconfig -p | grep -q 'libpcap\.so' || missing+=(libpcap0.8)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing: ${missing[*]}"
    apt-get update -qq
    # Daemons that come with the packages are for the tests to start, not for the machine.
    printf '#!/bin/sh\nexit 101\n' >/tmp/policy-rc.$$ && chmod +x /tmp/policy-rc.$$
    [ -e /usr/sbin/policy-rc.d ] || { mv /tmp/policy-rc.$$ /usr/sbin/policy-rc.d && trap 'rm -f /usr/sbin/policy-rc.d' EXIT; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "not installed, so the tests that need them are skipped: ${missing[*]} (as root, this script installs them)" >&2
  fi
fi

[ -d node_modules/vitest ] || npm install --no-fund --no-audit
npm run --silent build
npm run --silent types
npm run --silent lint
npm run --silent dead
# Without npm, whose messages would come last.
node_modules/.bin/vitest run --reporter=default --reporter=./scripts/closing-line.mjs
