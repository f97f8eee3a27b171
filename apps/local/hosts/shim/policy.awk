# Owns what `apt-cache policy` says of the packages in `asked`.

END {
  n = split(asked, list, " ")
  for (i = 1; i <= n; i++) {
    name = list[i]
    sub(/:.*/, "", name)
    if (!(name in versions) && !(name in installed)) continue
    print name ":"
    print "  Installed: " (name in installed ? installed[name] : "(none)")
    print "  Candidate: " (candidate(name) == "" ? "(none)" : candidate(name))
  }
}
