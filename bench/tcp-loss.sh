#!/usr/bin/env bash
# Does netlens count what was sent again as the kernel does that sent it? fixtures/tcp-loss.sh records uploads over a link that
# loses segments, and what the sender's kernel counts (TcpRetransSegs); both must be equal. As root.
#   bench/tcp-loss.sh [runs]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-5} wrong=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for run in $(seq "$runs"); do
  bash fixtures/tcp-loss.sh "$work"
  kernel=$(cat "$work/tcp-loss.kernel")
  read -r segments counted < <(node dist/netlens.js tcp --json "$work/tcp-loss.pcap" | node -e '
    const { client } = JSON.parse(require("fs").readFileSync(0, "utf8").split("\n")[0]);
    console.log(client.packets, client.retransmissions);')
  echo "run $run: $segments segments; sent again: $kernel by the kernel's count, $counted by netlens"
  [ "$kernel" = "$counted" ] || { wrong=1; [ -z "${KEEP:-}" ] || cp "$work/tcp-loss.pcap" "$KEEP"; }
done
exit $wrong
