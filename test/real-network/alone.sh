#!/bin/sh
# Runs a command in a network namespace of its own, in which only loopback exists, multicast included: nothing that the
# command sends reaches the machine's interfaces. Root inside, so it may make further namespaces and veth pairs.
exec unshare --map-root-user --net --mount sh -ec '
  ip link set lo up
  ip link set lo multicast on
  ip route add 224.0.0.0/4 dev lo
  exec "$@"
' sh "$@"
