#!/usr/bin/env bash
# Times and memory of the commands that list TCP conversations, one after the other: netlens, tcptrace, tshark.
#   bench/tcp.sh capture.pcap            also on a flood of 400 000 SYNs that nobody answers
set -euo pipefail
cd "$(dirname "$0")/.."
capture=${1:?which capture?}
flood=$(mktemp --suffix=.pcap)
trap 'rm -f "$flood"' EXIT
python3 bench/syn-flood.py 400000 "$flood"
measure() { # label, command…
  local label=$1; shift
  command -v "$1" >/dev/null || { printf '  %-34s not installed\n' "$label"; return; }
  /usr/bin/time -f "  $(printf '%-34s' "$label") %e s  %U s user  %S s system  %M kB" "$@" >/dev/null 2> >(tail -1 >&2)
}
for file in "$capture" "$flood"; do
  cat "$file" >/dev/null # into the page cache
  echo "$(basename "$file"): $(stat -c %s "$file") octets"
  for _ in 1 2 3; do measure 'netlens tcp' node dist/netlens.js tcp "$file"; done
  for _ in 1 2 3; do measure 'tcptrace -n -l' tcptrace -n -l "$file"; done
  measure 'tshark -q -z conv,tcp' tshark -n -q -z conv,tcp -r "$file"
done
