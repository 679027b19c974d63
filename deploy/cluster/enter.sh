#!/bin/sh
# Entering a namespace leads to its root folder: back to the node's own, then on with the command.
#   enter.sh <folder> <command …>
cd "$1" || exit 1
shift
exec "$@"
