# shellcheck shell=bash
# FFmpeg 7.x or 8.x: one that pkg-config finds, else the distribution's, else 7.1 built from
# Debian 13's source package. That is fetched with a private apt state, separate from the
# system's lists. Libraries of the system are never upgraded across releases.

ffmpeg_recipe=3 # raise to rebuild FFmpeg in every cache
# For AV1 it uses libaom: SVT-AV1 1.4 of Debian 12 hangs if it is closed before it got a
# frame.
ffmpeg_build_packages="gcc make nasm pkg-config dpkg-dev xz-utils zlib1g-dev libx264-dev libx265-dev libvpx-dev libdav1d-dev
  libaom-dev libwebp-dev libopus-dev libssl-dev libsrt-openssl-dev libva-dev libdrm-dev"

ffmpeg_major=    # 7 or 8
pkg_config_path= # folder of its .pc files, unless pkg-config searches it by default
ffmpeg_bin=      # folder of its programs
ffmpeg_from=     # distribution or source, if it is still to be installed

# av_matches MAJOR [DIR]: pkg-config (with DIR first in its path) finds all libraries of
# FFmpeg MAJOR.x. FFmpeg 8 has no libpostproc any more.
av_matches() {
  local avcodec=$(($1 + 54)) modules="libavdevice libavfilter libavformat libavutil libswresample libswscale"
  [ "$1" != 7 ] || modules="$modules libpostproc"
  # shellcheck disable=SC2086
  PKG_CONFIG_PATH=${2:-}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH} pkg-config --exists $modules \
    "libavcodec >= $avcodec" "libavcodec < $((avcodec + 1))" 2>/dev/null
}

# find_ffmpeg looks for an FFmpeg that pkg-config finds, then in the cache.
find_ffmpeg() {
  for ffmpeg_major in 7 8; do
    av_matches $ffmpeg_major || continue
    # Found by PKG_CONFIG_PATH, so the folder is noted for later builds without it.
    [ -z "${PKG_CONFIG_PATH:-}" ] || pkg_config_path=$(pkg-config --variable=pcfiledir libavcodec)
    ffmpeg_bin=$(pkg-config --variable=prefix libavcodec)/bin
    return
  done
  ffmpeg_major=
  local prefix=$cache/ffmpeg-7.1
  [ "$(cat "$prefix/.recipe" 2>/dev/null)" = "$ffmpeg_recipe" ] || return
  pkg_config_path=$prefix/lib/pkgconfig
  ffmpeg_bin=$prefix/bin
  ffmpeg_major=7
  ! command -v pkg-config >/dev/null || av_matches 7 "$pkg_config_path" ||
    die "the FFmpeg in $prefix is damaged" "remove that folder and run this again"
}

# candidate prints the major version of FFmpeg that apt would install.
candidate() {
  apt-cache policy libavcodec-dev 2>/dev/null | sed -n 's/^  Candidate: \([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p'
}

# look_into_distribution sets ffmpeg_major to the version of the distribution.
look_into_distribution() {
  ffmpeg_major=$(candidate)
  if [ -z "$ffmpeg_major" ] && [ -z "$offline" ] && may_be_root; then
    apt_update # a new system has no lists yet
    ffmpeg_major=$(candidate)
  fi
  [ -z "$ffmpeg_major" ] || return 0
  case $system_id:$system_version in
    debian:13 | ubuntu:25.*) ffmpeg_major=7 ;;
    ubuntu:26.*) ffmpeg_major=8 ;;
  esac
}

plan_ffmpeg() {
  if find_ffmpeg; then
    [ -x "$ffmpeg_bin/ffprobe" ] && return
    [ "$packager:$ffmpeg_bin" = apt-get:/usr/bin ] ||
      die "FFmpeg's libraries are there, its programs ffmpeg and ffprobe are not in $ffmpeg_bin" "install the programs of the same build"
    lacking="$lacking${lacking:+ }ffmpeg" # the libraries are installed
    return
  fi
  if [ "$packager" != apt-get ]; then
    local other
    other=$(pkg-config --modversion libavcodec 2>/dev/null || true)
    [ -z "$other" ] || say "there is an FFmpeg with libavcodec $other; carve takes 61 (FFmpeg 7) or 62 (FFmpeg 8), with all its libraries"
    lack ffmpeg
    return
  fi
  case $system_id in
    debian) ! older_than 12 || die_too_old "Debian 12" ;;
    ubuntu) ! older_than 22.04 || die_too_old "Ubuntu 22.04" ;;
  esac
  look_into_distribution
  case $ffmpeg_major in
    7 | 8) ffmpeg_from=distribution && lack ffmpeg ;;
    *)
      ffmpeg_from=source ffmpeg_major=7
      lack ffmpeg-build
      ;;
  esac
}

die_too_old() {
  die "$system_name is not supported: FFmpeg 7.1 cannot be built with what it has" \
    "use $1 or newer, or install an FFmpeg 7.1 that pkg-config finds"
}

setup_ffmpeg() {
  case $ffmpeg_from in
    source) build_ffmpeg "$cache/ffmpeg-7.1" ;;
  esac
  find_ffmpeg || die "FFmpeg $ffmpeg_major was installed, and pkg-config does not find it whole" "pkg-config --modversion libavcodec tells what it finds"
  [ -x "$ffmpeg_bin/ffprobe" ] || die "FFmpeg's programs ffmpeg and ffprobe are not in $ffmpeg_bin" "install the programs of the same build"
}

# debian_mirror prints the address of Debian's archive: the one that the system's apt uses,
# else Debian's own. The signature of its index is checked.
debian_mirror() {
  [ -z "${CARVE_DEBIAN_MIRROR:-}" ] || { echo "$CARVE_DEBIAN_MIRROR"; return; }
  local uri=
  if [ "$system_id" = debian ]; then
    uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
      sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' | grep -E '/debian/?$' | head -n 1 || true)
  fi
  echo "${uri:-http://deb.debian.org/debian}"
}

# fetch_source DIR: fetches FFmpeg's source to DIR/src/tree, and the headers of NVIDIA's
# codecs to DIR/src/nv.
fetch_source() {
  local work=$1 uri
  uri=$(debian_mirror)
  mkdir -p "$work"/lists/partial "$work"/archives/partial "$work"/src
  # The key is in the repository, because keyrings of other systems, and of Ubuntu 22.04,
  # do not have that of Debian 13.
  cat >"$work/trixie.sources" <<SOURCES
Types: deb deb-src
URIs: $uri
Suites: trixie
Components: main
Signed-By: $root/scripts/setup/debian-13.asc
SOURCES
  local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/trixie.sources" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::Etc::Preferences=/dev/null" -o "Dir::Etc::PreferencesParts=/dev/null"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache::archives=$work/archives"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
  say "fetching its source from $uri (signed index, private apt state)"
  "${apt[@]}" update || die "the index of Debian's archive at $uri could not be fetched, or its signature is bad" "CARVE_DEBIAN_MIRROR names another"
  # apt has checked the hashes against the signed index. dpkg-source would only warn that
  # it lacks the uploader's key.
  (cd "$work/src" && "${apt[@]}" source --download-only ffmpeg 2>/dev/null && dpkg-source --no-copy -x ffmpeg_*.dsc tree >/dev/null 2>&1) ||
    die "the source package of FFmpeg could not be fetched" "look at what apt-get says of $uri"
  # The headers of the NVIDIA codecs on Debian 12 are too old for FFmpeg. The package has
  # only headers, so that of Debian 13 is unpacked beside the source.
  (cd "$work/src" && "${apt[@]}" download libffmpeg-nvenc-dev && dpkg-deb -x libffmpeg-nvenc-dev_*.deb nv) ||
    die "the headers of NVIDIA's codecs could not be fetched" "look at what apt-get says of $uri"
  find "$work/src/nv" -name ffnvcodec.pc -exec sed -i "s|^prefix=.*|prefix=$work/src/nv/usr|" {} +
}

build_ffmpeg() { # build_ffmpeg PREFIX
  local prefix=$1 work log nv_pc
  [ -z "$offline" ] || die "FFmpeg 7.x is missing" "run once without --offline"
  say "$system_name has no FFmpeg 7 or 8: building 7.1 from Debian 13's source into $prefix (about 6 minutes on 2 cores, once)"
  mkdir -p "$cache"
  work=$(mktemp -d "$cache/ffmpeg-build.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  fetch_source "$work"
  nv_pc=$(dirname "$(find "$work/src/nv" -name ffnvcodec.pc | head -n 1)")

  log=$cache/ffmpeg-build.log
  say "configuring (log: $log)"
  cd "$work/src/tree"
  PKG_CONFIG_PATH=$nv_pc ./configure --prefix="$prefix" --enable-rpath --enable-shared --disable-static \
    --disable-doc --disable-ffplay --disable-debug --enable-gpl --enable-version3 \
    --enable-libx264 --enable-libx265 --enable-libvpx --enable-libdav1d --enable-libaom \
    --enable-libwebp --enable-libopus --enable-openssl --enable-libsrt \
    --enable-zlib --enable-vaapi --enable-ffnvcodec --enable-nvenc --enable-nvdec --enable-cuvid \
    >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "configuring FFmpeg failed (log: $log)"; }
  local total
  total=$(make -n 2>/dev/null | grep -cE 'printf "(CC|X86ASM|AS|LD)\\t' || true)
  while_saying 30 built "$log" "$total" -- make -j"$(nproc)" >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "building FFmpeg failed (log: $log)"; }
  # Installed to a staging folder and then moved, so that an interrupted set-up leaves no
  # incomplete FFmpeg.
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

built() { # built LOG TOTAL
  say "building FFmpeg: $(grep -cE '^(CC|X86ASM|AS|LD)[[:space:]]' "$1" || true) of $2 files"
}
