#!/usr/bin/env bash
# Does `netlens http` tell what was asked and answered? curl and wrk ask nginx over a link that loses segments in both
# directions: on kept connections, pipelined, chunked, compressed, aborted, over HTTP/1 and HTTP/2. Each line of nginx's access
# log has to be a line of netlens (method, path, status, octets of the body), and each body written by --save the file served.
# As root; needs nginx, curl, wrk, nft, tcpdump, and uses h2load if
# it is there.
#   bench/http-check.sh [requests of curl] [seconds of wrk] [loss in percent]
set -euo pipefail
cd "$(dirname "$0")/.."
requests=${1:-2000} seconds=${2:-2} loss=${3:-1}
keep_work=${KEEP:-}
. bench/namespaces.sh
hosts C S
wire "$C" h-c "$S" h-s
plug "$C" h-c 10.97.0.1/24; plug "$S" h-s 10.97.0.2/24
# What the server sends is lost before the capture, what the client sends behind it.
if [ "$loss" != 0 ]; then
  for hook in input output; do
    ip netns exec $S nft "add table ip nl; add chain ip nl $hook { type filter hook $hook priority 0; }; add rule ip nl $hook oif != lo numgen random mod 100 < $loss drop" 2>/dev/null ||
      ip netns exec $S nft "add table ip nl; add chain ip nl $hook { type filter hook $hook priority 0; }; add rule ip nl $hook numgen random mod 100 < $loss drop"
  done
fi
mkdir "$work/www"
head -c 100 /dev/urandom >"$work/www/tiny.bin"
head -c 300000 /dev/urandom >"$work/www/large.bin"
head -c 2000000 /dev/urandom >"$work/www/slow.bin"
seq 1 3000 >"$work/www/numbers.txt"
seq 1 40 >"$work/www/few.txt"
chmod -R a+rX "$work"
cat >"$work/nginx.conf" <<N
user root; worker_processes 2; daemon off; pid $work/nginx.pid; error_log $work/err.log; events { worker_connections 512; }
http {
  log_format check '\$connection\t\$connection_requests\t\$remote_port\t\$request_method\t\$request_uri\t\$status\t\$body_bytes_sent\t\$server_protocol';
  access_log $work/access.log check; keepalive_requests 1000000; client_body_temp_path $work/a; proxy_temp_path $work/b;
  fastcgi_temp_path $work/c; uwsgi_temp_path $work/d; scgi_temp_path $work/e; types { text/plain txt; } gzip_types text/plain; gzip_min_length 1;
  server { listen 10.97.0.2:80; listen 10.97.0.2:8080 http2; root $work/www; gzip on;
    location /old { return 301 /few.txt; } location /echo { return 200 "thanks"; } location /none { return 204; }
    location = /slow.bin { limit_rate 200k; } } }
N
ip netns exec $S nginx -c "$work/nginx.conf" & pids+=($!)
ip netns exec $C tcpdump -Z root -i h-c -B 65536 -w "$work/http.pcap" 'tcp' 2>"$work/td.log" & dump=$!
for _ in $(seq 100); do grep -q 'listening on' "$work/td.log" && [ -s "$work/nginx.pid" ] && break; sleep 0.05; done
c() { ip netns exec $C "$@"; }
base=http://10.97.0.2
batch() { # a connection with many requests
  local url=$1 out=() i; shift
  for i in 1 2 3 4; do out+=(-o /dev/null "$url/tiny.bin?$RANDOM" -o /dev/null "$url/numbers.txt?$RANDOM" -o /dev/null "$url/missing?$RANDOM" -o /dev/null "$url/few.txt?$RANDOM" -o /dev/null "$url/old?$RANDOM"); done
  c curl -s "$@" "${out[@]}" || true
}
for ((n = 0; n < requests; n += 40)); do
  batch $base
  case $((n / 40 % 8)) in
    0) batch $base --compressed ;;                                       # chunked, and compressed
    1) batch $base -I ;;
    2 | 3) for path in tiny.bin numbers.txt missing few.txt old large.bin; do
      c curl -s -o /dev/null --compressed --http2-prior-knowledge "$base:8080/$path?$n" || true
    done ;;
    4) batch $base -0 ;;                                                 # a connection each
    5) batch $base -r 10-40 ;;
    6) for i in $(seq 10); do c curl -s -o /dev/null -d "a=$i" "$base/echo?$i" -o /dev/null "$base/none?$i" || true; done ;;
    7) for i in $(seq 3); do c curl -s -o /dev/null -m 0.4 "$base/slow.bin?$n" || true; c curl -s -o /dev/null "$base/large.bin?$n" || true; done ;; # aborted
  esac
done
cat >"$work/pipeline.lua" <<'L'
init = function(args)
  local r = {}
  for i = 1, 8 do r[i] = wrk.format("GET", ({ "/tiny.bin", "/few.txt", "/missing", "/numbers.txt" })[i % 4 + 1] .. "?p" .. i) end
  all = table.concat(r)
end
request = function() return all end
L
c wrk -t 2 -c 4 -d "${seconds}s" "$base/few.txt?w" >"$work/wrk.log" 2>&1 || true
c wrk -t 2 -c 4 -d "${seconds}s" -s "$work/pipeline.lua" "$base" >>"$work/wrk.log" 2>&1 || true
if command -v h2load >/dev/null; then # streams side by side
  c h2load -n "$requests" -c 3 -m 10 -H 'accept-encoding: gzip' "$base:8080"/{tiny.bin,few.txt,missing,numbers.txt,large.bin}'?s' >>"$work/wrk.log" 2>&1 || true
fi
sleep 1
kill -INT $dump; wait $dump || true
kill -QUIT "$(cat "$work/nginx.pid")"; sleep 0.5
grep -E 'dropped by kernel' "$work/td.log"
node dist/netlens.js http --json --save "$work/bodies" "$work/http.pcap" >"$work/http.json"
node bench/http-check.mjs "$work"
