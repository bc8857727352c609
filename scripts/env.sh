#!/usr/bin/env bash
# Runs a command in the environment that scripts/setup.sh found or installed: the FFmpeg to
# compile against, its programs, and the ONNX Runtime library for the tests.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
env=${CARVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/carve}/build.env
[ -e "$env" ] || { echo "env: error: $env is missing: run scripts/setup.sh first" >&2; exit 1; }
# shellcheck disable=SC1090
. "$env"

# FFmpeg 8 needs another binding, and so another module file.
if [ "${CARVE_FFMPEG:-7}" = 8 ]; then
  export GOFLAGS="${GOFLAGS:-}${GOFLAGS:+ }'-modfile=$root/go.ffmpeg8.mod'"
fi

# Inputs of tests outside the module. Go's test cache does not see them, but it sees the
# environment variables that a test reads. Tests that use these inputs read this variable
# (see internal/golden), and so are run again when the inputs change.
shared=${CARVE_SHARED:-$root/../shared}
if [ ! -d "$shared" ]; then
  inputs=none
elif inputs=$(find -L "$shared/" -type f -printf '%P %s %T@\n' 2>/dev/null); then
  inputs=$(LC_ALL=C sort <<<"$inputs" | cksum)
else
  inputs=$(ls -lnR "$shared/" | cksum) # a find without -printf
fi
export CARVE_TEST_INPUTS="shared: $inputs; strace: $(command -v strace || echo none)"

exec "$@"
