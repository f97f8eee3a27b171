# shellcheck shell=bash
# Owns how zypper is asked: with settings, repositories, locks and caches of this job, so that the system's own are
# read and never written until the transaction itself.

ZYPP=$JOB/zypp
FILES=$ZYPP/files
METADATA_SEALED=$ZYPP/metadata
METADATA_NOW=$ZYPP/metadata-now
PACKAGE_MANAGER=zypper
SUPPORTS='all security advisories packages groups repositories'
DISTRIBUTION=release
KERNEL_NAMES='^kernel-(default|azure|rt|preempt|vanilla|debug|kvmsmall|64kb|longterm)(-base|-optional)?$'

NEEDS+=(rpm zypper timeout)

# The agent is the process that runs this script: it is updated by its own means, never by a campaign.
NEVER_CHANGED=amazon-ssm-agent

# Where the operator's settings are: newer releases bring theirs below /usr, and take what stands in /etc besides.
operator_settings() {
  local file
  for file in "$ROOT/etc/zypp/zypp.conf" "$ROOT/usr/etc/zypp/zypp.conf"; do
    [[ ! -f $file ]] || {
      printf '%s\n' "$file"
      break
    }
  done
  for file in "$ROOT"/usr/etc/zypp/zypp.conf.d/*.conf "$ROOT"/etc/zypp/zypp.conf.d/*.conf; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
}

# Prints what the operator's settings say of a key, or the default.
setting() {
  xargs -r -d '\n' cat -- <"$WORK/settings" | awk -v key="$1" -v value="$2" '
    { at = index($0, "="); name = substr($0, 1, at - 1); gsub(/[ \t]/, "", name) }
    at && name == key { value = substr($0, at + 1); gsub(/^[ \t]+|[ \t]+$/, "", value) }
    END { print value }'
}

family_settings() {
  choose_variant
  operator_settings >"$WORK/settings"
  REPOSITORIES=$ROOT$(setting reposdir /etc/zypp/repos.d)
  LOCKS=$ROOT$(setting locksfile.path /etc/zypp/locks)
  SYSTEM_CACHE=$ROOT$(setting cachedir /var/cache/zypp)
  LOCK_FILES=("$ROOT$(rpm --eval '%{_dbpath}')/.rpm.lock")
  REPLY="the folder $ZYPP can not be made"
  mkdir -p -- "$FILES" "$ZYPP/none"
}

# Writes the settings of a metadata folder: the operator's, save for what would let zypper look elsewhere, trust what
# nobody signed, or change who a package comes from.
# write_zypp_conf <folder>
write_zypp_conf() {
  mkdir -p -- "$1" "$ZYPP/packages"
  {
    printf '[main]\n'
    xargs -r -d '\n' cat -- <"$WORK/settings" | awk '
      { name = substr($0, 1, index($0, "=") - 1); gsub(/[ \t]/, "", name) }
      name == "" || name ~ /^[#;]/ { next }
      name ~ /^(configdir|reposdir|servicesdir|locksfile\.path|locksfile\.apply|cachedir|metadatadir|solvfilesdir|packagesdir)$/ { next }
      name ~ /^(gpgcheck|repo_gpgcheck|pkg_gpgcheck|solver\..*[Vv]endor.*|solver\.cleandepsOnRemove|commit\.downloadMode)$/ { next }
      { print }'
    cat <<CONF
cachedir = $1
metadatadir = $1/raw
solvfilesdir = $1/solv
packagesdir = $ZYPP/packages
reposdir = $1/repositories
servicesdir = $ZYPP/none
locksfile.path = $1.locks
locksfile.apply = yes
solver.allowVendorChange = false
solver.dupAllowVendorChange = false
solver.cleandepsOnRemove = false
solver.onlyRequires = true
commit.downloadMode = DownloadInAdvance
CONF
    # What lets kernels lie beside each other, where no settings are there at all.
    [[ -n $(setting multiversion '') ]] || printf 'multiversion = provides:multiversion(kernel)\n'
  } >"$1.conf"
  write_locks "$1.locks"
}

# The operator's own locks, and what this order must not change: exclusions and the agent. <file> <file of more names>…
write_locks() {
  local file=$1 name
  shift
  {
    [[ ! -f $LOCKS ]] || cat -- "$LOCKS"
    { printf '%s*\n' "$NEVER_CHANGED" && cat -- "$STATE/exclusions" "$@"; } | while IFS= read -r name; do
      printf '\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: %s\n\n' "$name"
    done
  } >"$file"
}

# Copies the operator's repositories, left out or enabled as the order says. Metadata without a good signature is not
# used, unless the operator has the signature of each package checked instead. What was fetched stays in the cache,
# also after it was installed: an interrupted transaction is repeated on it.
copy_repositories() {
  local folder=$1/repositories file
  rm -rf -- "$folder"
  (umask 077 && mkdir -p -- "$folder")
  for file in "$REPOSITORIES"/*.repo; do
    [[ -f $file ]] || continue
    (umask 077 && awk -v orders="$STATE/repositories" '
      BEGIN {
        while ((getline line < orders) > 0) {
          split(line, field, "\t"); glob = field[2]
          gsub(/[.+]/, "[&]", glob); gsub(/[*]/, ".*", glob)
          what[++n] = field[1] == "enable"; pattern[n] = "^" glob "$"
        }
      }
      function value_of(line) { sub(/^[^=]*=[ \t]*/, "", line); sub(/[ \t]+$/, "", line); return line }
      function truth(text) { return tolower(text) ~ /^(1|yes|true|on|always)$/ }
      function finish(   i, on) {
        if (alias == "") return
        on = enabled
        for (i = 1; i <= n; i++) if (alias ~ pattern[i]) on = what[i]
        print "[" alias "]\nenabled=" on "\nautorefresh=1\nkeeppackages=1\n" (signed ? "pkg_gpgcheck=1\n" other : "") "gpgcheck=1"
        print rest
      }
      /^[ \t]*\[.*\]/ {
        finish()
        alias = $0; sub(/^[ \t]*\[/, "", alias); sub(/\].*/, "", alias)
        enabled = 1; signed = 0; other = ""; rest = ""
        next
      }
      /^[ \t]*([#;]|$)/ { next }
      {
        key = tolower($0); sub(/[ \t]*=.*/, "", key); sub(/^[ \t]*/, "", key)
        if (key == "enabled") enabled = truth(value_of($0)) ? 1 : 0
        else if (key == "pkg_gpgcheck") signed = truth(value_of($0))
        else if (key == "repo_gpgcheck") other = $0 "\n"
        else if (key !~ /^(gpgcheck|autorefresh|keeppackages|service)$/) rest = rest $0 "\n"
      }
      END { finish() }' "$file" >"$folder/${file##*/}")
  done
}

# zypper on a metadata folder, for looking alone: it takes no lock, so it never keeps an operator's zypper waiting.
# zypper_on <folder> <argument>…
zypper_on() {
  local folder=$1
  shift
  ZYPP_CONF=$folder.conf ZYPP_LOGFILE=$ZYPP/zypper.log ZYPP_READONLY_HACK=1 timeout 1800 \
    zypper --non-interactive --xmlout "$@" </dev/null
}

# Adds zypper's answer to the log, without how far it was in between.
log_answer() {
  grep -vE '^<(progress|option|prompt|/|text>Backend|description>[^P]|\?xml|stream>|download url=.*(percent|done)=)|^Continue\?' "$1" >"$1.short"
  log_output "$1.short"
}

# What zypper said in words, of the file that its answer is in: problems before errors, errors before warnings.
zypper_words() {
  {
    sed -nE 's/^<description>(Problem:.*)/\1/p' "$1"
    sed -nE 's/.*<message type="error">//p' "$1"
    sed -nE 's/.*<message type="warning">//p' "$1"
  } | sed -E 's/<[^>]*>//g; s/&apos;/'\''/g; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | grep -v '^ *$' | head -n 3 | paste -sd ' '
}

# Reads zypper's answer in XML on stdin and prints name, architecture, from, to, action and repository of what would
# change. Nothing but packages: patches and patterns have no files.
parse_summary() {
  awk -v RS='<' '
    function attribute(name,   at, text) {
      at = index($0, " " name "=\"")
      if (!at) return "-"
      text = substr($0, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    /^install-summary / { inside = 1; next }
    /^\/install-summary/ { inside = 0; next }
    !inside { next }
    /^to-/ { section = $1; sub(/>.*/, "", section); next }
    /^\/to-/ { section = ""; next }
    /^solvable / && attribute("type") == "package" {
      name = attribute("name"); arch = attribute("arch"); to = attribute("edition"); from = attribute("edition-old")
      if (section == "to-change-vendor") action = "vendor"
      # Said again of what stands in another section; the same version built anew is no version of its own.
      else if (section ~ /^to-(change-arch|reinstall)$/) next
      else if (section == "to-remove") { action = "remove"; from = to; to = "-" }
      else if (section == "to-downgrade") action = "downgrade"
      else if (section == "to-install") { action = "install"; from = "-" }
      else if (section ~ /^to-upgrade/) action = "upgrade"
      else action = "unknown"
      print name "\t" arch "\t" from "\t" to "\t" action "\t" attribute("repository")
    }'
}
