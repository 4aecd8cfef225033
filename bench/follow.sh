#!/usr/bin/env bash
# Does `netlens follow --raw` give what was sent? nginx serves a file over 100 connections that lose segments in both directions;
# what netlens puts together for each must have the checksum of the file. As root; needs nginx, curl, nft, tcpdump.
#   bench/follow.sh [connections] [octets] [loss in percent]
set -euo pipefail
cd "$(dirname "$0")/.."
connections=${1:-100} octets=${2:-200000} loss=${3:-3}
C=nlk-c R=nlk-r S=nlk-s # a router between them loses segments, so that those are missing in the capture
work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for ns in $C $R $S; do ip netns del $ns 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
for ns in $C $R $S; do ip netns add $ns; ip -n $ns link set lo up; done
ip link add k-c netns $C type veth peer name k-rc netns $R
ip link add k-s netns $S type veth peer name k-rs netns $R
for end in "$C k-c 10.98.0.1" "$R k-rc 10.98.0.254" "$R k-rs 10.98.1.254" "$S k-s 10.98.1.2"; do
  set -- $end
  ip -n "$1" addr add "$3/24" dev "$2"; ip -n "$1" link set "$2" up
  ip netns exec "$1" ethtool -K "$2" tso off gso off gro off >/dev/null 2>&1 || true
done
ip -n $C route add default via 10.98.0.254; ip -n $S route add default via 10.98.1.254
ip netns exec $R sysctl -qw net.ipv4.ip_forward=1
ip netns exec $R nft "add table ip nl; add chain ip nl f { type filter hook forward priority 0; }; add rule ip nl f numgen random mod 100 < $loss drop"
mkdir "$work/www"
head -c "$octets" /dev/urandom >"$work/www/file"
cat >"$work/nginx.conf" <<N
user root; worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/err.log; events { worker_connections 256; }
http { access_log off; sendfile on; server { listen 10.98.1.2:80; root $work/www; } }
N
ip netns exec $S nginx -c "$work/nginx.conf" & pids+=($!)
ip netns exec $C tcpdump -Z root -B 65536 -U --immediate-mode -i k-c -w "$work/loss.pcap" 'tcp port 80' 2>"$work/td.log" & dump=$!
for _ in $(seq 50); do grep -q 'listening on' "$work/td.log" && break; sleep 0.1; done
want=$(sha256sum <"$work/www/file")
fetched=0
for _ in $(seq "$connections"); do
  got=$(ip netns exec $C curl -s --max-time 60 http://10.98.1.2/file | sha256sum)
  [ "$got" = "$want" ] && fetched=$((fetched + 1))
done
sleep 0.5; kill -INT $dump; wait $dump || true
cp "$work/loss.pcap" "${KEEP:-/dev/null}" 2>/dev/null || true
echo "$connections connections of $octets octets, $loss % loss each way; curl got $fetched whole"
tail -3 "$work/td.log" | tr '\n' ' '; echo
node dist/netlens.js tcp --json "$work/loss.pcap" >"$work/tcp.json"
tail -1 "$work/tcp.json"
same=0
for stream in $(node -e '
  const lines = require("fs").readFileSync(process.argv[1], "utf8").trim().split("\n").map((line) => JSON.parse(line)).filter((r) => r.type === "tcp");
  const sum = (f) => lines.reduce((n, r) => n + f(r.client) + f(r.server), 0);
  console.error(`${lines.length} conversations, ${sum((s) => s.packets)} segments, ${sum((s) => s.retransmissions)} sent again, ${sum((s) => s.missing_bytes)} octets missing`);
  console.log(lines.map((r) => r.stream).join(" "));' "$work/tcp.json"); do
  node dist/netlens.js follow --raw --side server --stream "$stream" "$work/loss.pcap" >"$work/raw"
  # What follows the empty line is the file.
  got=$(node -e 'const b = require("fs").readFileSync(process.argv[1]); process.stdout.write(b.subarray(b.indexOf("\r\n\r\n") + 4))' "$work/raw" | sha256sum)
  if [ "$got" = "$want" ]; then same=$((same + 1)); else echo "conversation $stream differs"; fi
done
echo "$same conversations equal the file"
[ "$same" = "$connections" ]
