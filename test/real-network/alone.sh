#!/bin/sh
# Runs a command in namespaces of its own (network, mounts, processes), in which only loopback is up, multicast included:
# nothing that the command sends reaches the machine's interfaces. Root inside, so it may make hosts and bridges (see
# test/support/lan.ts); all of it vanishes when the command ends, and so does every process that it started.
root=
[ "$(id -u)" -eq 0 ] || root=--map-root-user
exec unshare $root --net --mount --propagation private --pid --fork --kill-child --mount-proc sh -ec '
  mount -t tmpfs tmpfs /run
  mkdir /run/netns
  ip link set lo up
  ip link set lo multicast on
  ip route add 224.0.0.0/4 dev lo
  exec "$@"
' sh "$@"
