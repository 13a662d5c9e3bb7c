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

artifacts() {
  keep status.json understudy status "${stack}" --json
  keep kube-apiserver-operator.log understudy logs kube-apiserver-operator "${stack}" --lines 1000
}

echo "encrypting through KMS $(<"${SHARED_DIR}/kms-plugin-version") plugins in $(<"${SHARED_DIR}/kms-plugin-namespace")"
trap artifacts EXIT
understudy encrypt "${UNDERSTUDY_ENCRYPTION:-KMS}" "${stack}" --timeout "${UNDERSTUDY_TIMEOUT:-30m}"
