# SPDX-License-Identifier: Apache-2.0
# What the scripts share. Sourced with "set -euo pipefail" in force; not run by itself.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${GSTAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gstage}
script=$(basename "$0")

say() { printf '[%s] %s\n' "$script" "$*" >&2; }
die() { say "$*"; exit 1; }

# usage: usage_if_asked "$@"    prints the comment at the head of the script for --help
usage_if_asked() {
  case ${1:-} in
    -h | --help) sed -n '/^# SPDX/d; 2,/^[^#]/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  esac
}

# usage: number NAME VALUE    refuses what is not a positive number
number() {
  [[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || die "$1 needs a positive number, not '${2:-}'"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || die "installing packages needs root: run this as root or install sudo"
  sudo "$@"
}

missing_packages() { # of those given, the ones that are not installed, one a line
  local present
  present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p' || true)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$present" | sort -u)
}

# Installs those of the packages that are not there. What is there is left alone, so that a second run needs no network.
need_packages() {
  local missing
  command -v dpkg-query >/dev/null || die "this needs Debian's packages; elsewhere install by hand: $*"
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -qq </dev/null >&2 || say "apt-get update failed: going on with the lists that are there"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" </dev/null >&2 ||
    die "cannot install packages: check the network, or install by hand: apt-get install ${missing[*]}"
}

# usage: build_dir release|debug|tsan|fuzz
build_dir() {
  case $1 in
    release) echo "${GSTAGE_BUILD:-$root/build}" ;;
    debug | tsan | fuzz) echo "${GSTAGE_BUILD:-$root/build}-$1" ;;
    *) die "a build is 'release', 'debug', 'tsan' or 'fuzz', not '$1'" ;;
  esac
}

# The directory of the Linux guests if they are made already; GSTAGE_GUESTS names one made elsewhere.
guests_dir() {
  if [ -n "${GSTAGE_GUESTS:-}" ]; then echo "$GSTAGE_GUESTS"; return; fi
  "$root/scripts/make-guests" --cached
}
