#!/bin/sh
# What runs in a node's place, in the node's folder: the start-up command of one's own first, if there is one, then the node.
#   start.sh <script, or nothing> <the node's command …>
# The script is given the node's command as its arguments. It may end, then the node is started; it may become the node
# (exec "$@"), or be something else that goes on. If it fails, that is noted, and the place stays for a look.
cd "$CLUSTER_LIFE" || exit 1
script=$1
shift
echo "--- started $(date +%H:%M:%S)"
if [ -n "$script" ]; then
  "$script" "$@"
  code=$?
  if [ "$code" -ne 0 ]; then
    echo "start-up command $script failed with exit code $code; the place of the node stays for a look" >&2
    echo "$code" >failed.new && mv failed.new failed
    while :; do sleep 3600; done
  fi
fi
exec "$@"
