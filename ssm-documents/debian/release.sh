# shellcheck shell=bash
# Owns until when releases of Debian and Ubuntu get security updates.

# Source: Debian's distro-info-data 0.58+deb12u7 (debian.csv column eol-lts, ubuntu.csv columns eol and eol-esm).
# <ID> <VERSION_ID> <last day> <last day for servers with an Ubuntu Pro subscription> <code name>
RELEASES='
debian 9 2022-06-30 - stretch
debian 10 2024-06-30 - buster
debian 11 2026-08-31 - bullseye
debian 12 2028-06-30 - bookworm
debian 13 2030-06-30 - trixie
ubuntu 16.04 2021-04-30 2026-04-23 xenial
ubuntu 18.04 2023-05-31 2028-04-30 bionic
ubuntu 20.04 2025-05-29 2030-04-23 focal
ubuntu 22.04 2027-06-01 2032-04-21 jammy
ubuntu 24.04 2029-05-31 2034-04-25 noble
ubuntu 24.10 2025-07-10 - oracular
ubuntu 25.04 2026-01-15 - plucky
ubuntu 25.10 2026-07-09 - questing
ubuntu 26.04 2031-05-29 2036-04-23 resolute
ubuntu 26.10 2027-07-15 - -
'

# Sets RELEASE_END to the last day of support of this server's release, or nothing where the table does not know it. A
# derivative, which has an ID of its own and names the release that it is made from, ends with that.
# A server counts as subscribed when it has Ubuntu's ESM repositories configured.
family_release_end() {
  local line release version day subscribed name
  local -A os=()
  RELEASE_END=''
  while IFS= read -r line; do
    line=${line//[\"\']/}
    [[ $line != [A-Z]*=* ]] || os[${line%%=*}]=${line#*=}
  done <"$ROOT/etc/os-release"
  line=${os[UBUNTU_CODENAME]:-${os[DEBIAN_CODENAME]:-${os[VERSION_CODENAME]:-unknown}}}
  while read -r release version day subscribed name; do
    case ${os[ID]:-} in
    '' | debian | ubuntu) [[ $release == "${os[ID]:-}" && $version == "${os[VERSION_ID]:-}" ]] || continue ;;
    *) [[ $name == "$line" ]] || continue ;;
    esac
    RELEASE_END=$day
    [[ $subscribed == - ]] || ! grep -qs 'UbuntuESM' "$WORK/targets" || RELEASE_END=$subscribed
  done <<<"$RELEASES"
}
