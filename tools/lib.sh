# Shared by ./dev and the scripts in tools/. Sourced, never run.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${TROUPE_CACHE:-/var/cache/troupe}
JOBS=${JOBS:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

wrong_usage() {
  say "error: $*"
  exit 2
}
# need_value OPTION [VALUE]: for options that take one.
need_value() { [ $# -ge 2 ] || wrong_usage "$1 needs a value"; }
# need_number LEAST OPTION [VALUE]: for those whose value is a whole number, LEAST or more.
need_number() {
  need_value "${@:2}"
  [[ $3 =~ ^(0|[1-9][0-9]{0,17})$ ]] && [ "$3" -ge "$1" ] ||
    wrong_usage "$2 $3: expected a whole number from $1 on"
}

# Runs a command whose output matters only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

need_root() { [ "$(id -u)" = 0 ] || die "this needs root (namespaces, mounts): run it as root"; }

# install_packages PACKAGE...: those that are missing, by Debian's package manager.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  need_root
  say "installing: ${missing[*]}"
  quietly apt-get update
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    "${missing[@]}"
}

# Debian 12's kubectl is too old: whatever is on the machine serves, else sid's.
install_kubectl() {
  command -v kubectl >/dev/null && return
  local dir=$CACHE/kubectl
  if [ ! -x "$dir/kubectl" ]; then
    say "fetching kubectl from Debian's sid"
    "$ROOT/tools/make-rootfs" fetch-deb kubectl "$dir.tree"
    mkdir -p "$dir"
    cp "$dir.tree/usr/bin/kubectl" "$dir/kubectl"
    rm -rf "$dir.tree"
  fi
  export PATH=$dir:$PATH
}

# prepare [test|lint]: the packages that building needs, and those that this needs besides.
prepare() {
  local packages list
  mapfile -t packages < <(for list in build "$@"; do grep -v '^#' "$ROOT/tools/packages/$list.txt"; done)
  # Node.js may be there from elsewhere; then it is left alone.
  command -v npm >/dev/null || packages+=(nodejs npm)
  install_packages "${packages[@]}"
}

configure() { # preset
  [ -f "$ROOT/build/$1/build.ninja" ] || quietly cmake -S "$ROOT" --preset "$1"
}

build() { # preset [target...]
  local preset=$1
  shift
  prepare
  "$ROOT/tools/build-console"
  configure "$preset"
  if [ -t 2 ]; then
    ninja -C "$ROOT/build/$preset" -j "$JOBS" "$@" >&2
  else
    local began=$SECONDS
    say "building ($preset${*:+: $*})"
    quietly ninja -C "$ROOT/build/$preset" -j "$JOBS" "$@"
    say "built in $((SECONDS - began)) s"
  fi
}
