#!/usr/bin/env bash
# Prepares a machine to build, run and test carve. It prints what it does. If nothing is
# missing, it does nothing, in well under three seconds. Everything except distribution
# packages goes into the cache:
#
#   ${CARVE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/carve}
#     build.env        the environment that scripts/env.sh sets for compilers and tests
#     ffmpeg-7.1/      FFmpeg, when the distribution has neither 7.x nor 8.x
#     onnxruntime-*/   ONNX Runtime's shared library
#     go/              a Go toolchain, when the system's is too old
#
# It first checks everything. If something is impossible here, or needs root that the user
# does not have, it says so before anything is fetched.
#
#   setup/system.sh    which system this is, and its packages by name
#   setup/go.sh        the Go toolchain
#   setup/ffmpeg.sh    FFmpeg: found, installed, or built
#   setup/runtime.sh   ONNX Runtime
#
# With --offline nothing is fetched; anything missing is an error.
# It must run with bash 3.2, which macOS has.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${CARVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/carve}
offline=${CARVE_OFFLINE:-}
[ "${1:-}" = --offline ] && offline=1

exec 4>&2 # for messages while the output of a command goes to a file
say() { printf 'setup: %s\n' "$*" >&4; }
die() { printf 'setup: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'setup: hint: %s\n' "$2" >&2; exit 1; }

# shellcheck source=setup/system.sh
. "$root/scripts/setup/system.sh"
# shellcheck source=setup/go.sh
. "$root/scripts/setup/go.sh"
# shellcheck source=setup/ffmpeg.sh
. "$root/scripts/setup/ffmpeg.sh"
# shellcheck source=setup/runtime.sh
. "$root/scripts/setup/runtime.sh"

# write_env writes build.env for scripts/env.sh.
write_env() {
  mkdir -p "$cache"
  {
    echo "export CARVE_CACHE='$cache'"
    echo "export CARVE_FFMPEG=$ffmpeg_major"
    if [ -n "$pkg_config_path" ]; then
      echo "export PKG_CONFIG_PATH='$pkg_config_path'\${PKG_CONFIG_PATH:+:\$PKG_CONFIG_PATH}"
      # The rpaths let the binary run from anywhere without LD_LIBRARY_PATH: with the
      # libraries that make install copied, or else with those in the cache. All
      # libraries are linked, used or not: one that only another library needs would be
      # searched in the cache only.
      local lib=${pkg_config_path%/pkgconfig}
      echo "export CGO_LDFLAGS=\"\${CGO_LDFLAGS:--O2 -g} -Wl,--no-as-needed -Wl,-rpath,\\\$ORIGIN/../lib/carve -Wl,-rpath,$lib\""
      # The binding does not link this one. It is only for make build: Go's internal
      # linker, which links small test binaries, has no rpath.
      [ ! -e "$lib/libpostproc.so" ] || echo "export CARVE_BUILD_LDFLAGS='-Wl,--no-as-needed -L$lib -lpostproc'"
    fi
    echo "export PATH='$ffmpeg_bin':\$PATH"
    # Exported after FFmpeg's, so that it precedes /usr/bin, which may have an old Go.
    [ -z "$go_bin" ] || echo "export PATH='$go_bin':\$PATH"
    # This toolchain must not fetch another one.
    echo "export GOTOOLCHAIN=local"
    # The libraries that make install may have to copy.
    echo "export CARVE_BUILD_FFMPEG='${pkg_config_path%/pkgconfig}'"
    echo "export CARVE_BUILD_ONNXRUNTIME='$ort_lib'"
  } >"$cache/build.env.new"
  if cmp -s "$cache/build.env.new" "$cache/build.env"; then rm "$cache/build.env.new"; else mv "$cache/build.env.new" "$cache/build.env"; fi
}

identify_system
lacking= # packages
plan_tools
plan_go
plan_ffmpeg
plan_onnxruntime
plan_extras
install_packages
setup_go
setup_ffmpeg
find_onnxruntime
write_env
setup_onnxruntime
