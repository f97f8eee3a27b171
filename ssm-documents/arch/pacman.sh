# shellcheck shell=bash
# Owns how pacman is asked: by settings, databases and a cache of this job, so that the system's own are read and not
# written until the transaction itself. A bare `pacman -Sy` would make the operator's next `-S` a partial upgrade.

PACMAN=$JOB/pacman
FILES=$PACMAN/files
KEYS=$PACMAN/keys
METADATA_SEALED=$PACMAN/sealed
METADATA_NOW=$PACMAN/now
PACKAGE_MANAGER=pacman
# Whole systems only: a repository has one version of each package, built against the others, and says nothing of
# security.
SUPPORTS='all repositories'
# A new kernel takes the place of the one before, as any package does: the way back is its file.
KERNEL_NAMES='^linux(-(lts|zen|hardened|rt|rt-lts|aarch64|rpi|rpi-16k|cachyos[a-z0-9-]*)|[0-9]+(-rt)?)?$'
KERNELS_STAY=no

NEEDS+=(base64 bsdtar comm gpg join mount pacman pacman-conf unshare wc)

# The agent is the process that runs this script: it is updated by its own means, never by a campaign.
NEVER_CHANGED=amazon-ssm-agent

# Reads the operator's configuration, included files and all, as pacman itself understands it.
family_settings() {
  local id='' like='' line
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
    ID=*) id=${line#ID=} ;;
    ID_LIKE=*) like=${line#ID_LIKE=} ;;
    esac
  done <"$ROOT/etc/os-release"
  # SteamOS is like Arch, and is replaced as a whole.
  case "$id $like " in
  arch\ * | archarm\ * | manjaro\ * | endeavouros\ * | *' arch '*) [[ $id != steamos ]] ;;
  *) false ;;
  esac || conclude 107 unsupported variant-unknown "$id is no distribution that is upgraded by pacman"
  mkdir -p -- "$FILES" && chmod 0755 "$PACMAN" "$FILES"
  # Logins to repositories stand in addresses.
  (umask 077 && pacman-conf >"$PACMAN/operator.conf" 2>"$WORK/pacman-conf") || {
    REPLY="pacman can not read its configuration: $(head -n 1 "$WORK/pacman-conf")"
    return 1
  }
  DATABASE=$(setting_of DBPath)
  DATABASE=$ROOT${DATABASE%/}
  LOCK=$DATABASE/db.lck
  mapfile -t CACHES < <(setting_of CacheDir)
}

# Prints the values of a setting, one a line.
setting_of() {
  sed -n "s/^$1 = //p" "$PACMAN/operator.conf"
}

# Ids of the repositories that the order leaves, in the operator's order, which decides which of two has its way. pacman
# knows none that are there and switched off, so what the order enables has to be configured. Sets REPLY when it is not.
# choose_repositories <folder of databases>
choose_repositories() {
  REPLY=$(awk -F '\t' -v order="$STATE/repositories" '
    FILENAME == order {
      glob = $2; gsub(/[.+]/, "[&]", glob); gsub(/[*]/, ".*", glob)
      kind[++n] = $1; expression[n] = "^" glob "$"; said[n] = $2; next
    }
    /^\[.*\]$/ && $0 != "[options]" {
      repository = substr($0, 2, length($0) - 2); chosen = 1
      for (i = 1; i <= n; i++) if (repository ~ expression[i]) { chosen = kind[i] == "enable"; found[i] = 1 }
      if (chosen) print repository
    }
    END { for (i = 1; i <= n; i++) if (kind[i] == "enable" && !found[i]) print said[i] >"/dev/stderr" }
  ' "$STATE/repositories" "$PACMAN/operator.conf" 2>&1 >"$1.repositories" | some_of)
}

# Writes the settings for a folder of databases: `.fetch` with the operator's servers, `.here` with none, for which
# nothing exists but the files of a folder, and `.run`, the same with the system's keys where this job has learnt more.
# Packages need a good signature whatever the operator's SigLevel says; databases as
# the operator has it, since those of Arch are not signed.
write_settings() {
  local settings=$1.fetch
  awk -v repositories="$1.repositories" -v never="$NEVER_CHANGED" '
    function level() { if (section != "") print "SigLevel = PackageRequired PackageTrustedOnly DatabaseTrustedOnly " database }
    BEGIN { while ((getline line < repositories) > 0) chosen[line] = 1 }
    FILENAME == ARGV[1] { excluded = excluded " " $0; next }
    /^\[/ {
      level()
      repository = substr($0, 2, length($0) - 2)
      if (repository == "options") database = "DatabaseOptional"; else if (general == "") general = database
      if (repository != "options") database = general
      section = repository == "options" || repository in chosen ? repository : ""
      if (section != "") print
      if (repository == "options") print "IgnorePkg = " never excluded
      next
    }
    /^SigLevel = Database(Required|Optional|Never)$/ { database = $3; next }
    section == "" || /^(DBPath|CacheDir|SigLevel|LocalFileSigLevel|RemoteFileSigLevel|CleanMethod) = / ||
      /^(VerbosePkgLists|Color|NoProgressBar|ILoveCandy)$/ { next }
    { print }
    END { level() }
  ' "$STATE/exclusions" "$PACMAN/operator.conf" >"$settings.new" || return 1
  # Repositories in the lists of changes, and files as strictly judged as what servers have.
  sed -i '0,/^\[options\]$/s//&\nVerbosePkgLists\nLocalFileSigLevel = Required\nRemoteFileSigLevel = Required/' \
    "$settings.new" || return 1
  chmod 0600 "$settings.new" && mv -f -- "$settings.new" "$settings"
  sed -E '/^(XferCommand|CacheServer) = /d; s#^Server = .*#Server = file:///nonexistent#' "$settings" >"$1.run" && chmod 0600 "$1.run" && cp -p -- "$1.run" "$1.here" || return 1
  [[ ! -d $KEYS ]] || sed -i "s#^GPGDir = .*#GPGDir = $KEYS/#" "$settings" "$1.here"
}

# Which questions of pacman get the other answer than with --noconfirm alone, as a sum of bits (alpm.h): 1 an ignored
# package after all (no), 2 replace (yes), 4 remove what is in conflict (no), 8 delete a corrupted file (no), 64 import a
# key (no). $1 says whether packages may go.
answers() {
  if [[ $1 == allow ]]; then printf 77; else printf 75; fi
}

# ask_pacman <settings> <folder of databases> <folder of files> <arguments>…: in the private folders nobody else locks.
ask_pacman() {
  local settings=$1 folder=$2 files=$3
  shift 3
  rm -f -- "$folder/db.lck"
  pacman --config "$folder.$settings" --dbpath "$folder" --cachedir "$files" --logfile "$PACMAN/log" \
    --noconfirm --noprogressbar --color never "$@" </dev/null
}

# By a database with one package in it: the order of versions is pacman's own.
family_version_at_least() {
  local folder=$WORK/versions
  [[ $1 != "$2" ]] || return 0
  rm -rf -- "$folder"
  mkdir -p -- "$folder/local/it-$1" "$folder/sync"
  cp -- "$DATABASE/local/ALPM_DB_VERSION" "$folder/local/" 2>/dev/null || true
  printf '%%NAME%%\nit\n\n%%VERSION%%\n%s\n\n' "$1" >"$folder/local/it-$1/desc"
  : >"$folder/local/it-$1/files"
  pacman --config /dev/null --dbpath "$folder" --logfile /dev/null -T "it>=$2" >/dev/null 2>>"$LOG"
}
