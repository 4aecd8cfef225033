#!/usr/bin/env bash
# Does `netlens live` keep up with a flood of small packets? tcpreplay sends 60-octet packets over a veth pair as fast as it is told
# (or can); what netlens captured, what it says was dropped, and what the interface received must add up. As root; needs
# tcpreplay, python3, tcpdump for comparison.
#   bench/flood.sh [packets a second, or top] [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."
pps=${1:-400000} seconds=${2:-5}
. bench/namespaces.sh
hosts A B
wire "$A" h-a "$B" h-b
for end in "$A h-a" "$B h-b"; do
  set -- $end
  ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
  ip -n "$1" link set "$2" up
done
# 100 000 datagrams of 18 octets between 200 hosts of 192.0.2.0/24 and 198.51.100.0/24, addressed to nobody's hardware address.
python3 - "$work/small.pcap" <<'P'
import struct, sys
def total(data): s = sum(struct.unpack(f"!{len(data)//2}H", data)); s = (s & 0xffff) + (s >> 16); return ~((s & 0xffff) + (s >> 16)) & 0xffff
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for i in range(100000):
        ip = bytearray(struct.pack("!BBHHHBBH4s4s", 0x45, 0, 46, i & 0xffff, 0, 64, 17, 0, bytes([192, 0, 2, i % 200]), bytes([198, 51, 100, i // 200 % 200])))
        ip[10:12] = struct.pack("!H", total(bytes(ip)))
        packet = bytes.fromhex("02000000ffff0200000000010800") + bytes(ip) + struct.pack("!HHHH", 1024 + i % 5000, 9, 26, 0) + b"%018d" % i
        f.write(struct.pack("<IIII", i // 400000, i % 400000, len(packet), len(packet)) + packet)
P
if [ "$pps" = top ]; then rate=(--topspeed) loops=$((5 * seconds)); else rate=(--pps="$pps" --pps-multi=100) loops=$((pps * seconds / 100000)); fi
wrong=0
counter() { ip netns exec $B cat /sys/class/net/h-b/statistics/rx_packets; }
# A flood from outside does not wait until the machine that it hits has time for it.
ahead=(); chrt -f 20 true 2>/dev/null && ahead=(chrt -f 20)
flood() { ip netns exec $A "${ahead[@]}" tcpreplay -q --preload-pcap "${rate[@]}" --loop="$loops" -i h-a "$work/small.pcap" 2>&1 | grep -E 'Actual|Rated' | tr '\n' ' '; }
# run LABEL COMMAND…: captures while the flood comes; the program ends with an interrupt.
run() {
  local label=$1 before after; shift
  ip netns exec $B "$@" >"$work/out" 2>"$work/err" & local pid=$!; pids+=($pid)
  sleep 2
  before=$(counter)
  echo "== $label"
  flood; echo
  after=$(counter)
  sleep 1
  # Under a flood that goes on it would never end; here the rest comes out of the kernel's buffer.
  kill -INT $pid; wait $pid || true
  local said; said=$(tail -3 "$work/err" | tr '\n' ' ')
  echo "   the interface received $((after - before)); it says: $said"
  if [[ $said =~ ([0-9]+)' captured, '([0-9]+)' received, '([0-9]+)' dropped' ]]; then
    # Nothing may be missing without being said.
    [ $((BASH_REMATCH[1] + BASH_REMATCH[3])) = $((after - before)) ] || { echo "   which does not add up"; wrong=1; }
  fi
}
netlens=(node dist/netlens.js live h-b)
echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
run 'netlens live -w capture.pcap' "${netlens[@]}" -w "$work/flood.pcap"
echo "   $(((($(stat -c %s "$work/flood.pcap") - 24)) / 76)) packets in the file"
rm -f "$work/flood.pcap"
run 'netlens live -w capture.pcapng -B 256M' "${netlens[@]}" -B 256M -w "$work/flood.pcapng"
rm -f "$work/flood.pcapng"
run 'netlens live, lines to a file' "${netlens[@]}"
echo "   $(wc -l <"$work/out") lines"
run 'netlens live -q' "${netlens[@]}" -q
if command -v tcpdump >/dev/null; then run 'tcpdump -w (for comparison)' tcpdump -Z root -B 65536 -i h-b -w "$work/tcpdump.pcap"; rm -f "$work/tcpdump.pcap"; fi
exit $wrong
