#!/usr/bin/env bash
# An image that stands in for the public base image of Node where there is no registry: `base-image.sh TAG NODE [PROGRAM…]`. It
# holds that Node, the programs named by their paths, the libraries they want, and busybox for everything else: a shell, and
# the user 1000. No npm. A second's work.
set -euo pipefail
tag=$1 node=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,lib64,etc,tmp,proc,sys,dev,run,usr/bin,usr/local/bin,home}
chmod 1777 "$root/tmp"
install -m 755 "$node" "$root/usr/local/bin/node"
install -m 755 "$(command -v busybox)" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do
  [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
done
ln -s /bin/env "$root/usr/bin/env"
for program in "$@"; do install -D -m 755 "$program" "$root$program"; done
# Of what is linked statically, as busybox should be, ldd says so and fails.
for program in "$node" "$root/bin/busybox" "$@"; do ldd "$program" 2>/dev/null | grep -oE '/[^ ]+' || true; done | sort -u | while read -r library; do
  install -D -m 755 "$(readlink -f "$library")" "$root$library"
done
printf '%s:/bin/sh\n' root:x:0:0::/ node:x:1000:1000::/home >"$root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
chown 1000:1000 "$root/home"
tar -C "$root" -c . | docker import --change 'CMD ["node"]' \
  --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' - "$tag"
