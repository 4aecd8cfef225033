#!/usr/bin/env bash
# Times netlens beside tcpdump and tshark on one capture, each in a process of its own, one after the other, and prints
# seconds, ratios and peak memory.
#
#     bench/run.sh [CAPTURE]     without one, bench/record-traffic.sh records it (as root)
#
# Needs python3. RUNS (3) is how often each is run: the fastest counts. SLOW=no leaves tshark's JSON out, which takes minutes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH="$PATH:/usr/sbin:/sbin"
runs=${RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
capture=${1:-}
if [ -z "$capture" ]; then
  capture=$work/traffic.pcap
  "$here/record-traffic.sh" "$capture"
fi
(cd "$here/.." && node scripts/build.mjs --fast)
netlens=(node "$here/../dist/netlens.js" read)

# name, then the command; the fastest of the runs goes into $work/name as "seconds cpu kilobytes lines".
measure() {
  local name=$1 times=$2 best='' i
  shift 2
  for ((i = 0; i < times; i++)); do
    # Output goes through a pipe, as in use; wait4 tells what the process took.
    python3 - "$work/lines" "$@" >"$work/one" <<'PY'
import os, resource, subprocess, sys, time
began = time.monotonic()
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
lines = 0
while True:
    # As much as a pipe holds: a larger buffer is made anew for each piece, which takes longer than the reading.
    piece = os.read(process.stdout.fileno(), 1 << 16)
    if not piece:
        break
    lines += piece.count(b'\n')
_, status, usage = os.wait4(process.pid, 0)
print(f'{time.monotonic() - began:.3f} {usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss} {lines} {status}')
PY
    if [ -z "$best" ] || awk -v a="$(cut -d' ' -f1 "$work/one")" -v b="$best" 'BEGIN { exit !(a < b) }'; then
      best=$(cut -d' ' -f1 "$work/one")
      cp "$work/one" "$work/$name"
    fi
  done
  awk -v name="$name" '{ printf "%-14s %9.2f s  %9.2f s of CPU  %7.0f MB  %9d lines%s\n", name, $1, $2, $3 / 1024, $4, $5 == 0 ? "" : "  (failed)" }' "$work/$name"
}
seconds() { cut -d' ' -f1 "$work/$1"; }
ratio() { awk -v a="$(seconds "$2")" -v b="$(seconds "$3")" -v what="$1" 'BEGIN { printf "%-44s %8.2f\n", what, a / b }'; }

echo "machine:  $(nproc) x $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo), load $(cut -d' ' -f1-3 /proc/loadavg)"
echo "versions: node $(node -v), netlens $(node "$here/../dist/netlens.js" --version), $(tcpdump --version 2>&1 | head -n 1), $(tshark --version 2>/dev/null | head -n 1)"
echo "capture:  $(stat -Lc %s "$capture" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
echo
# Into the page cache, so that the first one is not the one that waits for the disk.
cat "$capture" >/dev/null
measure netlens "$runs" "${netlens[@]}" "$capture"
measure netlens-json "$runs" "${netlens[@]}" "$capture" --json
# Commands that look at all frames and show few or none.
few='tcp.flags.syn == 1 && ip.dst == 10.77.0.2'
measure netlens-copy "$runs" "${netlens[@]}" "$capture" -f 'tcp port 6379' -w /dev/null
measure netlens-few "$runs" "${netlens[@]}" "$capture" -Y "$few"
has_tcpdump=no; has_tshark=no
if command -v tcpdump >/dev/null; then
  has_tcpdump=yes
  measure tcpdump "$runs" tcpdump -nr "$capture"
  measure tcpdump-copy "$runs" tcpdump -nr "$capture" -w /dev/null 'tcp port 6379'
fi
if command -v tshark >/dev/null; then
  has_tshark=yes
  measure tshark 1 tshark -nr "$capture"
  measure tshark-few 1 tshark -nr "$capture" -Y "$few"
  [ "${SLOW:-yes}" = no ] || measure tshark-ek 1 tshark -nr "$capture" -T ek
fi
echo
frames=$(cut -d' ' -f4 "$work/netlens-json")
awk -v n="$frames" -v a="$(seconds netlens)" -v b="$(seconds netlens-json)" 'BEGIN { printf "netlens: %.0f lines and %.0f JSON objects a second, of %d frames\n", n / a, n / b, n }'
if [ $has_tcpdump = yes ]; then
  ratio 'time of netlens / time of tcpdump' netlens tcpdump
  ratio 'the same, copying with -f and -w' netlens-copy tcpdump-copy
fi
if [ $has_tshark = yes ]; then
  ratio 'time of tshark / time of netlens' tshark netlens
  ratio 'the same, selecting with -Y' tshark-few netlens-few
  [ ! -e "$work/tshark-ek" ] || ratio 'time of tshark -T ek / time of netlens --json' tshark-ek netlens-json
fi
