#!/bin/sh
# Run the driver for every real node of a cluster, until Ctrl-C: run.sh SHARED_FOLDER [DATA_FOLDER_OF_THE_CLUSTER]
set -eu
shared=$(realpath -m "$1"); data=$(realpath "${2:-$HOME/.pybernetes}")
here=$(dirname "$(realpath "$0")")
mkdir -p "$shared"
trap 'kill 0' INT TERM
for node in "$data"/nodes/*; do
  name=$(basename "$node")
  agent=$(cat "$data/run/$name.agent.pid" 2>/dev/null || pgrep -f "nodes/$name/containerd.toml" | head -1)
  nsenter --target "$agent" --mount "${PYTHON:-python3}" "$here/driver.py" \
    --node "$name" --kubelet "$node/kubelet" --root "$shared" &
done
wait
