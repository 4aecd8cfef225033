#!/usr/bin/env bash
# Does `netlens follow --raw` give what was sent? nginx serves a file over 100 connections that lose segments in both directions;
# what netlens puts together for each must have the checksum of the file. Then a redis-server hands its whole data set out (as
# to a replica, with SYNC) to redis-cli --rdb, five times; there the dump must be equal. As root; needs nginx, curl, redis, nft, tcpdump.
#   bench/follow.sh [connections] [octets] [loss in percent]
set -euo pipefail
cd "$(dirname "$0")/.."
connections=${1:-100} octets=${2:-200000} loss=${3:-3}
. bench/namespaces.sh
lossy_path 98 "$loss" # a router loses segments, so that those are missing in the capture
mkdir "$work/www"
head -c "$octets" /dev/urandom >"$work/www/file"
cat >"$work/nginx.conf" <<N
user root; worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/err.log; events { worker_connections 256; }
http { access_log off; sendfile on; server { listen 10.98.1.2:80; root $work/www; } }
N
ip netns exec $S nginx -c "$work/nginx.conf" & pids+=($!)
capture() { # FILE FILTER
  ip netns exec $C tcpdump -Z root -B 65536 -U --immediate-mode -i to-r -w "$1" "$2" 2>"$work/td.log" & dump=$!
  for _ in $(seq 50); do grep -q 'listening on' "$work/td.log" && break; sleep 0.1; done
}
captured() { sleep 0.5; kill -INT $dump; wait $dump || true; tail -3 "$work/td.log" | tr '\n' ' '; echo; }
streams() { # FILE: the numbers of its TCP conversations; what was lost goes to standard error
  node dist/netlens.js tcp --json "$1" | node -e '
    const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").map((line) => JSON.parse(line)).filter((r) => r.type === "tcp");
    const sum = (f) => lines.reduce((n, r) => n + f(r.client) + f(r.server), 0);
    console.error(`${lines.length} conversations, ${sum((s) => s.packets)} segments, ${sum((s) => s.retransmissions)} sent again, ${sum((s) => s.missing_bytes)} octets missing`);
    console.log(lines.map((r) => r.stream).join(" "));'
}
capture "$work/loss.pcap" 'tcp port 80'
want=$(sha256sum <"$work/www/file")
fetched=0
for _ in $(seq "$connections"); do
  got=$(ip netns exec $C curl -s --max-time 60 http://10.98.1.2/file | sha256sum)
  [ "$got" = "$want" ] && fetched=$((fetched + 1))
done
echo "$connections connections of $octets octets, $loss % loss each way; curl got $fetched whole"
captured
cp "$work/loss.pcap" "${KEEP:-/dev/null}" 2>/dev/null || true
same=0
for stream in $(streams "$work/loss.pcap"); do
  node dist/netlens.js follow --raw --side server --stream "$stream" "$work/loss.pcap" >"$work/raw"
  # What follows the empty line is the file.
  got=$(node -e 'const b = require("fs").readFileSync(process.argv[1]); process.stdout.write(b.subarray(b.indexOf("\r\n\r\n") + 4))' "$work/raw" | sha256sum)
  if [ "$got" = "$want" ]; then same=$((same + 1)); else echo "conversation $stream differs"; fi
done
echo "$same conversations equal the file"

dumps=5
ip netns exec $S redis-server --bind 10.98.1.2 --port 6379 --save '' --appendonly no --protected-mode no --enable-debug-command yes \
  --repl-diskless-sync-delay 0 --dir "$work" >"$work/redis.log" & pids+=($!)
for _ in $(seq 50); do ip netns exec $S redis-cli -h 10.98.1.2 PING >/dev/null 2>&1 && break; sleep 0.1; done
ip netns exec $S redis-cli -h 10.98.1.2 DEBUG POPULATE 20000 key 100 >/dev/null
capture "$work/redis.pcap" 'tcp port 6379'
for i in $(seq $dumps); do
  ip netns exec $S redis-cli -h 10.98.1.2 SET dump "$i" >/dev/null
  ip netns exec $C redis-cli -h 10.98.1.2 --rdb "$work/dump$i.rdb" >/dev/null 2>&1
done
echo "$dumps dumps of about $(stat -c %s "$work/dump1.rdb") octets"
captured
equal=0 i=0
for stream in $(streams "$work/redis.pcap"); do
  i=$((i + 1))
  node dist/netlens.js follow --raw --side server --stream "$stream" "$work/redis.pcap" >"$work/raw"
  # The dump stands behind `$LENGTH` or, when the server did not know how long it would be, between `$EOF:MARK` and the mark.
  got=$(node -e '
    const b = require("fs").readFileSync(process.argv[1]);
    const [head, mark, length] = /\$(?:EOF:(.{40})|(\d+))\r\n(?=REDIS)/.exec(b.toString("latin1"));
    const from = b.indexOf(head, 0, "latin1") + head.length;
    process.stdout.write(b.subarray(from, mark === undefined ? from + Number(length) : b.indexOf(mark, from, "latin1")));' "$work/raw" | sha256sum)
  if [ "$got" = "$(sha256sum <"$work/dump$i.rdb")" ]; then equal=$((equal + 1)); else echo "conversation $stream differs"; fi
done
echo "$equal conversations hold the dump"
[ "$same" = "$connections" ] && [ "$equal" = "$dumps" ]
