# shellcheck shell=bash
# Owns what dnf can say of installed packages for a backup. yum 3 has no such question.

# Name, architecture, repository and mark, of its history, which is the system's own: nothing but that is asked.
family_manifest() {
  local format='%{name}|%{arch}|%{from_repo}|%{reason}'
  [[ $VARIANT != yum3 ]] || return 0
  [[ $VARIANT != dnf5 ]] || format+='\n'
  timeout 300 "$PACKAGE_MANAGER" -q -C --disablerepo='*' --setopt=logdir="$DNF/log" repoquery --installed --qf "$format" </dev/null |
    awk -F '|' -v OFS='\t' 'NF == 4 { print $1, $2, $3 ~ /^(|@System|<unknown>)$/ ? "-" : $3,
      tolower($4) ~ /^(user|group|external user)$/ ? "manual" : tolower($4) ~ /^(unknown|none|)$/ ? "-" : "automatic" }'
}
