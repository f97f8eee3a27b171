# shellcheck shell=bash
# Owns what rpm itself says of a server, whatever brought its packages: what is installed, and whether that is
# whole.

NEEDS+=(rpm timeout)

# Prints the file whose lock rpm holds while it changes packages.
rpm_lock_file() {
  printf '%s/.rpm.lock\n' "$(rpm ${ROOT:+--root "$ROOT"} --eval '%{_dbpath}')"
}

# Writes name, architecture, [epoch:]version-release, state and installed KiB. Public keys are no packages. Two versions
# of a package that can not be there twice are what an interrupted transaction leaves: all but the newest by date of
# installation count as half removed, and the newest as not configured, since its last scripts never ran.
family_installed() (
  set -o pipefail
  timeout 60 rpm ${ROOT:+--root "$ROOT"} -qa \
    --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{SIZE}\t[%{PROVIDENAME} ]\n' |
    awk -F '\t' -v kernel="$KERNEL_NAMES" '
      $1 == "gpg-pubkey" { next }
      # Written out by some packages, and by nobody else.
      { sub(/^0:/, "", $3) }
      # What says that it can be there in several versions, by the words of SUSE and of Red Hat.
      $1 ~ kernel || $5 ~ /(^| )(multiversion\(kernel\)|installonlypkg\([a-z-]*\)|kernel-[a-z-]*modules|kernel) / { many[$1] = 1 }
      { n++; name[n] = $1; arch[n] = $2; version[n] = $3; size[n] = $4; count[$1 "\t" $2]++ }
      END {
        for (i = 1; i <= n; i++)
          print name[i] "\t" arch[i] "\t" version[i] "\t" \
            (count[name[i] "\t" arch[i]] > 1 && !(name[i] in many) ? "iD" : "ii") "\t" int((size[i] + 1023) / 1024)
      }' >"$1"
)

# Whether the database is whole. It is read above, so what is left are versions that lie beside each other.
family_audit() {
  REPLY=$(awk -F '\t' '$4 != "ii" { print $1 }' "$WORK/installed" | sort -u | some_of)
  [[ -n $REPLY ]] || return 0
  REPLY="installed in two versions, as an interruption leaves them: $REPLY"
  return 1
}
