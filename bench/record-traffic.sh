#!/usr/bin/env bash
# Records real traffic between two hosts made of network namespaces: web, Redis, DNS and bulk transfers over a slow,
# lossy link. As root:
#
#     bench/record-traffic.sh OUT.pcap
#
# Needs iproute2, nftables, ethtool, tcpdump, nginx, redis-server, redis-benchmark, named, dnsperf, wrk, curl, iperf3 and ping; what
# is missing is left out. BULK (300M) is how much iperf3 sends, SECONDS_EACH (6) how long the others talk.
set -euo pipefail
out=${1:?usage: record-traffic.sh OUT.pcap}
bulk=${BULK:-300M}
each=${SECONDS_EACH:-6}
. "$(dirname "$0")/namespaces.sh"
chmod 755 "$work"

at() { ip netns exec "$@"; }
has() { command -v "$1" >/dev/null || { echo "not installed, left out: $1" >&2; return 1; }; }
serve() { at "$server" "$@" >"$work/$1.log" 2>&1 & pids+=($!); }

hosts client server
wire "$client" c0 "$server" s0
ip -n "$client" addr add 198.51.100.1/24 dev c0
ip -n "$server" addr add 198.51.100.2/24 dev s0
for end in "$client c0" "$server s0"; do
  read -r host device <<<"$end"
  ip -n "$host" link set "$device" up
  bare "$host" "$device" tx off rx off
  # Of a thousand packets that arrive three are lost, after the capture has seen them.
  at "$host" nft "add table ip loss; add chain ip loss in { type filter hook prerouting priority -300; }; add rule ip loss in meta l4proto { tcp, udp } numgen random mod 1000 < 3 drop"
done
at "$server" tc qdisc add dev s0 root tbf rate 800mbit burst 256kb latency 20ms

mkdir "$work/www"
for n in $(seq 50); do seq $((n * 40)) >"$work/www/$n.txt"; done
head -c 300000 /dev/urandom >"$work/www/large.bin"

if has nginx; then
  cat >"$work/nginx.conf" <<CONF
daemon off; user root; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx-error.log;
events { worker_connections 1024; }
http { access_log off; gzip on; gzip_types text/plain; server { listen 198.51.100.2:80; root $work/www; } }
CONF
  serve nginx -c "$work/nginx.conf"
fi
if has redis-server; then serve redis-server --bind 198.51.100.2 --save '' --protected-mode no --dir "$work"; fi
if has named; then
  {
    printf '$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 198.51.100.2\n'
    for n in $(seq 400); do printf 'h%d A 192.0.2.%d\nh%d AAAA 2001:db8::%x\n' "$n" $((n % 254 + 1)) "$n" "$n"; done
  } >"$work/zone"
  cat >"$work/named.conf" <<CONF
options { directory "$work"; listen-on { 198.51.100.2; }; listen-on-v6 { none; }; recursion no; pid-file none; session-keyfile none; };
controls {};
zone "example.test" { type primary; file "$work/zone"; };
CONF
  serve named -f -c "$work/named.conf"
fi
if has iperf3; then serve iperf3 -s -B 198.51.100.2; fi

at "$client" tcpdump -i c0 -B 262144 -Z root -w "$out" 2>"$work/tcpdump.log" &
tcpdump=$!
sleep 1.5

talks=()
if has dnsperf; then
  for n in $(seq 400); do printf 'h%d.example.test A\nh%d.example.test AAAA\nnot%d.example.test A\n' "$n" "$n" "$n"; done >"$work/questions"
  at "$client" dnsperf -s 198.51.100.2 -d "$work/questions" -l "$each" -Q 20000 >/dev/null 2>&1 & talks+=($!)
fi
if has redis-benchmark; then
  at "$client" redis-benchmark -h 198.51.100.2 -n $((each * 25000)) -c 40 -P 4 -t set,get,lpush,incr,hset -q >/dev/null 2>&1 & talks+=($!)
fi
if has wrk; then at "$client" wrk -t1 -c60 -d"${each}s" http://198.51.100.2/20.txt >/dev/null 2>&1 & talks+=($!); fi
if has curl; then
  at "$client" bash -c 'for n in $(seq 400); do curl -s -o /dev/null "http://198.51.100.2/$((n % 50 + 1)).txt"; done; curl -s -o /dev/null http://198.51.100.2/large.bin' & talks+=($!)
fi
for pid in "${talks[@]}"; do wait "$pid" || true; done
if has iperf3; then at "$client" iperf3 -c 198.51.100.2 -n "$bulk" -P 4 >/dev/null 2>&1 || true; fi
if has ping; then at "$client" ping -q -c 5 -i 0.2 198.51.100.2 >/dev/null || true; fi
sleep 1
kill -INT "$tcpdump"
wait "$tcpdump" || true
cat "$work/tcpdump.log" >&2
