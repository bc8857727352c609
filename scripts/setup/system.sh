# shellcheck shell=bash
# Finds out the system and the names of its packages. On systems with apt, packages are
# installed; on others they are named, and set-up continues once they are installed.

kernel= machine= packager= system_name= system_id= system_version=

# identify_system sets the variables above, and ends set-up on an unsupported system.
identify_system() {
  kernel=$(uname -s)
  machine=$(uname -m)
  system_name=$kernel
  if [ "$kernel" = Linux ]; then
    local file=${CARVE_OS_RELEASE:-/etc/os-release} # tests name another
    if [ -r "$file" ]; then
      # shellcheck disable=SC1090
      eval "$(. "$file" && printf 'system_name=%q system_id=%q system_version=%q' "${PRETTY_NAME:-Linux}" "${ID:-}" "${VERSION_ID:-}")"
    fi
  fi
  case $kernel in
    Linux)
      for packager in apt-get dnf pacman zypper none; do
        command -v "$packager" >/dev/null && break
      done
      if [ -e "/lib/ld-musl-$machine.so.1" ] && [ -z "${CARVE_ONNXRUNTIME:-}" ]; then
        die "$system_name is not supported: ONNX Runtime's builds need the GNU C library" \
          "CARVE_ONNXRUNTIME takes a libonnxruntime of your own"
      fi
      ;;
    Darwin) packager=brew ;;
    *) die "$system_name is not supported: carve is built on Linux and macOS" "on Windows, run this in WSL with Ubuntu or Debian" ;;
  esac
  case $machine in
    x86_64 | aarch64 | arm64) ;;
    *) [ -n "${CARVE_ONNXRUNTIME:-}" ] || die "$machine is not supported: no ONNX Runtime is known for it" \
      "CARVE_ONNXRUNTIME takes a libonnxruntime of your own" ;;
  esac
}

# older_than VERSION: the system's version is lower.
older_than() {
  [ -n "$system_version" ] && [ "$(printf '%s\n' "$system_version" "$1" | sort -V | head -n 1)" != "$1" ]
}

# packages_of THING prints the names of the packages on this system.
packages_of() {
  case $packager:$1 in
    brew:cc) echo "gcc" ;; # unless Xcode's tools are there
    *:cc) [ "$packager" = apt-get ] && echo "gcc libc6-dev" || echo gcc ;;
    apt-get:pkg-config | none:pkg-config) echo pkg-config ;;
    dnf:pkg-config) echo pkgconf-pkg-config ;;
    *:pkg-config) echo pkgconf ;;
    dnf:go) echo golang ;;
    *:certificates) echo ca-certificates ;;
    apt-get:ffmpeg)
      echo "ffmpeg libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev"
      [ "$ffmpeg_major" != 7 ] || echo libpostproc-dev
      ;;
    apt-get:ffmpeg-build) echo "$ffmpeg_build_packages" ;;
    dnf:ffmpeg) echo "ffmpeg-free ffmpeg-free-devel" ;;
    zypper:ffmpeg)
      echo "ffmpeg-7 ffmpeg-7-libavcodec-devel ffmpeg-7-libavdevice-devel ffmpeg-7-libavfilter-devel ffmpeg-7-libavformat-devel"
      echo "ffmpeg-7-libavutil-devel ffmpeg-7-libpostproc-devel ffmpeg-7-libswresample-devel ffmpeg-7-libswscale-devel"
      ;;
    brew:ffmpeg) echo ffmpeg@7 ;;
    none:ffmpeg) echo "FFmpeg 7.1 or 8 with its programs and development files" ;;
    none:go) echo "Go $(go_wanted)" ;;
    *) echo "$1" ;;
  esac
}

# lack THING...: adds the packages that are missing.
lack() {
  local thing p
  for thing; do
    if [ "$packager" = none ]; then lacking="$lacking${lacking:+, }$(packages_of "$thing")"; continue; fi
    for p in $(packages_of "$thing"); do
      [ "$packager" = apt-get ] && dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed && continue
      case " $lacking " in *" $p "*) ;; *) lacking="$lacking${lacking:+ }$p" ;; esac
    done
  done
}

lack_certificates() {
  local f
  for f in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    [ ! -e "$f" ] || return 0
  done
  lack certificates
}

plan_tools() {
  local tool
  command -v gcc >/dev/null || command -v cc >/dev/null || lack cc
  for tool in make git pkg-config; do
    command -v "$tool" >/dev/null || lack "$tool"
  done
  [ "$kernel" = Linux ] || return 0
  lack_certificates # Go fetches modules by HTTPS
}

# plan_extras adds packages that are optional.
plan_extras() {
  [ "$packager" = apt-get ] && [ -z "$offline" ] || return 0
  # One test checks every system call of a run; without strace it is skipped.
  if ! command -v strace >/dev/null && { [ -n "$lacking" ] || may_be_root; }; then lack strace; fi
}

# may_be_root: the user is root, or can become root by sudo, perhaps with a password.
may_be_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return
  sudo -n true 2>/dev/null || [ -t 0 ]
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_updated=
apt_update() {
  [ -z "$apt_updated" ] || return 0
  say "apt-get update"
  as_root apt-get -qq update || say "apt-get update had errors; continuing with the existing lists"
  apt_updated=1
}

# install_packages installs missing packages, or names them in one line.
install_packages() {
  [ -n "$lacking" ] || return 0
  [ -z "$offline" ] || die "missing packages: $lacking" "run once without --offline"
  local again="then run this again"
  case $packager in
    apt-get)
      may_be_root || die "root is needed, once, for this: apt-get update && apt-get install --no-install-recommends $lacking" \
        "have that line run as root, $again"
      ;;
    dnf) die "missing packages: $lacking" "sudo dnf install $lacking, $again" ;;
    pacman) die "missing packages: $lacking" "sudo pacman -S --needed $lacking, $again" ;;
    zypper) die "missing packages: $lacking" "sudo zypper install $lacking, $again" ;;
    brew)
      case " $lacking " in
        *" ffmpeg@7 "*) again="then export PKG_CONFIG_PATH=\"\$(brew --prefix ffmpeg@7)/lib/pkgconfig\", $again" ;;
      esac
      die "missing packages: $lacking" "brew install $lacking, $again"
      ;;
    *) die "missing here: $lacking" "$system_name is not one whose packages are known by name: install their equivalents, $again" ;;
  esac
  apt_update
  say "apt-get install $lacking"
  mkdir -p "$cache"
  local log=$cache/apt-get.log
  # shellcheck disable=SC2086
  while_saying 10 apt_progress "$log" -- as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -qq -o APT::Status-Fd=1 install -y --no-install-recommends $lacking >"$log" 2>&1 || {
    grep -vE '^(dl|pm)status:' "$log" | tail -n 10 >&2
    die "apt-get could not install what is missing" "the lines above are its own; $log has them all"
  }
  rm -f "$log"
}

apt_progress() { # apt_progress LOG
  local line
  line=$(grep -E '^(dl|pm)status:' "$1" | tail -n 1 || true)
  case $line in
    dlstatus:*) say "apt-get: fetching, $(echo "$line" | cut -d: -f3 | cut -d. -f1) %" ;;
    pmstatus:*) say "apt-get: installing, $(echo "$line" | sed 's/.*:\([0-9]*\)\.[0-9]*:.*/\1/') %" ;;
  esac
}

# while_saying SECONDS FUNCTION [ARG...] -- COMMAND...: runs the command, and calls the
# function at this interval, so that long work shows progress.
while_saying() {
  local every=$1 report=() ticker status=0
  shift
  while [ "$1" != -- ]; do report+=("$1"); shift; done
  shift
  # The ticker runs in the background, not the command, so that Ctrl-C reaches the command.
  (while sleep "$every" </dev/null >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do "${report[@]}"; done) >&4 2>&4 &
  ticker=$!
  "$@" || status=$?
  { kill "$ticker"; wait "$ticker"; } 2>/dev/null || true
  return $status
}
