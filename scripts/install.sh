#!/bin/sh
# Installs spotdrain, the command line, or spotdrain-hold from a release, for Linux on x86_64 and aarch64. The archive is unpacked only
# if its SHA-256 is the one in the release's list.
#
#   install.sh [--to FOLDER] [--version VERSION] [--from PLACE] [spotdrain|spotdrain-hold]...
#
# --to FOLDER         where to put the programs; ~/.local/bin unless given
# --version VERSION   such as 0.2.0; the latest unless given
# --from PLACE        a URL or a local folder with the archives and SHA256SUMS, such as a mirror; GitHub's releases unless given
set -eu

releases=https://github.com/spotdrain/spotdrain/releases
to=${HOME:-}/.local/bin from='' version='' programs=''

fail() { echo "install.sh: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
  case $1 in
    --to | --version | --from)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case $1 in --to) to=$2 ;; --version) version=$2 ;; --from) from=$2 ;; esac
      shift ;;
    spotdrain | spotdrain-hold) programs="$programs $1" ;;
    *) fail "expected spotdrain, spotdrain-hold, --to, --version or --from, found '$1'" ;;
  esac
  shift
done
programs=${programs:- spotdrain}
if [ -z "$from" ]; then
  if [ -n "$version" ]; then from=$releases/download/v$version; else from=$releases/latest/download; fi
fi

[ "$(uname -s)" = Linux ] || fail "no release for $(uname -s): build it with cargo"
arch=$(uname -m)
case $arch in x86_64 | aarch64) ;; arm64) arch=aarch64 ;; *) fail "no release for $arch: build it with cargo" ;; esac
command -v sha256sum >/dev/null || fail "sha256sum is not on the path: the archive cannot be verified"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# get FILE: copies or downloads it into the working folder.
get() {
  case $from in
    http://* | https://*)
      if command -v curl >/dev/null; then curl --fail --silent --show-error --location --output "$work/$1" "$from/$1"
      elif command -v wget >/dev/null; then wget --quiet --output-document="$work/$1" "$from/$1"
      else fail "neither curl nor wget is on the path"; fi ;;
    *) cp "${from#file://}/$1" "$work/$1" ;;
  esac || fail "$from/$1 is not available"
}

get SHA256SUMS
for program in $programs; do
  # The list names the archive, and so the version: spotdrain-0.2.0-x86_64-linux.tar.gz.
  archive=$(sed -n "s/^[0-9a-f]\{64\}  \($program-${version:-[0-9][^ ]*}-$arch-linux\.tar\.gz\)\$/\1/p" "$work/SHA256SUMS")
  [ "$(echo "$archive" | grep -c .)" = 1 ] || fail "SHA256SUMS in $from has not exactly one $program for $arch${version:+, version $version}"
  get "$archive"
  grep "  $archive\$" "$work/SHA256SUMS" >"$work/expected"
  (cd "$work" && sha256sum --check --status expected) || fail "$archive does not have the SHA-256 in SHA256SUMS: nothing was installed"
  tar -xzf "$work/$archive" -C "$work"
  mkdir -p "$to"
  # A program that runs is replaced, and not written to.
  cp "$work/${archive%.tar.gz}/$program" "$to/.$program.new"
  chmod 755 "$to/.$program.new"
  mv "$to/.$program.new" "$to/$program"
  echo "$to/$program: $("$to/$program" --version)"
done
