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

artifacts() {
  keep status.json understudy status "${stack}" --json
  keep kms-plugin.log understudy logs kms-plugin "${stack}" --lines 1000
}

if [[ "${KMS_VERSION:-v2}" != v2 ]]; then
  echo "KMS_VERSION is ${KMS_VERSION}: the plugin speaks v2 of the KMS API alone" >&2
  exit 2
fi

# Steps get this file as KUBECONFIG. One of another cluster would have the tests run there, and is not ours to replace.
kubeconfig="${SHARED_DIR}/kubeconfig"
if [[ -s "${kubeconfig}" ]] && ! grep -qxF "current-context: understudy-${stack}" "${kubeconfig}"; then
  echo "${kubeconfig} is of another cluster: use this step in a job without one" >&2
  exit 2
fi

trap artifacts EXIT
understudy up "${stack}"
(
  umask 077
  understudy kubeconfig "${stack}" >"${kubeconfig}.new"
)
mv "${kubeconfig}.new" "${kubeconfig}"
for file in kms-plugin-socket-path kms-plugin-namespace kms-plugin-version; do
  printf '%s: %s\n' "${file}" "$(<"${SHARED_DIR}/${file}")"
done
