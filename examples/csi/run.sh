#!/bin/sh
# Run the driver for every real node of a cluster, inside its mounts, until Ctrl-C:
#   run.sh SHARED_FOLDER DATA_FOLDER_OF_THE_CLUSTER
set -eu
shared=$(realpath -m "$1"); data=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
mkdir -p "$shared"
children=
trap 'kill $children' INT TERM
for node in "$data"/nodes/*; do
  containerd=$(pgrep -f "containerd --config $node/containerd.toml" | head -1)
  nsenter --target "$containerd" --mount "${PYTHON:-python3}" "$here/driver.py" \
    --node "$(basename "$node")" --kubelet "$node/kubelet" --root "$shared" &
  children="$children $!"
done
wait
