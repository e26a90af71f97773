#!/usr/bin/env bash
# Lay out the root file systems of the demo's two images from Debian's busybox-static.
# Usage: images.sh DIR    makes DIR/busybox and DIR/web
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${1:?usage: images.sh DIR}
busybox=$(command -v busybox) || { echo "busybox is missing: apt-get install busybox-static" >&2; exit 1; }

for image in busybox web; do
  root=$target/$image
  mkdir -p "$root"/{bin,sbin,etc,tmp,root,proc,sys,dev,var,usr/bin,home}
  chmod 1777 "$root/tmp"
  cp "$busybox" "$root/bin/busybox"
  for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -sf /bin/busybox "$root/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnobody:x:65534:\n' >"$root/etc/group"
done
cp "$here/web/entry.sh" "$target/web/entry.sh"
