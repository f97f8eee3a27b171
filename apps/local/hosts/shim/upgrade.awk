# Owns what an upgrade would change: every installed package to its candidate, with new packages where they are
# needed, and nothing that would break what is installed.
# Prints "kept <name>" and "<new|upgraded|lowered> <name> <arch> <from> <to> <origins> <sha256> <uri>", by tabs,
# dependencies before those that need them.

END {
  while (!settle());
  for (i = 1; i <= packages; i++) {
    name = order[i]
    if (candidate(name) != installed[name] && !(name in target)) print "kept\t" name
  }
  n = packages
  for (name in target) if (!(name in installed)) order[++n] = name
  for (i = 1; i <= n; i++) show(order[i])
}

# One attempt. What turns out to be impossible is refused, and the next attempt does without it: true when there was
# nothing to refuse.
function settle(    i, name, more) {
  for (name in target) delete target[name]
  for (i = 1; i <= packages; i++) {
    name = order[i]
    # One whose unpacking was interrupted is unpacked again, at whatever version.
    if ((candidate(name) != installed[name] || half[name]) && !held[name] && !(name in refused))
      target[name] = candidate(name)
  }
  do {
    more = 0
    for (i = 1; i <= packages; i++) {
      name = order[i]
      more += name in target ? fulfil(name, target[name]) : fulfil(name, installed[name])
    }
    for (name in target) if (!(name in installed)) more += fulfil(name, target[name])
    if (more < 0) return 0
  } while (more > 0)
  return 1
}

# Sees to what a package depends on; 1 when something new came in for it, a large negative number when it can not be.
function fulfil(name, version,    n, i, clauses, added) {
  n = split(depends_of[name, version], clauses, / *, */)
  for (i = 1; i <= n; i++) {
    if (satisfied(clauses[i], 0)) continue
    if (satisfied(clauses[i], 1)) {
      target[chosen] = candidate(chosen)
      added = 1
      continue
    }
    if (name in target) refused[name] = 1
    else if (!refuse_changes_of(clauses[i])) {
      print "E: Unmet dependencies. " name " : Depends: " clauses[i] >"/dev/stderr"
      exit 100
    }
    return -1000000
  }
  return added
}

# Whether one of the alternatives holds as things would then be; with `new`, whether a new package would make it hold.
function satisfied(clause, new,    n, i, list, words, version) {
  n = split(clause, list, / *\| */)
  for (i = 1; i <= n; i++) {
    split(list[i], words, /[ ()]+/)
    if (new && (words[1] in installed || words[1] in refused)) continue
    version = new ? candidate(words[1]) : words[1] in target ? target[words[1]] : installed_version(words[1])
    if (version == "" || (words[2] != "" && !holds(version, words[2], words[3]))) continue
    chosen = words[1]
    return 1
  }
  return 0
}

function refuse_changes_of(clause,    n, i, list, words, count) {
  n = split(clause, list, / *\| */)
  for (i = 1; i <= n; i++) {
    split(list[i], words, /[ ()]+/)
    if (!(words[1] in target)) continue
    refused[words[1]] = 1
    count++
  }
  return count
}

function show(name,    version, n, i, list, words, from, way) {
  if (!(name in target) || name in shown) return
  shown[name] = 1
  version = target[name]
  n = split(depends_of[name, version], list, / *[,|] */)
  for (i = 1; i <= n; i++) {
    split(list[i], words, /[ ()]+/)
    show(words[1])
  }
  from = name in installed ? installed[name] : "-"
  way = from == "-" ? "new" : compare_versions(version, from) < 0 ? "lowered" : "upgraded"
  print way "\t" name "\t" arch_of[name, version] "\t" from "\t" version "\t" origins[name, version] "\t" \
    sha256_of[name, version] "\t" uri_of[name, version]
}
