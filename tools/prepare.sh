#!/usr/bin/env bash
# Prepare this machine: Debian packages for real nodes, a virtual environment, the package in it.
# Usage: tools/prepare.sh [extra]    extra: an optional dependency group of pyproject.toml, such as dev
# Everything is asked for by name from the package managers; what is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
extra=${1:-}
venv=${VENV:-.venv}

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# What real nodes need (containers, networks), and what the demo and the tests build their images from.
packages=(containerd crun containernetworking-plugins nftables iproute2 procps util-linux conntrack catatonit haproxy
  busybox-static curl)
[ "$extra" != dev ] || packages+=(etcd-server)
python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
command -v kubectl >/dev/null || packages+=(kubernetes-client)

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing Debian packages: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
    # Debian starts the services that it installs; a cluster starts its own.
    for service in haproxy etcd; do
      [[ " ${missing[*]} " != *" $service"* ]] || [ ! -d /run/systemd/system ] || systemctl disable --quiet --now "$service"
    done
  fi
else
  say "not root on Debian: no system packages are installed, and the nodes will be simulated"
fi

# The environment is remade only when what it is made from has changed.
stamp="$venv/.prepared-$( (cat pyproject.toml; echo "$extra") | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  say "making the virtual environment $venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --upgrade pip
  say "installing pybernetes${extra:+ [$extra]} (a minute or so)"
  "$venv/bin/pip" install --progress-bar off --editable ".${extra:+[$extra]}" | grep -E '^(Collecting|Successfully)' || true
  "$venv/bin/python" -c 'import pybernetes, orjson, uvloop, httptools, grpc'
  touch "$stamp"
fi
