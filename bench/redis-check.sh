#!/usr/bin/env bash
# Does `netlens redis` tell what happened? A client that writes down all that it asks and is told (redis-client.py) sends random
# commands to a redis-server over a link that loses packets; every command must be found with its name, key, arguments and
# reply, and with the latency that the client saw. As root; needs redis-server, python3, nft, tcpdump.
#   bench/redis-check.sh [commands] [loss in percent, each way] [seed]
set -euo pipefail
cd "$(dirname "$0")/.."
commands=${1:-50000} loss=${2:-1} seed=${3:-1}
. bench/namespaces.sh
# A router loses packets, so that those are missing in the capture. What is lost is sent again soon: this is about what is
# lost, not about waiting.
lossy_path 97 "$loss" rto_min 10ms
# Server and client go before all else where they may: this is not about how busy the machine is.
ahead=(); chrt -r 60 true 2>/dev/null && ahead=(chrt -r 60)
ip netns exec $S "${ahead[@]}" redis-server --bind 10.97.1.2 --port 6379 --save '' --appendonly no --protected-mode no --dir "$work" >"$work/redis.log" & pids+=($!)
for _ in $(seq 50); do ip netns exec $S bash -c 'exec 3<>/dev/tcp/10.97.1.2/6379' 2>/dev/null && break; sleep 0.1; done
ip netns exec $C tcpdump -Z root -B 65536 -U --immediate-mode -i to-r -w "$work/redis.pcap" 'tcp port 6379' 2>"$work/td.log" & dump=$!
pids+=($dump)
for _ in $(seq 50); do grep -q 'listening on' "$work/td.log" && break; sleep 0.1; done
ip netns exec $C "${ahead[@]}" python3 bench/redis-client.py 10.97.1.2 6379 "$commands" "$work/log.json" "$seed"
sleep 0.3; kill -INT $dump; wait $dump || true
[ -z "${KEEP:-}" ] || cp "$work/redis.pcap" "$work/log.json" "$KEEP"
tail -3 "$work/td.log" | tr '\n' ' '; echo
node dist/netlens.js tcp --json "$work/redis.pcap" | node -e '
  const sides = require("fs").readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line)).filter((r) => r.type === "tcp").flatMap((r) => [r.client, r.server]);
  const sum = (f) => sides.reduce((n, s) => n + f(s), 0);
  console.log(`${sum((s) => s.packets)} segments, ${sum((s) => s.retransmissions)} sent again, ${sum((s) => s.missing_bytes)} octets missing; loss set to '"$loss"' % each way`);'
node dist/netlens.js redis --json "$work/redis.pcap" >"$work/netlens.json"
node bench/redis-compare.mjs "$work/log.json" "$work/netlens.json"
