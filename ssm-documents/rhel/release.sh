# shellcheck shell=bash
# Owns until when distributions of the Red Hat family get security updates.

# Source: products of endoflife.date (2025), which name the pages of the vendors; where a vendor names a month, its last day.
# Support that is sold beyond (ELS, EUS) is not looked for. <ID> <major version> <last day>
RELEASES='
rhel 7 2024-06-30
rhel 8 2029-05-31
rhel 9 2032-05-31
rhel 10 2035-05-31
rocky 8 2029-05-31
rocky 9 2032-05-31
rocky 10 2035-05-31
almalinux 8 2029-03-01
almalinux 9 2032-05-31
almalinux 10 2035-05-31
ol 7 2024-12-31
ol 8 2029-07-31
ol 9 2032-06-30
ol 10 2035-06-30
centos 7 2024-06-30
centos 8 2021-12-31
centos-stream 8 2024-05-31
centos-stream 9 2027-05-31
centos-stream 10 2030-01-01
fedora 40 2025-05-13
fedora 41 2025-12-15
fedora 42 2026-05-13
fedora 43 2026-12-09
'

# Sets RELEASE_END, or nothing where the table does not know the release.
family_release_end() {
  local id='' version='' name='' line release major day
  RELEASE_END=''
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
    ID=*) id=${line#ID=} ;;
    NAME=*) name=${line#NAME=} ;;
    VERSION_ID=*) version=${line#VERSION_ID=} ;;
    esac
  done <"$ROOT/etc/os-release"
  [[ $id != centos || $name != *Stream* ]] || id=centos-stream
  while read -r release major day; do
    [[ $release != "$id" || $major != "${version%%.*}" ]] || RELEASE_END=$day
  done <<<"$RELEASES"
}
