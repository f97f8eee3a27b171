# shellcheck shell=bash
# Owns what apt can say of installed packages for a backup.

# Name, architecture, origin and mark. The origin is where the installed version is offered still, by the plan's metadata.
family_manifest() {
  apt-mark showauto >"$WORK/automatic" || return 1
  awk -F '\t' '{ print $1 ($2 == "all" ? "" : ":" $2) }' "$WORK/installed" |
    xargs apt-cache -c "$APT/sealed.conf" policy >"$WORK/policy" || return 1
  awk -F '\t' -v OFS='\t' -v native="$(dpkg --print-architecture)" '
    FILENAME == ARGV[1] { automatic[$0] = 1; next }
    FILENAME == ARGV[2] && /^[^ ]/ { name = substr($0, 1, length($0) - 1); inside = 0 }
    FILENAME == ARGV[2] && /^ (\*\*\*|   ) [^ ]/ { inside = /^ \*/ }
    FILENAME == ARGV[2] {
      if (inside && split($0, word, " ") > 2 && word[1] ~ /^-?[0-9]+$/ && word[2] !~ /^\// && !(name in origin))
        origin[name] = word[2] " " word[3]
      next
    }
    { key = $1 ($2 == "all" || $2 == native ? "" : ":" $2)
      print $1, $2, key in origin ? origin[key] : "-", key in automatic ? "automatic" : "manual" }
  ' "$WORK/automatic" "$WORK/policy" "$WORK/installed"
}
