# shellcheck shell=bash
# Owns which release of Amazon Linux a server resolves against, and until when it gets security updates.

# Sets AMAZON to 2023, 2 or nothing.
read_amazon() {
  local line
  AMAZON=''
  while IFS= read -r line; do
    line=${line//\"/}
    [[ $line != VERSION_ID=* ]] || AMAZON=${line#VERSION_ID=}
  done <"$ROOT/etc/os-release"
}

# The repositories of Amazon Linux 2023 are one for each release, and a server stays at its own until another is named.
family_settings() {
  dnf_settings || return 1
  read_amazon
  INSTALLED_RELEASE=''
  [[ $AMAZON != 2023 ]] || {
    SUPPORTS+=' release'
    INSTALLED_RELEASE=$(rpm -q --qf '%{VERSION}\n' --whatprovides 'system-release(releasever)' 2>>"$LOG" | grep -m 1 -E '^[0-9][0-9.]*$') || {
      REPLY='no installed package says which release of Amazon Linux this is'
      return 1
    }
  }
}

# Never what the operator's configuration may call latest: two servers of a campaign would get two releases.
release_terms() {
  [[ $AMAZON != 2023 ]] || TERMS+=("--releasever=${RELEASE:-$INSTALLED_RELEASE}")
}

# Without a release of the campaign there is nothing new to find, which does not mean that nothing is missing.
judge_pinned_release() {
  [[ $AMAZON == 2023 && -z $RELEASE ]] || return 0
  FACTS[compliant]=false
  warn release-pinned "the campaign names no release, and this server stays at $INSTALLED_RELEASE: newer releases were not looked for"
}

# Source: https://aws.amazon.com/amazon-linux-2/faqs/ and the release cadence in the Amazon Linux 2023 user guide.
family_release_end() {
  judge_pinned_release
  case $AMAZON in
  2023) RELEASE_END=2029-06-30 ;;
  2) RELEASE_END=2026-06-30 ;;
  *) RELEASE_END='' ;;
  esac
}
