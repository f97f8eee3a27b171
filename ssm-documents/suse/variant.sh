# shellcheck shell=bash
# Owns which member of the family this server is, what that one can answer, and how long its vendor publishes.

# Sets ID and VERSION_ID of this server.
read_release() {
  local line
  RELEASE_ID='' RELEASE_VERSION=''
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
    ID=*) RELEASE_ID=${line#ID=} ;;
    VERSION_ID=*) RELEASE_VERSION=${line#VERSION_ID=} ;;
    esac
  done <"$ROOT/etc/os-release"
}

# Sets DISTRIBUTION to `release` or, for those that are only ever upgraded as a whole, to `rolling`.
choose_variant() {
  read_release
  case $RELEASE_ID in
  sle-micro | sl-micro | suse-microos | opensuse-microos | opensuse-leap-micro | sle-micro-rancher)
    conclude 107 unsupported variant-unknown \
      "$RELEASE_ID has a root that is not written to: transactional-update updates it, which these documents do not drive"
    ;;
  opensuse-tumbleweed | opensuse-slowroll)
    DISTRIBUTION=rolling SUPPORTS='all repositories'
    ;;
  sles | sles_sap | sled | opensuse-leap | opensuse | sle_hpc)
    [[ ${RELEASE_VERSION%%.*} =~ ^(1[5-9]|[2-9][0-9])$ ]] ||
      conclude 107 unsupported variant-unknown "$RELEASE_ID $RELEASE_VERSION is older than 15, the first that is supported"
    ;;
  *) conclude 107 unsupported variant-unknown "not a distribution with zypper that is known: ${RELEASE_ID:-no ID in os-release}" ;;
  esac
  # The root of a server that changes by snapshots alone can not be written to, whatever it is called.
  [[ -z $ROOT && -e /usr/sbin/transactional-update && ! -w /usr ]] || return 0
  conclude 107 unsupported variant-unknown 'the root of this server can not be written to: transactional-update updates it'
}

# Distribution, release, last day of updates for everybody, and with long-term support (`-`: none is sold). From
# suse.com/lifecycle and en.opensuse.org/Lifetime.
RELEASES='
opensuse-leap 15.0 2019-12-03 -
opensuse-leap 15.1 2021-02-02 -
opensuse-leap 15.2 2022-01-04 -
opensuse-leap 15.3 2022-12-31 -
opensuse-leap 15.4 2023-12-07 -
opensuse-leap 15.5 2024-12-31 -
opensuse-leap 15.6 2026-04-30 -
opensuse-leap 16.0 2027-10-31 -
sles 15 2019-12-31 2022-12-31
sles 15.0 2019-12-31 2022-12-31
sles 15.1 2021-01-31 2024-01-31
sles 15.2 2021-12-31 2024-12-31
sles 15.3 2022-12-31 2025-12-31
sles 15.4 2023-12-31 2026-12-31
sles 15.5 2024-12-31 2027-12-31
sles 15.6 2025-12-31 2028-12-31
sles 15.7 2031-07-31 2034-07-31
'

# Sets RELEASE_END to the last day of support of this server's release, or nothing where the table does not know it: a
# rolling distribution has none. Long-term support counts where its repository is enabled.
family_release_end() {
  local release version day subscribed id=$RELEASE_ID
  RELEASE_END=''
  [[ $id != sles_sap && $id != sle_hpc && $id != sled ]] || id=sles
  while read -r release version day subscribed; do
    [[ $release == "$id" && $version == "$RELEASE_VERSION" ]] || continue
    RELEASE_END=$day
    [[ $subscribed == - ]] || ! has_long_support || RELEASE_END=$subscribed
  done <<<"$RELEASES"
}

has_long_support() {
  cat -- "$REPOSITORIES"/*.repo 2>/dev/null | awk '
    /^\[/ { long = /LTSS/ }
    long && tolower($0) ~ /^enabled *= *(1|yes|true|on)/ { found = 1 }
    END { exit !found }'
}
