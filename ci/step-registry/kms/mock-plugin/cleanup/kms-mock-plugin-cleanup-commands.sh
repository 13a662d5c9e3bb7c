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

# A broken cluster must not keep the job waiting: whatever asks it ends by itself or is ended.
bounded() { timeout --kill-after 30s "$1" node "${UNDERSTUDY_DIR:-/opt/understudy}/cli/understudy.js" "${@:2}"; }

if bounded 1m kubeconfig "${stack}" --path >/dev/null 2>&1; then
  keep status.json bounded 1m status "${stack}" --json
  for component in kms-plugin kube-apiserver-operator kube-apiserver; do
    keep "${component}.log" bounded 1m logs "${component}" "${stack}" --lines 1000
  done
  if bounded 20m encrypt identity "${stack}" --timeout "${UNDERSTUDY_DECRYPT_TIMEOUT:-10m}"; then
    echo 'everything is stored as plain text: the plugin can go'
  else
    echo "WARNING: stack ${stack} could not be decrypted first; it is removed as a whole all the same" >&2
  fi
else
  echo "stack ${stack} is not up: nothing to decrypt"
fi

understudy down "${stack}"

# Only ours: the kubeconfig of another cluster stays.
kubeconfig="${SHARED_DIR}/kubeconfig"
if [[ -e "${kubeconfig}" ]] && grep -qxF "current-context: understudy-${stack}" "${kubeconfig}"; then rm -f "${kubeconfig}"; fi
rm -f "${kubeconfig}.new"

left=()
for file in kms-plugin-socket-path kms-plugin-namespace kms-plugin-version vault-kms-plugin-image; do
  if [[ -e "${SHARED_DIR}/${file}" ]]; then left+=("${SHARED_DIR}/${file}"); fi
done
if bounded 1m kubeconfig "${stack}" --path >/dev/null 2>&1; then left+=("stack ${stack}"); fi
if ((${#left[@]} > 0)); then
  printf 'still there: %s\n' "${left[@]}" >&2
  exit 1
fi
echo 'nothing is left'
