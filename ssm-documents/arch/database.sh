# shellcheck shell=bash
# Owns what pacman's databases say: the local one, file by file, and those of repositories, as lines of an index.

# Writes name, architecture, version, state and installed KiB. A folder without a readable description is a package of
# which an interrupted pacman left the name alone: pacman itself no longer lists it.
family_installed() (
  set -o pipefail
  [[ -d $DATABASE/local ]] || exit 1
  find "$DATABASE/local" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort >"$WORK/folders" &&
    find "$DATABASE/local" -mindepth 2 -maxdepth 2 -name desc -type f -exec awk '
      FNR == 1 { say(); folder = FILENAME; sub(/\/desc$/, "", folder); sub(/^.*\//, "", folder) }
      /^%.*%$/ { field = $0; next }
      $0 == "" { field = ""; next }
      field != "" { value[field] = $0 }
      function say() {
        if (folder != "" && ("%NAME%" in value) && ("%VERSION%" in value))
          printf "%s\t%s\t%s\t%s\t%d\n", folder, value["%NAME%"],
            ("%ARCH%" in value ? value["%ARCH%"] : "any"), value["%VERSION%"], value["%SIZE%"] / 1024
        split("", value); folder = ""; field = ""
      }
      END { say() }' {} + >"$WORK/described" &&
    awk -F '\t' '
      FILENAME == ARGV[1] { described[$1] = $2 "\t" $3 "\t" $4 "\tii\t" $5; next }
      $0 in described { print described[$0]; next }
      match($0, /-[^-]+-[^-]+$/) { print substr($0, 1, RSTART - 1) "\tany\t" substr($0, RSTART + 1) "\tiU\t0" }
    ' "$WORK/described" "$WORK/folders" >"$1"
)

# Whether the database is whole, or says what is not.
family_audit() {
  local broken answer
  REPLY=''
  broken=$(awk -F '\t' '$4 != "ii" || ++seen[$1] > 1 { print $1 }' "$WORK/installed" | some_of)
  if [[ -n $broken ]]; then
    REPLY="packages are not whole: $broken"
  else
    answer=$(pacman --dbpath "$DATABASE" --logfile /dev/null -Qq 2>&1 >/dev/null) || {
      REPLY="pacman can not read its database: $(grep -v '^warning: database file' <<<"$answer" | tail -n 1)"
      return 2
    }
  fi
  [[ -z $REPLY ]]
}

# Writes name, architecture, version, repository, file name, bytes to download, bytes installed and SHA-256 of every
# package of the repositories, the one that decides first: <folder of databases>
index_databases() (
  set -o pipefail
  while IFS= read -r repository; do
    bsdtar -xOf "$1/sync/$repository.db" 2>>"$LOG" </dev/null | awk -v repository="$repository" '
      $0 == "%FILENAME%" { say() }
      /^%.*%$/ { field = $0; next }
      $0 == "" { field = ""; next }
      field != "" { value[field] = $0 }
      function say() {
        if (("%NAME%" in value) && value["%FILENAME%"] ~ /^[A-Za-z0-9@_+][A-Za-z0-9@._+:~^-]*$/)
          print value["%NAME%"] "\t" value["%ARCH%"] "\t" value["%VERSION%"] "\t" repository "\t" value["%FILENAME%"] \
            "\t" value["%CSIZE%"] + 0 "\t" value["%ISIZE%"] + 0 "\t" value["%SHA256SUM%"]
        split("", value)
      }
      END { say() }' || exit 1
  done <"$1.repositories" >"$1.index"
)
