# shellcheck shell=bash
# Owns until when releases of Debian and Ubuntu get security updates.

# Source: Debian's distro-info-data 0.58+deb12u7 (debian.csv column eol-lts, ubuntu.csv columns eol and eol-esm).
# <ID> <VERSION_ID> <last day> <last day for servers with an Ubuntu Pro subscription>
RELEASES='
debian 9 2022-06-30 -
debian 10 2024-06-30 -
debian 11 2026-08-31 -
debian 12 2028-06-30 -
debian 13 2030-06-30 -
ubuntu 16.04 2021-04-30 2026-04-23
ubuntu 18.04 2023-05-31 2028-04-30
ubuntu 20.04 2025-05-29 2030-04-23
ubuntu 22.04 2027-06-01 2032-04-21
ubuntu 24.04 2029-05-31 2034-04-25
ubuntu 24.10 2025-07-10 -
ubuntu 25.04 2026-01-15 -
ubuntu 25.10 2026-07-09 -
ubuntu 26.04 2031-05-29 2036-04-23
ubuntu 26.10 2027-07-15 -
'

# Sets RELEASE_END to the last day of support of this server's release, or nothing where the table does not know it.
# A server counts as subscribed when it has Ubuntu's ESM repositories configured.
family_release_end() {
  local id='' version='' line release day subscribed
  RELEASE_END=''
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
    ID=*) id=${line#ID=} ;;
    VERSION_ID=*) version=${line#VERSION_ID=} ;;
    esac
  done <"$ROOT/etc/os-release"
  while read -r release line day subscribed; do
    [[ $release == "$id" && $line == "$version" ]] || continue
    RELEASE_END=$day
    [[ $subscribed == - ]] || ! grep -qs 'UbuntuESM' "$WORK/targets" || RELEASE_END=$subscribed
  done <<<"$RELEASES"
}
