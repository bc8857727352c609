#!/usr/bin/env bash
# Makes a machine able to build, run and test carve. Idempotent: it says what
# it does, and does nothing (in well under three seconds) when nothing is
# missing. Everything but distribution packages goes into the cache:
#
#   ${CARVE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/carve}
#     build.env        what scripts/env.sh exports to compilers and tests
#     ffmpeg-7.1/      FFmpeg, when the distribution has no 7.x
#     onnxruntime-*/   ONNX Runtime's shared library
#     go/              a Go toolchain, when the distribution's is too old
#
# System libraries are never upgraded across releases: FFmpeg 7.1 comes from
# a pkg-config that already matches, else from the distribution if it has
# 7.x, else from Debian 13's source package, fetched through a private apt
# state that the system's own lists never see.
#
# With --offline nothing is fetched; what is missing is an error.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${CARVE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/carve}
offline=${CARVE_OFFLINE:-}
[ "${1:-}" = --offline ] && offline=1

# FFmpeg 7.x is what go-astiav v0.39.0 binds: libavcodec 61.
avcodec_major=61
ffmpeg_recipe=1 # raise to rebuild FFmpeg in every cache

# onnxruntime-node is the only package of a public registry that carries the
# bare CPU library; the binding accepts any library at least as new as itself.
ort_version=1.30.0
ort_sha256_x64=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23
ort_sha256_arm64=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'setup: hint: %s\n' "$2" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "root is needed for: $*" "install sudo, or run that command as root"
  fi
}

apt_updated=
apt_update() {
  [ -z "$apt_updated" ] || return 0
  say "apt-get update"
  as_root apt-get -qq update || say "apt-get update had errors; going on with the lists there are"
  apt_updated=1
}

apt_install() {
  [ -z "$offline" ] || die "missing packages: $*" "run once without --offline"
  command -v apt-get >/dev/null || die "missing packages: $*" "only apt is known here; install their equivalents by hand"
  apt_update
  say "apt-get install $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

# need COMMAND PACKAGE...: the packages are installed if the command is missing.
need() {
  local command=$1
  shift
  command -v "$command" >/dev/null || apt_install "$@"
}

# ---------------------------------------------------------------------- Go

go_at_least() { # go_at_least GO MINOR
  local have
  have=$("$1" env GOVERSION 2>/dev/null) || return 1
  have=${have#go1.}
  have=${have%%[!0-9]*}
  [ "${have:-0}" -ge "$2" ]
}

go_bin=
setup_go() {
  local want go version
  want=$(sed -n 's/^go 1\.\([0-9]*\).*/\1/p' "$root/go.mod")
  version=$(sed -n 's/^go \(1\.[0-9.]*\).*/\1/p' "$root/go.mod")
  case $version in *.*.*) ;; *) version=$version.0 ;; esac
  go=$(command -v go || true)
  if [ -n "$go" ] && (cd / && GOTOOLCHAIN=local go_at_least "$go" "$want"); then return; fi
  if [ -x "$cache/go/$version/bin/go" ]; then go_bin=$cache/go/$version/bin; return; fi
  [ -n "$go" ] || { apt_install golang-go; go=$(command -v go || echo /usr/lib/go/bin/go); }
  if (cd / && GOTOOLCHAIN=local go_at_least "$go" "$want"); then return; fi
  # Go's own module proxy serves toolchains as a module, checked by the
  # checksum database; any older Go can fetch one.
  local arch dir
  arch=$("$go" env GOARCH)
  say "fetching the Go $version toolchain"
  [ -z "$offline" ] || die "Go 1.$want or newer is missing" "run once without --offline"
  local tmp
  tmp=$(mktemp -d)
  dir=$(cd "$tmp" && printf 'module fetch\n' >go.mod && GOFLAGS=-modcacherw GOMODCACHE=$tmp/mod GOTOOLCHAIN=local \
    "$go" mod download -json "golang.org/toolchain@v0.0.1-go$version.linux-$arch" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  [ -d "$dir" ] || die "the Go $version toolchain could not be fetched" "install Go 1.$want or newer"
  mkdir -p "$cache/go"
  rm -rf "$cache/go/$version"
  mv "$dir" "$cache/go/$version"
  # The module zip does not keep the executable bits.
  find "$cache/go/$version/bin" "$cache/go/$version/pkg/tool" -type f -exec chmod +x {} +
  rm -rf "$tmp"
  go_bin=$cache/go/$version/bin
}

# ------------------------------------------------------------------ FFmpeg

av_modules="libavcodec libavdevice libavfilter libavformat libavutil libpostproc libswresample libswscale"

# av_matches [DIR]: pkg-config (with DIR first in its path) finds FFmpeg 7.x.
av_matches() {
  # shellcheck disable=SC2086
  PKG_CONFIG_PATH=${1:-}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} pkg-config --exists $av_modules \
    "libavcodec >= $avcodec_major" "libavcodec < $((avcodec_major + 1))" 2>/dev/null
}

distribution_has_ffmpeg7() {
  command -v apt-cache >/dev/null || return 1
  [ -n "$offline" ] || apt_update
  local policy
  policy=$(apt-cache policy libavcodec-dev 2>/dev/null)
  [[ $policy == *"Candidate: 7:7."* ]]
}

pkg_config_path=
ffmpeg_bin=
setup_ffmpeg() {
  if av_matches; then
    # Found by way of the environment it must be found without it as well.
    [ -z "${PKG_CONFIG_PATH:-}" ] || pkg_config_path=$(pkg-config --variable=pcfiledir libavcodec)
    ffmpeg_bin=$(pkg-config --variable=prefix libavcodec)/bin
    [ -x "$ffmpeg_bin/ffprobe" ] || apt_install ffmpeg
    [ -x "$ffmpeg_bin/ffprobe" ] || die "FFmpeg's libraries are there, its programs ffmpeg and ffprobe are not in $ffmpeg_bin" "install the programs of the same build"
    return
  fi
  local prefix=$cache/ffmpeg-7.1
  if [ "$(cat "$prefix/.recipe" 2>/dev/null)" != "$ffmpeg_recipe" ]; then
    if distribution_has_ffmpeg7; then
      apt_install ffmpeg libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libpostproc-dev libswresample-dev libswscale-dev
      av_matches || die "the distribution's FFmpeg 7.x was installed and pkg-config does not find it"
      ffmpeg_bin=$(pkg-config --variable=prefix libavcodec)/bin
      return
    fi
    build_ffmpeg "$prefix"
  fi
  pkg_config_path=$prefix/lib/pkgconfig
  ffmpeg_bin=$prefix/bin
  av_matches "$pkg_config_path" || die "the FFmpeg in $prefix is damaged" "remove that folder and run this again"
}

# The URI and keyring of the system's own Debian stanza: "URI KEYRING".
debian_stanza() {
  local f
  for f in /etc/apt/sources.list.d/*.sources; do
    [ -e "$f" ] || continue
    awk -v RS= '/(^|\n)Types:[^\n]*deb/ && /(^|\n)Components:[^\n]*main/ && !/security/ && !/(^|\n)Enabled: *no/ {
      uri = ""; key = ""
      n = split($0, line, "\n")
      for (i = 1; i <= n; i++) {
        if (line[i] ~ /^URIs:/) { split(line[i], w, /[ \t]+/); uri = w[2] }
        if (line[i] ~ /^Signed-By:/) { split(line[i], w, /[ \t]+/); key = w[2] }
      }
      if (uri ~ /debian/) print uri, key
    }' "$f"
  done | head -n 1
  for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$f" ] || continue
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*debian[^ ]*\)  *[a-z]*  *.*main.*/\2 /p' "$f" | grep -v security || true
  done | head -n 1
}

build_ffmpeg() { # build_ffmpeg PREFIX
  local prefix=$1 work uri key log stanza
  [ -z "$offline" ] || die "FFmpeg 7.x is missing" "run once without --offline"
  stanza=$(debian_stanza | head -n 1)
  uri=${stanza%% *}
  key=${stanza#* }
  [ -n "$uri" ] || die "no FFmpeg 7.x here, and no Debian archive among apt's sources to build it from" \
    "install FFmpeg 7.x with its development files, so that pkg-config finds libavcodec $avcodec_major"
  [ -n "$key" ] || key=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -e "$key" ] || die "the Debian archive's keyring $key is missing" "apt-get install debian-archive-keyring"
  say "this distribution has no FFmpeg 7.x: building it from Debian 13's source into $prefix (about 6 minutes on 2 cores, once)"
  apt_install gcc make nasm pkg-config dpkg-dev xz-utils zlib1g-dev libx264-dev libx265-dev libvpx-dev libdav1d-dev \
    libssl-dev libsrt-openssl-dev libva-dev libdrm-dev

  mkdir -p "$cache"
  work=$(mktemp -d "$cache/ffmpeg-build.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  mkdir -p "$work"/{lists/partial,archives/partial,src}
  cat >"$work/trixie.sources" <<SOURCES
Types: deb deb-src
URIs: $uri
Suites: trixie
Components: main
Signed-By: $key
SOURCES
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/trixie.sources" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::archives=$work/archives"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
  say "fetching the source (signed index, private apt state)"
  "${apt[@]}" update
  # apt has checked the hashes against the signed index; dpkg-source would only
  # repeat that it lacks the uploader's own key.
  (cd "$work/src" && "${apt[@]}" source --download-only ffmpeg 2>/dev/null && dpkg-source --no-copy -x ffmpeg_*.dsc tree >/dev/null 2>&1) ||
    die "the source package of FFmpeg could not be fetched" "look at what apt-get says of $uri"
  # The headers of the NVIDIA codecs are older on Debian 12 than FFmpeg wants;
  # they are headers only, so Debian 13's package is unpacked beside the source.
  (cd "$work/src" && "${apt[@]}" download libffmpeg-nvenc-dev && dpkg-deb -x libffmpeg-nvenc-dev_*.deb nv)
  find "$work/src/nv" -name ffnvcodec.pc -exec sed -i "s|^prefix=.*|prefix=$work/src/nv/usr|" {} +
  local nv_pc
  nv_pc=$(dirname "$(find "$work/src/nv" -name ffnvcodec.pc | head -n 1)")

  log=$cache/ffmpeg-build.log
  say "configuring (log: $log)"
  cd "$work/src/tree"
  PKG_CONFIG_PATH=$nv_pc ./configure --prefix="$prefix" --enable-rpath --enable-shared --disable-static \
    --disable-doc --disable-ffplay --disable-debug --enable-gpl --enable-version3 \
    --enable-libx264 --enable-libx265 --enable-libvpx --enable-libdav1d --enable-openssl --enable-libsrt \
    --enable-zlib --enable-vaapi --enable-ffnvcodec --enable-nvenc --enable-nvdec --enable-cuvid \
    >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "configuring FFmpeg failed (log: $log)"; }
  local total done_n last=-1 pct
  total=$(make -n 2>/dev/null | grep -cE 'printf "(CC|X86ASM|AS|LD)\\t' || true)
  make -j"$(nproc)" >>"$log" 2>&1 &
  local job=$!
  while kill -0 $job 2>/dev/null; do
    done_n=$(grep -cE '^(CC|X86ASM|AS|LD)[[:space:]]' "$log" || true)
    pct=$((total > 0 ? done_n * 100 / total : 0))
    if [ $((pct / 10)) -ne "$last" ]; then last=$((pct / 10)); say "building FFmpeg: $done_n of $total files"; fi
    sleep 2
  done
  wait $job || { tail -n 20 "$log" >&2; die "building FFmpeg failed (log: $log)"; }
  # Installed under a staging root and moved in whole, so that a broken-off
  # set-up leaves no half FFmpeg behind.
  make install DESTDIR="$work/stage" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "installing FFmpeg failed (log: $log)"; }
  cd "$root"
  rm -rf "$prefix"
  mkdir -p "$(dirname "$prefix")"
  mv "$work/stage$prefix" "$prefix"
  rm -rf "$work"
  trap - EXIT
  echo "$ffmpeg_recipe" >"$prefix/.recipe"
  say "FFmpeg is in $prefix"
}

# ------------------------------------------------------------ ONNX Runtime

ort_lib=
setup_onnxruntime() {
  if [ -n "${CARVE_ONNXRUNTIME:-}" ]; then
    [ -e "$CARVE_ONNXRUNTIME" ] || die "CARVE_ONNXRUNTIME names $CARVE_ONNXRUNTIME, which does not exist"
    ort_lib=$CARVE_ONNXRUNTIME
    return
  fi
  # One on the system, if it is new enough for the binding: its file name says
  # its version.
  local f v
  for f in /usr/lib/*/libonnxruntime.so.1.* /usr/lib/libonnxruntime.so.1.* /usr/local/lib/libonnxruntime.so.1.*; do
    [ -e "$f" ] || continue
    v=${f##*.so.1.}
    v=${v%%.*}
    if [ "$v" -ge "${ort_version#1.}" ] 2>/dev/null || [ "$v" -ge 29 ] 2>/dev/null; then ort_lib=$f; return; fi
  done
  local arch want dir
  case $(uname -m) in
    x86_64) arch=x64 want=$ort_sha256_x64 ;;
    aarch64) arch=arm64 want=$ort_sha256_arm64 ;;
    *) die "no ONNX Runtime is known for $(uname -m)" "set CARVE_ONNXRUNTIME to a libonnxruntime of your own" ;;
  esac
  dir=$cache/onnxruntime-$ort_version
  ort_lib=$dir/libonnxruntime.so
  [ -e "$ort_lib" ] && return
  [ -z "$offline" ] || die "ONNX Runtime is missing" "run once without --offline, or set CARVE_ONNXRUNTIME"
  need npm npm
  say "fetching ONNX Runtime $ort_version (npm package onnxruntime-node)"
  mkdir -p "$cache"
  local tmp got
  tmp=$(mktemp -d "$cache/onnxruntime.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$tmp'" EXIT
  (cd "$tmp" && npm pack --silent "onnxruntime-node@$ort_version" >/dev/null) || die "onnxruntime-node $ort_version could not be fetched" "set CARVE_ONNXRUNTIME to a libonnxruntime of your own"
  mkdir "$tmp/lib"
  tar -xzf "$tmp"/onnxruntime-node-*.tgz -C "$tmp" --wildcards "package/bin/napi-*/linux/$arch/libonnxruntime.so.1"
  f=$(find "$tmp/package" -name libonnxruntime.so.1)
  got=$(sha256sum "$f" | cut -d' ' -f1)
  [ "$got" = "$want" ] || die "ONNX Runtime's library has sha256 $got, not the pinned $want" "the package has changed: do not use it"
  mv "$f" "$tmp/lib/libonnxruntime.so"
  rm -rf "$dir"
  mv "$tmp/lib" "$dir"
  rm -rf "$tmp"
  trap - EXIT
  say "ONNX Runtime is in $dir"
}

# --------------------------------------------------------------------- main

need gcc gcc libc6-dev
need make make
need git git
need pkg-config pkg-config
# One test looks at every system call of a run; without strace it is skipped.
[ -n "$offline" ] || need strace strace
setup_go
setup_ffmpeg
setup_onnxruntime

mkdir -p "$cache"
{
  echo "export CARVE_CACHE='$cache'"
  if [ -n "$pkg_config_path" ]; then
    echo "export PKG_CONFIG_PATH='$pkg_config_path'\${PKG_CONFIG_PATH:+:\$PKG_CONFIG_PATH}"
    # The rpath lets the binary run from anywhere without LD_LIBRARY_PATH.
    echo "export CGO_LDFLAGS=\"\${CGO_LDFLAGS:--O2 -g} -Wl,-rpath,${pkg_config_path%/pkgconfig}\""
  fi
  echo "export PATH='$ffmpeg_bin':\$PATH"
  # After FFmpeg's: that may be /usr/bin, where the distribution's old Go lies.
  [ -z "$go_bin" ] || echo "export PATH='$go_bin':\$PATH"
  echo "export CARVE_BUILD_ONNXRUNTIME='$ort_lib'"
} >"$cache/build.env.new"
if cmp -s "$cache/build.env.new" "$cache/build.env"; then rm "$cache/build.env.new"; else mv "$cache/build.env.new" "$cache/build.env"; fi
