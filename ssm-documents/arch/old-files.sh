# shellcheck shell=bash
# Owns the way back on pacman's side: package files of the versions before, from the server's own cache or from mirrors
# that have not dropped them, and only with a signature that this server trusts.

# Reads name, architecture and version; prints them with their bytes where there is a file.
family_old_sources() {
  local name arch version file
  : >"$WORK/old-remote"
  while IFS=$'\t' read -r name arch version; do
    if file=$(cached_file "$name-$version-$arch"); then
      printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$(stat -c %s -- "$file")"
    else
      mirror_addresses "$name" "$arch" "$version" | sed "s|^|$name\t$arch\t$version\t|" >>"$WORK/old-remote"
    fi
  done
  # Eight at a time: each answer is a round trip to a mirror. Asked again where one does not come: without it the plan would
  # be sealed with no way back.
  # shellcheck disable=SC2016 # the inner shell expands
  xargs -r -P 8 -d '\n' -n 1 bash -c '
    IFS=$'\''\t'\'' read -r name arch version address <<<"$1"
    bytes=$(curl -qsfIL --max-time 20 --retry 2 -- "$address" | tr -d "\r" |
      awk "tolower(\$1) == \"content-length:\" { n = \$2 } END { print n }") && [[ -n $bytes ]] &&
      printf "%s\t%s\t%s\t%s\n" "$name" "$arch" "$version" "$bytes"' - <"$WORK/old-remote" | sort -u -t $'\t' -k 1,3
}

# Prints the bytes that a file may have, `<name> <architecture> <version>`: as many as its mirror said when room was
# given to it; in a rollback, half of what is free.
most_bytes() {
  if [[ $PHASE == prepare ]]; then
    awk -F '\t' -v key="$1"$'\t'"$2"$'\t'"$3" '$1 "\t" $2 "\t" $3 == key { print $4 }' "$WORK/old-sources"
  else
    printf '%d' $(($(free_mebibytes "$OLD") * 524288))
  fi
}

# fetch_bounded <file> <bytes> <address>: mirrors are trusted by nothing but signatures, which come last.
fetch_bounded() {
  curl -qsfL --max-time 900 --retry 2 --max-filesize "$2" -o "$1" -- "$3"
}

# Reads the same; prints them with the name of their file in $OLD.
family_fetch_old() {
  local name arch version file address most
  mkdir -p -- "$METADATA_SEALED/sync" "$WORK/no-files"
  ln -sfn -- "$DATABASE/local" "$METADATA_SEALED/local"
  [[ -f $METADATA_SEALED.here ]] || { choose_repositories "$METADATA_SEALED" && write_settings "$METADATA_SEALED" || return 1; }
  while IFS=$'\t' read -r name arch version; do
    if file=$(cached_file "$name-$version-$arch"); then
      cp -- "$file" "$OLD/" && cached_signature "$file" "$name" "$version" >"$OLD/${file##*/}.sig"
      is_signed "$OLD/${file##*/}" || rm -f -- "$OLD/${file##*/}" "$OLD/${file##*/}.sig"
      file=${file##*/}
    else
      most=$(most_bytes "$name" "$arch" "$version")
      while IFS= read -r address; do
        file=${address##*/} file=${file//%3[Aa]/:}
        fetch_bounded "$OLD/$file" "$most" "$address" && fetch_bounded "$OLD/$file.sig" 65536 "$address.sig" &&
          is_signed "$OLD/$file" && break
        rm -f -- "$OLD/$file" "$OLD/$file.sig"
      done < <(mirror_addresses "$name" "$arch" "$version")
    fi
    [[ -z $file || ! -f $OLD/$file ]] || printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$file"
  done
}

# Prints the path of a file in pacman's own caches: <name-version-architecture>
cached_file() {
  local cache file
  for cache in "${CACHES[@]}"; do
    for file in "$ROOT${cache%/}/$1".pkg.tar*; do
      [[ -f $file && $file != *.sig && $file != *.part ]] || continue
      printf '%s' "$file"
      return 0
    done
  done
  return 1
}

# The signature of a file in the cache: beside it, in the system's databases of the time, or still at a mirror.
cached_signature() {
  local file=$1 name=$2 version=$3 address
  if [[ -s $file.sig ]]; then
    cat -- "$file.sig"
    return
  fi
  find "$DATABASE/sync" -maxdepth 1 -name '*.db' \
    -exec bsdtar --include "$name-$version/desc" -xOf '{}' ';' 2>/dev/null </dev/null |
    awk '/^%.*%$/ { field = $0; next } field == "%PGPSIG%" && $0 != "" { print; exit }' | base64 -d >"$WORK/signature"
  if [[ -s $WORK/signature ]]; then
    cat -- "$WORK/signature"
    return
  fi
  mirror_addresses "$name" '*' "$version" "${file##*/}" | while IFS= read -r address; do
    fetch_bounded - 65536 "$address.sig" && break
  done
}

# Whether a file has a signature beside it that pacman takes. What it needs is not looked for, and nothing is installed.
is_signed() {
  [[ -s $1.sig ]] && ask_pacman here "$METADATA_SEALED" "$WORK/no-files" -Uw --nodeps --nodeps "$1" >"$WORK/signed" 2>&1 && return 0
  log "${1##*/} is not taken: $(grep -m 1 '^error: ' "$WORK/signed")"
  return 1
}

# Prints where mirrors would have a file: below the servers of the repository that has the package now, or of all. By
# the name that it has there, or the one that files of this package have.
# mirror_addresses <name> <architecture> <version> [<file name>]
mirror_addresses() {
  local ending=.pkg.tar.zst file=${4:-} index=$METADATA_SEALED.index
  [[ -f $index ]] || index=/dev/null
  if [[ -z $file ]]; then
    ending=$(awk -F '\t' -v name="$1" '$1 == name { sub(/^.*[.]pkg[.]tar/, ".pkg.tar", $5); print $5; exit }' "$index")
    file=$1-$3-$2${ending:-.pkg.tar.zst}
  fi
  awk -F '\t' -v name="$1" -v file="${file//:/%3A}" '
    FILENAME == ARGV[1] { if ($1 == name) has[$4] = known = 1; next }
    /^\[/ { repository = substr($0, 2, length($0) - 2) }
    /^Server = / && (!known || repository in has) && n++ < 6 { sub(/^Server = /, ""); print $0 "/" file }
  ' "$index" "$PACMAN/operator.conf"
}
