# shellcheck shell=bash
# The Go toolchain: the system's if it is new enough for go.mod, else the version in
# go.mod, from Go's module proxy.

go_bin=

# go_wanted prints the full version from go.mod.
go_wanted() {
  local version
  version=$(sed -n 's/^go \(1\.[0-9.]*\).*/\1/p' "$root/go.mod")
  case $version in *.*.*) ;; *) version=$version.0 ;; esac
  echo "$version"
}

# go_new_enough GO: this toolchain can build the module without fetching another one.
go_new_enough() {
  local have want
  have=$(cd / && GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  have=${have#go1.}
  have=${have%%[!0-9]*}
  want=$(go_wanted)
  want=${want#1.}
  [ "${have:-0}" -ge "${want%%.*}" ]
}

# find_go looks for a toolchain of the system, then in the cache.
find_go() {
  local go dir
  for go in "$(command -v go || true)" /usr/local/go/bin/go; do
    if [ -x "$go" ] && go_new_enough "$go"; then
      [ "$go" = "$(command -v go || true)" ] || go_bin=$(dirname "$go")
      return
    fi
  done
  dir=$cache/go/$(go_wanted)/bin
  [ -x "$dir/go" ] && go_bin=$dir
}

plan_go() {
  find_go && return
  [ "$kernel" = Linux ] || { lack go; return; }
  command -v curl >/dev/null || lack curl
  command -v unzip >/dev/null || lack unzip
  lack_certificates
}

setup_go() {
  find_go && return
  [ -z "$offline" ] || die "Go $(go_wanted) or newer is missing" "run once without --offline"
  local version arch sum base zip work dir
  version=$(go_wanted)
  case $machine in x86_64) arch=amd64 ;; *) arch=arm64 ;; esac
  sum=$(sed -n "s/^$version linux-$arch //p" "$root/scripts/setup/go.sums")
  [ -n "$sum" ] || die "scripts/setup/go.sums has no checksum of Go $version for linux-$arch" "install Go $version or newer"
  # The first entry of GOPROXY, if it is a server.
  base=${GOPROXY:-}
  base=${base%%[,|]*}
  case $base in http://* | https://*) ;; *) base=https://proxy.golang.org ;; esac
  mkdir -p "$cache/go"
  work=$(mktemp -d "$cache/go/fetch.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  zip=$work/go.zip
  say "fetching the Go $version toolchain (70 MB)"
  while_saying 15 fetched "$zip" -- \
    curl -fsSL --retry 3 --connect-timeout 20 -o "$zip" "${base%/}/golang.org/toolchain/@v/v0.0.1-go$version.linux-$arch.zip" ||
    die "the Go $version toolchain could not be fetched from $base" "HTTPS_PROXY and GOPROXY name a way round; or install Go $version or newer"
  [ "$(sha256sum <"$zip" | cut -d' ' -f1)" = "$sum" ] || die "what $base gives as Go $version has another checksum than scripts/setup/go.sums" "install Go $version or newer"
  say "unpacking it"
  unzip -q "$zip" -d "$work"
  dir=$work/golang.org/toolchain@v0.0.1-go$version.linux-$arch
  # A module's zip does not keep the executable bits.
  find "$dir/bin" "$dir/pkg/tool" -type f -exec chmod +x {} +
  rm -rf "${cache:?}/go/$version"
  mv "$dir" "$cache/go/$version"
  rm -rf "$work"
  trap - EXIT
  go_bin=$cache/go/$version/bin
}

fetched() { # fetched FILE
  local size
  size=$(wc -c <"$1" 2>/dev/null || echo 0)
  say "fetching: $((size / 1000000)) MB so far"
}
