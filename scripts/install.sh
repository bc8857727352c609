#!/usr/bin/env bash
# install.sh FOLDER: copies bin/carve to FOLDER/bin. It copies those libraries to
# FOLDER/lib/carve that are in the cache, or elsewhere in the home, of the user who built
# carve: FFmpeg's if set-up built them, and ONNX Runtime's. The program looks there first.
# make build wrote their places to bin/libraries.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
to=$1
die() { printf 'install: error: %s\n' "$1" >&2; printf 'install: hint: %s\n' "$2" >&2; exit 1; }
[ -x "$root/bin/carve" ] && [ -e "$root/bin/libraries" ] || die "carve has not been built" "make build, as the user that you are, and then this again"
{ read -r ffmpeg && read -r onnxruntime; } <"$root/bin/libraries"

# put FILE PATH MODE: installs a file atomically. A running program keeps the old file that
# it has open.
put() {
  install -m "$3" "$1" "$2.new" && mv -f "$2.new" "$2"
}

# of_the_system PATH: the path belongs to the system, so the library is not copied.
of_the_system() {
  case $1 in /usr/* | /lib/* | /lib64/* | /opt/*) return 0 ;; esac
  [ -z "$1" ]
}

writable() { mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; }
for folder in bin lib/carve share/doc/carve; do
  writable "$to/$folder" || die "$to/$folder cannot be written" "sudo make install, or make install PREFIX=\$HOME/.local"
done
find "$to/lib/carve" -name 'lib*.so*' -delete
if ! of_the_system "$ffmpeg"; then
  # By the names that programs link against, such as libavcodec.so.61.
  for library in "$ffmpeg"/lib*.so.*; do
    case ${library##*.so.} in *.*) ;; *) put "$library" "$to/lib/carve/${library##*/}" 644 ;; esac
  done
fi
of_the_system "$onnxruntime" || put "$onnxruntime" "$to/lib/carve/libonnxruntime.so" 644
put "$root/bin/carve" "$to/bin/carve" 755
put "$root/LICENSE" "$to/share/doc/carve/LICENSE" 644
put "$root/README.md" "$to/share/doc/carve/README.md" 644

printf 'installed %s/bin/carve' "$to"
rmdir "$to/lib/carve" 2>/dev/null || printf ', and in %s/lib/carve the libraries that it needs' "$to"
printf '\n'
case ":$PATH:" in *":$to/bin:"*) ;; *) printf '%s/bin is not in your PATH\n' "$to" ;; esac
