# SPDX-License-Identifier: Apache-2.0
# How the scripts that make guests get Debian's riscv64 packages. Sourced behind lib.sh; not run by itself.
# shellcheck shell=bash

suite=trixie
apt_dir=$cache/apt-$suite
debs=$apt_dir/archives

# apt with lists, cache and status of its own: the signatures and hashes of riscv64 packages are checked as those of
# the host's packages are, and the host's configuration is left alone (its proxy settings are honoured).
configure_apt() {
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 'Component: main' 2>/dev/null |
    grep -v security | head -n 1 || true)
  mkdir -p "$apt_dir/lists/partial" "$debs/partial" "$apt_dir/none/partial"
  : > "$apt_dir/status"
  mirror=${mirror:-http://deb.debian.org/debian}
  echo "deb [arch=riscv64 signed-by=$keyring] $mirror $suite main" > "$apt_dir/sources.list"
  cat > "$apt_dir/apt.conf" <<END
Dir::Etc::SourceList "$apt_dir/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$apt_dir/lists";
Dir::State::Status "$apt_dir/status";
Dir::Cache "$apt_dir";
APT::Architecture "riscv64";
APT::Architectures { "riscv64"; };
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Retries "3";
Acquire::Languages "none";
Debug::NoLocking "true";
END
  export APT_CONFIG=$apt_dir/apt.conf
}

# usage: planned COMMAND PACKAGE...    "file size" of all that "apt-get COMMAND" fetches where nothing is there yet
planned() {
  apt-get "$@" --print-uris -o Dir::Cache::Archives="$apt_dir/none" |
    sed -n "s/^'[^']*' \([^ ]*\) \([0-9]*\) .*/\1 \2/p"
}

kernel_package() { # the versioned package behind the linux-image-riscv64 metapackage
  apt-cache depends linux-image-riscv64 | sed -n 's/.*Depends: \(linux-image-[0-9][^: ]*\).*/\1/p' | head -n 1
}

# usage: with_progress MEGABYTES COMMAND...    runs it and says how much of at most so much it has downloaded
with_progress() {
  local total=$1 pid have before
  shift
  before=$(du -sm "$apt_dir" | cut -f 1)
  "$@" > "$apt_dir/log" 2>&1 &
  pid=$!
  while sleep 1 && kill -0 $pid 2>/dev/null; do
    have=$(($(du -sm "$apt_dir" | cut -f 1) - before))
    if [ -t 2 ]; then printf '\r[%s] %s of at most %s MB ' "$script" "$have" "$total" >&2
    elif ((SECONDS % 10 == 0)); then say "$have of at most $total MB"; fi
  done
  [ ! -t 2 ] || printf '\r\033[K' >&2
  wait $pid
}

no_network() {
  say "$(grep -h '^E:' "$apt_dir/log" | head -n 1)"
  die "cannot download Debian's riscv64 packages: check the network (or http_proxy) and run this again"
}

update_lists() {
  say "package lists of Debian $suite for riscv64"
  with_progress 60 apt-get update --error-on=any || [ -n "$(find "$apt_dir/lists" -name '*_Packages*')" ] || no_network
}

# usage: unpack LIST DIR
unpack() {
  local file
  mkdir -p "$2"
  while read -r file _; do dpkg-deb -x "$debs/$file" "$2"; done < "$1"
}

# usage: pack DIR LEVEL FILE    owned by root and without times, so that the same recipe gives the same bytes
pack() {
  find "$1" -exec touch -h -d @0 {} +
  (cd "$1" && find . -print0 | sort -z | cpio -o -0 -H newc -R 0:0 --reproducible --quiet | gzip -n "-$2") > "$3"
}
