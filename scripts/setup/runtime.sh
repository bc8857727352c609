# shellcheck shell=bash
# ONNX Runtime: the user's, the system's, or one that carve fetches.

ort_lib=

# find_onnxruntime sets ort_lib to the library, or to the path to which carve will fetch it.
find_onnxruntime() {
  if [ -n "${CARVE_ONNXRUNTIME:-}" ]; then
    [ -e "$CARVE_ONNXRUNTIME" ] || die "CARVE_ONNXRUNTIME names $CARVE_ONNXRUNTIME, which does not exist"
    ort_lib=$CARVE_ONNXRUNTIME
    return
  fi
  # The system's, if it is new enough for the binding (1.29). The version is in its file
  # name.
  local f v
  for f in /usr/lib/*/libonnxruntime.so.1.* /usr/lib/libonnxruntime.so.1.* /usr/lib64/libonnxruntime.so.1.* \
    /usr/local/lib/libonnxruntime.so.1.* /usr/local/lib/libonnxruntime.1.*.dylib /opt/homebrew/lib/libonnxruntime.1.*.dylib; do
    [ -e "$f" ] || continue
    v=${f##*libonnxruntime.}
    v=${v#so.}
    v=${v#1.}
    v=${v%%.*}
    if [ "$v" -ge 29 ] 2>/dev/null; then ort_lib=$f; return; fi
  done
  ort_lib=$cache/onnxruntime-$(sed -n 's/^const onnxRuntime = "\(.*\)"/\1/p' "$root/internal/ortdist/builds.go")/libonnxruntime.so
}

plan_onnxruntime() {
  find_onnxruntime
  [ -e "$ort_lib" ] || [ "$kernel" = Linux ] || lack onnxruntime
}

# setup_onnxruntime builds carve to fetch it, so everything else must be installed before.
setup_onnxruntime() {
  [ ! -e "$ort_lib" ] || return 0
  [ -z "$offline" ] || die "ONNX Runtime is missing" "run once without --offline, or set CARVE_ONNXRUNTIME"
  local work got
  work=$(mktemp -d "$cache/setup.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  say "compiling carve, which fetches ONNX Runtime itself (a minute or two, once)"
  began=$SECONDS
  (cd "$root" && while_saying 20 compiled -- scripts/env.sh go build -o "$work/carve" ./cmd/carve)
  say "fetching ONNX Runtime"
  got=$("$root/scripts/env.sh" "$work/carve" runtime pull cpu) || die "carve could not fetch ONNX Runtime" "see above; or set CARVE_ONNXRUNTIME to a libonnxruntime of your own"
  [ "$got" = "$ort_lib" ] || die "ONNX Runtime was put at $got instead of $ort_lib"
  rm -rf "$work"
  trap - EXIT
}

compiled() { say "compiling carve: $((SECONDS - began)) s so far"; }
