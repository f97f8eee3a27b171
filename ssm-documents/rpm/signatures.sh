# shellcheck shell=bash
# Owns whether package files have a signature of a key that this server trusts.

# check_signatures <folder> <file of names> <files of further keys that are trusted>…
# Keys that a repository names as local files are trusted by who configured it, also where no transaction has taken
# them into rpm's database yet. Sets REPLY to names and PROBLEM to `unsigned`, `untrusted` or `altered`.
check_signatures() {
  local folder=$1 names=$2
  shift 2
  PROBLEM='' REPLY=''
  [[ -s $names ]] || return 0
  say_signatures "$folder" "$names"
  if [[ -s $WORK/not-signed && $# -gt 0 ]]; then
    rm -rf -- "$WORK/keyring"
    mkdir -- "$WORK/keyring"
    # A server may have no key in its database yet.
    { rpm -q gpg-pubkey --qf '%{DESCRIPTION}\n' 2>/dev/null | grep -v '^package '
      cat -- "$@"; } >"$WORK/keys" 2>/dev/null
    split_keys "$WORK/keys" "$WORK/keyring/key"
    rpmkeys --dbpath "$WORK/keyring" --import "$WORK"/keyring/key.* >>"$LOG" 2>&1
    cp -- "$WORK/not-signed" "$WORK/again"
    say_signatures "$folder" "$WORK/again" --dbpath "$WORK/keyring"
  fi
  [[ -s $WORK/not-signed ]] || return 0
  REPLY=$(some_of <"$WORK/not-signed")
  if grep -qiE 'digests? .*NOT OK|(sha256|sha1|md5) .*NOT OK' <(grep -v 'SIGNATURES NOT OK' "$WORK/signatures" | grep -v 'MISSING KEYS'); then
    PROBLEM=altered
  elif grep -qiE 'signatures|[(]?(pgp|gpg|rsa|dsa)' <(cut -d : -f 2- "$WORK/signatures" | grep 'NOT OK'); then
    PROBLEM=untrusted
  else
    PROBLEM=unsigned
  fi
  return 1
}

# Writes the names of files without a good signature.
say_signatures() {
  local folder=$1 names=$2
  shift 2
  (cd -- "$folder" && xargs -r -d '\n' rpmkeys "$@" --checksig -- <"$names") >"$WORK/signatures" 2>>"$LOG"
  awk -F ': ' '
    FILENAME == ARGV[1] { if ($0 ~ / OK$/ && $0 !~ /NOT OK/ && tolower($2) ~ /signatures|pgp|gpg|rsa|dsa/) good[$1] = 1; next }
    !($0 in good)' "$WORK/signatures" "$names" >"$WORK/not-signed"
}

# One key a file: rpm takes no two from one.
split_keys() {
  awk -v prefix="$2." '/-----BEGIN PGP PUBLIC KEY BLOCK-----/ { n++; inside = 1 }
    inside { print > (prefix n) } /-----END PGP PUBLIC KEY BLOCK-----/ { inside = 0 }' "$1"
}
