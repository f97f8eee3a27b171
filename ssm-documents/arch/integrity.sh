# shellcheck shell=bash
# Owns what pacman says of installed files, what the operator holds, and what came from no repository.

NEEDS+=(timeout)

# `warning: name: /path (what differs)`, and `backup file: name: /path (…)` for configuration.
family_integrity() {
  local status=0
  [[ -s $1 ]] || return 0
  comm -12 "$1" <(cut -f 1 "$WORK/installed" | sort -u) | LC_ALL=C xargs -r timeout 300 \
    pacman --dbpath "$DATABASE" --logfile /dev/null --color never -Qkk >"$WORK/verified" 2>&1 || status=$?
  # pacman says 1 where files differ, and xargs makes 123 of it.
  ((status == 0 || status == 123)) || return 1
  sed -nE 's/^(warning|backup file): ([^:]+): (\/.*) \(([^()]*)\)$/\2\t\3\t\4\t\1/p' "$WORK/verified" |
    awk -F '\t' '{ gsub(/ /, "-", $3); print $1 "\t" $2 "\t" $3 "\t" ($4 == "backup file" ? "config" : "file") }'
}

family_holds() {
  setting_of IgnorePkg
  setting_of IgnoreGroup | sed 's/^/group:/'
}

# Packages of no repository, most of them from the AUR. They are never touched: pacman knows nothing newer of them.
family_foreign() {
  local status=0
  pacman --dbpath "$METADATA_SEALED" --logfile /dev/null -Qmq || status=$?
  # 1 also where there are none.
  ((status <= 1))
}
