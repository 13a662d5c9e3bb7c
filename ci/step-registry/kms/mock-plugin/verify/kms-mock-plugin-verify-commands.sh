#!/bin/bash
set -euo pipefail

: "${SHARED_DIR:?is the folder in which steps leave files for each other}"
stack="${UNDERSTUDY_STACK:-local}"

understudy() { node "${UNDERSTUDY_DIR:-/opt/understudy}/cli/understudy.js" "$@"; }

# Keeps what a command says among the artifacts, whatever comes of it.
keep() {
  [[ -n "${ARTIFACT_DIR:-}" ]] || return 0
  local file="$1"
  shift
  "$@" >"${ARTIFACT_DIR}/${file}" 2>&1 || true
}

for file in kms-plugin-socket-path kms-plugin-namespace kms-plugin-version; do
  if [[ ! -s "${SHARED_DIR}/${file}" ]]; then
    echo "${SHARED_DIR}/${file} is missing: run kms-mock-plugin-deploy before this step" >&2
    exit 1
  fi
done

namespace="$(<"${SHARED_DIR}/kms-plugin-namespace")"
socket="$(<"${SHARED_DIR}/kms-plugin-socket-path")"
kubectl() { understudy kubectl --stack "${stack}" --namespace "${namespace}" "$@"; }

artifacts() {
  keep status.json understudy status "${stack}" --json
  keep verify.json understudy verify "${stack}" --json
  keep plugin-pods.txt kubectl get pods --selector app=kms-plugin --output wide
  keep kms-plugin.log understudy logs kms-plugin "${stack}" --lines 1000
  keep kube-apiserver-operator.log understudy logs kube-apiserver-operator "${stack}" --lines 1000
}
trap artifacts EXIT

kubectl rollout status daemonset/kms-plugin --timeout 2m
served="$(kubectl get daemonset kms-plugin --output 'jsonpath={.spec.template.spec.containers[*].args}')"
if [[ "${served}" != *"unix://${socket}\""* ]]; then
  echo "the plugin does not serve at ${socket}: its flags are ${served}" >&2
  exit 1
fi
understudy status "${stack}"
understudy verify "${stack}"
