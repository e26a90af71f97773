#!/usr/bin/env bash
# From a fresh Debian machine to a running cluster with a Deployment and a Service that answers.
# Usage: sudo ./demo.sh [options of 'pybernetes up']
set -euo pipefail
cd "$(dirname "$0")"
tools/prepare.sh explain
pybernetes=$PWD/.venv/bin/pybernetes
"$pybernetes" up "$@"
KUBECONFIG=$("$pybernetes" status | awk '$1 == "kubeconfig" { print $2 }')
export KUBECONFIG

images=$(mktemp -d)
trap 'rm -rf "$images"' EXIT
examples/demo/images.sh "$images"
"$pybernetes" image build "$images/busybox" --name busybox:1.36 --cmd sh
"$pybernetes" image build "$images/web" --name demo/web:v1 --entrypoint sh /entry.sh --env VERSION=v1

echo
echo '$ kubectl apply -f examples/demo/web.yaml'
kubectl apply -f examples/demo/web.yaml
kubectl rollout status deployment/web --timeout=120s
echo
echo '$ kubectl get nodes,deployments,pods,services -o wide'
kubectl get nodes,deployments,pods,services -o wide

node=$(kubectl get nodes -l '!pybernetes.io/simulated' -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
if [ -n "$node" ]; then
  echo
  echo "\$ curl http://$node:30080/hostname     (six times: the Service spreads requests over its pods)"
  for _ in 1 2 3 4 5 6; do curl --silent --show-error --noproxy '*' --retry 20 --retry-connrefused --retry-delay 1 "http://$node:30080/hostname"; done
fi
cat <<TEXT

The cluster is up. To use it:      export KUBECONFIG=$KUBECONFIG
To stop it, keeping its data:      $pybernetes down
To remove it with all its data:    $pybernetes down --purge
TEXT
