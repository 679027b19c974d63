#!/bin/sh
# Holds the namespaces of a cluster on this machine for as long as it runs: network, in which only loopback is up, and
# mounts, in which names of nodes resolve. All of it vanishes with the last process inside.
#   keeper.sh <folder of the cluster> [flags of unshare]
# The folder holds the files `hosts` and `resolv.conf`; `ready` is made there once all is in place.
folder=$1
shift
exec unshare "$@" --net --mount --propagation private sh -ec '
  mount -t tmpfs tmpfs /run
  mkdir /run/netns
  mount --bind "$1/hosts" /etc/hosts
  # Where names are asked for elsewhere the answer would never come.
  if [ -e /etc/resolv.conf ]; then mount --bind "$1/resolv.conf" /etc/resolv.conf; fi
  ip link set lo up
  : >"$1/ready"
  while :; do sleep 3600; done
' sh "$folder"
