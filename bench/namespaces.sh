# shellcheck shell=bash
# Sourced by scripts that need hosts of their own: network namespaces, a folder ($work) and processes (pids) that end with the
# script. Every name carries the script's process number, so that several may run beside each other, and only what this
# run has made is taken away.
PATH="$PATH:/usr/sbin:/sbin"
work=$(mktemp -d)
pids=() made=()

finish_namespaces() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for ns in "${made[@]}"; do ip netns del "$ns" 2>/dev/null || true; done
  if [ -n "${keep_work:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish_namespaces EXIT

hosts() { # VARIABLE…: a host for each, whose namespace the variable then names
  local variable
  for variable; do
    printf -v "$variable" 'nl%s-%s' "${variable,,}" $$
    ip netns add "${!variable}"
    made+=("${!variable}")
    ip -n "${!variable}" link set lo up
  done
}
wire() { ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"; } # HOST DEVICE HOST DEVICE
# Without offloads a capture holds the packets that a wire would have.
bare() { ip netns exec "$1" ethtool -K "$2" tso off gso off gro off "${@:3}" >/dev/null 2>&1 || true; } # HOST DEVICE [more]
plug() { # HOST DEVICE ADDRESS/LENGTH
  ip -n "$1" addr add "$3" dev "$2"; ip -n "$1" link set "$2" up
  bare "$1" "$2"
}
lossy_path() { # NET PERCENT [route options]: C (10.NET.0.1) and S (10.NET.1.2), both on `to-r`, and a router that loses packets each way
  local net=$1 loss=$2; shift 2
  hosts C R S
  wire "$C" to-r "$R" to-c; wire "$S" to-r "$R" to-s
  plug "$C" to-r "10.$net.0.1/24"; plug "$R" to-c "10.$net.0.254/24"
  plug "$S" to-r "10.$net.1.2/24"; plug "$R" to-s "10.$net.1.254/24"
  ip -n "$C" route add default via "10.$net.0.254" "$@"; ip -n "$S" route add default via "10.$net.1.254" "$@"
  ip netns exec "$R" sysctl -qw net.ipv4.ip_forward=1
  ip netns exec "$R" nft "add table ip nl; add chain ip nl f { type filter hook forward priority 0; }; add rule ip nl f numgen random mod 100 < $loss drop"
}
