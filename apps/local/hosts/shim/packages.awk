# Owns what can be had and what is preferred: reads preferences, package lists and dpkg's table, and knows candidates.
# Operands in between say what follows: kind=preferences, kind=index (with label, suite, codename, origin, uri) and
# kind=installed.

kind == "preferences" && /^Package:/ { words = substr($0, 9); next }
kind == "preferences" && /^Pin:/ { pin = substr($0, 6); next }
kind == "preferences" && /^Pin-Priority:/ {
  pins++
  pin_words[pins] = words
  pin_rule[pins] = pin
  pin_priority[pins] = $2
  pin_general[pins] = words ~ /^ *\* *$/
  next
}

kind == "index" && /^$/ { name = ""; next }
kind == "index" {
  colon = index($0, ": ")
  field = substr($0, 1, colon - 1)
  value = substr($0, colon + 2)
  if (field == "Package") name = value
  else if (field == "Version") add_version(name, value)
  else if (field == "Architecture") arch_of[name, version] = value
  else if (field == "Depends") depends_of[name, version] = value
  else if (field == "SHA256") sha256_of[name, version] = value
  else if (field == "Filename") uri_of[name, version] = uri "/" value
  next
}

kind == "installed" {
  split($0, column, "\t")
  installed[column[1]] = column[3]
  installed_arch[column[1]] = column[2]
  held[column[1]] = column[4] ~ /^h/
  half[column[1]] = column[4] ~ /H$/
  order[++packages] = column[1]
  if (!((column[1], column[3]) in depends_of)) depends_of[column[1], column[3]] = column[6]
}

# Looking a key up would make it: whether a package is installed is asked by `in` elsewhere.
function installed_version(name) {
  return name in installed ? installed[name] : ""
}

# The stand-in's lists have Version right after Package, as ours are written.
function add_version(name, of,    place) {
  version = of
  if (!((name, version) in origins)) versions[name] = versions[name] " " version
  place = label ":" suite
  origins[name, version] = origins[name, version] (origins[name, version] == "" ? "" : ", ") place
  archives[name, version] = archives[name, version] "\t" "a=" suite ",n=" codename ",l=" label ",o=" origin
}

function as_pattern(glob,    character, i, text) {
  for (i = 1; i <= length(glob); i++) {
    character = substr(glob, i, 1)
    if (character == "*") text = text ".*"
    else if (character == "?") text = text "."
    else if (character ~ /[A-Za-z0-9]/) text = text character
    else text = text "[" character "]"
  }
  return "^" text "$"
}

function names_package(words, name,    n, i, list) {
  n = split(words, list, " ")
  for (i = 1; i <= n; i++) if (list[i] == name || (list[i] ~ /[*?]/ && name ~ as_pattern(list[i]))) return 1
  return 0
}

# Whether a pin's rule fits a version; an installed version that no list has is in no archive.
function fits(rule, name, version,    n, i, keys, m, j, wanted, all) {
  if (rule == "release *") return 1
  if (rule ~ /^version /) return version ~ as_pattern(substr(rule, 9))
  if (rule !~ /^release /) {
    print "E: the stand-in knows no pin \"" rule "\"" >"/dev/stderr"
    exit 100
  }
  n = split(archives[name, version], keys, "\t")
  m = split(substr(rule, 9), wanted, / *, */)
  for (i = 2; i <= n; i++) {
    all = 1
    for (j = 1; j <= m; j++) if (index("," keys[i] ",", "," wanted[j] ",") == 0) all = 0
    if (all) return 1
  }
  return 0
}

# The first record about packages by name decides, then the first about all packages.
function priority(name, version,    general, i) {
  for (general = 0; general <= 1; general++)
    for (i = 1; i <= pins; i++)
      if (pin_general[i] == general && names_package(pin_words[i], name) && fits(pin_rule[i], name, version))
        return pin_priority[i]
  return (name, version) in origins ? 500 : 100
}

# The version that apt would have: of the highest priority, then the latest, and no downgrade below priority 1000.
function candidate(name,    n, i, list, value, best, now) {
  if (name in candidates) return candidates[name]
  best = ""
  best_priority = 0
  now = installed_version(name)
  n = split(versions[name] " " now, list, " ")
  for (i = 1; i <= n; i++) {
    value = priority(name, list[i])
    if (value <= 0 || value < best_priority) continue
    if (value == best_priority && compare_versions(list[i], best) <= 0) continue
    best = list[i]
    best_priority = value
  }
  if (now != "" && (best == "" || (best_priority < 1000 && compare_versions(best, now) < 0))) best = now
  candidates[name] = best
  return best
}
