#!/usr/bin/env bash
# Runs a command with a Docker engine of its own, and leaves nothing behind: `test/containers/engine.sh COMMAND…`, as root. The
# engine, its bridges, packet filter rules and multicast live in a network namespace that nobody else sees, its files in a
# tmpfs; all of it vanishes when the command ends. It has no registry, so an image is there that stands in for the public base
# image (base-image.sh), and compose.yaml is told to build of what this checkout holds (deploy/prebuilt.mjs). In the command's
# environment are DOCKER_HOST and COMPOSE, the words that call compose. Fails, and says why, where no engine can be had; then the
# exit code is 69. Node must be on PATH, as under npm.
set -euo pipefail

readonly UNAVAILABLE=69
readonly PACKAGES='docker.io docker-compose iproute2 iptables busybox-static util-linux'
readonly FOLDER=/run/engine
readonly PREBUILT=/run/prebuilt
readonly STEPS_MAX=300
readonly STEP_SECONDS=0.1

cannot() {
  printf 'no Docker engine can be had: %s\n' "$*" >&2
  exit "$UNAVAILABLE"
}

check() {
  [ "$(id -u)" -eq 0 ] || cannot 'it takes root'
  local program
  for program in dockerd docker ip iptables busybox unshare nsenter; do
    command -v "$program" >/dev/null || cannot "$program is not installed (apt-get install $PACKAGES)"
  done
  docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null ||
    cannot "neither docker compose nor docker-compose is installed (apt-get install $PACKAGES)"
}

# Outside: namespaces, in which this script runs again.
enter() {
  check
  exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc \
    env RHIZOME_ENGINE_INSIDE=1 bash "$0" "$@"
}

start() {
  mount -t tmpfs tmpfs /run
  mkdir -p /run/netns "$FOLDER"
  ip link set lo up
  export DOCKER_HOST=unix://$FOLDER/docker.sock
  dockerd --host "$DOCKER_HOST" --data-root "$FOLDER/data" --exec-root "$FOLDER/exec" --pidfile "$FOLDER/pid" \
    --bip 172.31.255.1/24 --default-address-pool base=172.30.0.0/16,size=24 --log-level warn >"$FOLDER/log" 2>&1 &
  engine=$!
  trap stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  local step
  for ((step = 0; step < STEPS_MAX; step++)); do
    docker version >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep "$STEP_SECONDS"
  done
  tail -20 "$FOLDER/log" >&2
  cannot 'dockerd did not start (its last lines are above)'
}

# In order: one that is killed leaves its children behind.
stop() {
  local status=$? containers step
  trap - EXIT INT TERM
  containers=$(docker ps -aq 2>/dev/null) || true
  [ -z "$containers" ] || docker rm -fv $containers >/dev/null 2>&1 || true
  kill -TERM "$engine" 2>/dev/null || true
  for ((step = 0; step < STEPS_MAX; step++)); do
    kill -0 "$engine" 2>/dev/null || break
    sleep "$STEP_SECONDS"
  done
  exit "$status"
}

if [ -z "${RHIZOME_ENGINE_INSIDE:-}" ]; then
  [ $# -gt 0 ] || { printf 'usage: %s COMMAND…\n' "$0" >&2; exit 2; }
  enter "$@"
fi
unset RHIZOME_ENGINE_INSIDE
start
if docker compose version >/dev/null 2>&1; then export COMPOSE='docker compose'; else export COMPOSE=docker-compose; fi
"$(dirname "$0")/base-image.sh" node:24-bookworm-slim "$(node -p process.execPath)" >/dev/null
node "$(dirname "$0")/../../deploy/prebuilt.mjs" "$PREBUILT"
export IMAGE_CONTEXT=$PREBUILT IMAGE_TARGET=prebuilt
"$@"
