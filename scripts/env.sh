#!/usr/bin/env bash
# Runs a command with what scripts/setup.sh found or installed: the FFmpeg to
# compile against, its programs, and the ONNX Runtime library for the tests.
set -euo pipefail
env=${CARVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/carve}/build.env
[ -e "$env" ] || { echo "env: error: $env is missing: run scripts/setup.sh first" >&2; exit 1; }
# shellcheck disable=SC1090
. "$env"
exec "$@"
