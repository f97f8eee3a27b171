# shellcheck shell=bash
# Owns what a family may leave as it is: each function here stands until the family's own takes its place. README.md
# has the whole contract.

# What sentences call it; a family with variants sets it as it chooses one.
PACKAGE_MANAGER='the package manager'
# Modes and terms of an order that the family can answer; anything else is unsupported, never silently something else.
SUPPORTS='all'
# Names of kernel packages, as an extended regular expression: each new one takes a minute for its initrd and room in
# /boot, and a rollback leaves it installed.
KERNEL_NAMES='^$'
# Whether a new kernel is installed beside the one before, which then is the way back; `no` where it takes its place.
KERNELS_STAY=yes
# Files whose POSIX lock means that somebody works on packages.
LOCK_FILES=()

# Sets REPLY to who holds the package database, or to nothing.
family_lock_holder() {
  local file
  REPLY=''
  for file in "${LOCK_FILES[@]}"; do
    REPLY=$(lock_holders "$file")
    [[ -z $REPLY ]] || return 0
  done
}

# Whether metadata in a folder is past the last day that it gives itself.
family_metadata_expired() { return 1; }

# Warnings that only this family knows, in prepare.
family_warnings() { :; }

# Names of packages that the operator holds, one a line.
family_holds() { :; }

# Names of installed packages that no enabled repository has, one a line; fails where that is not told.
family_foreign() { return 1; }

# Differences of installed files, `<package or -> <path> <what> <config|file>`, for the packages named in a file.
family_integrity() { return 1; }

# Versions before that repositories still have: reads `<name> <arch> <version>`, prints them with their bytes.
family_old_sources() { :; }

# Makes files of installed packages that no repository has: reads `<name> <arch> <version>`, prints what came as
# family_fetch_old does. Nobody signs them.
family_repack() { :; }

# Has a kernel from before the ones in a file (`<name> <arch> <version>`) booted, and sets REPLY to its release and, after a
# tab, how long: `from now on`, `at the next start alone`. Fails where there is none, or no boot loader to tell.
family_boot_before() { return 1; }

# Fetches what family_old_sources printed into $OLD; prints `<name> <arch> <version> <file name>` of what came.
family_fetch_old() { :; }
