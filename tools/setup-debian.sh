#!/usr/bin/env bash
# Installs what the tests need from Debian: Chromium, a font with Korean letters so that
# screenshots show text and not boxes, PostgreSQL, of which each package of tests starts a
# server of its own, haproxy, which test/nodes puts before several nodes, and mkfs.ext4, with
# which test/disk makes the disk that it breaks. Does nothing when all are there.
set -euo pipefail

missing=()
if [ -n "${CHROMIUM:-}" ]; then
  command -v "$CHROMIUM" >/dev/null || { echo "CHROMIUM is set to $CHROMIUM, which is no program." >&2; exit 1; }
else
  command -v chromium >/dev/null || missing+=(chromium)
fi
dpkg-query -W -f='${Status}' fonts-noto-cjk 2>/dev/null | grep -q 'ok installed' ||
  { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ko family)" ]; } ||
  missing+=(fonts-noto-cjk)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
[ -x /usr/sbin/mkfs.ext4 ] || missing+=(e2fsprogs)
[ ${#missing[@]} -gt 0 ] || exit 0

refuse() {
  echo "The tests need: ${missing[*]}" >&2
  echo "$1" >&2
  echo "On Debian:  sudo apt-get install ${missing[*]}" >&2
  echo "Elsewhere:  install Chromium, a font with Korean letters, PostgreSQL 15 or newer, haproxy and e2fsprogs, and set CHROMIUM to the browser's path." >&2
  exit 1
}

command -v apt-get >/dev/null || refuse "There is no apt-get here to install them with."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  { command -v sudo >/dev/null && sudo -n true 2>/dev/null; } || refuse "They cannot be installed from here without root or a sudo that asks no password."
  as_root=(sudo -n)
fi
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
