# Owns what the stand-in package manager would do: which version of each package is the candidate, and what follows.
# Reads preferences, installed packages (name, architecture, version, state) and indexes of packages, in this order,
# as files named in `-v preferences=… -v installed=…` and as arguments. Prints tab-separated lines:
# candidate <name> <version>; inst <name> <architecture> <from> <to> <origin>; keep <name>.

BEGIN {
  for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
  read_preferences()
  while ((getline line < installed) > 0) {
    split(line, field, "\t")
    name = field[1]; names[name] = 1
    now[name] = field[3]; state[name] = field[4]; arch[name] = field[2]
    add_version(name, field[3], "now", field[2], "")
  }
}

/^Package: / { name = substr($0, 10); names[name] = 1; depends = "" }
/^Version: / { version = substr($0, 10) }
/^Architecture: / { architecture = substr($0, 15) }
/^Depends: / { depends = substr($0, 10) }
/^Origin: / { origin = substr($0, 9) }
/^$/ { if (name != "") add_version(name, version, origin, architecture, depends); name = "" }
END {
  for (name in names) choose(name)
  for (name in now) if (candidate[name] != "" && candidate[name] != now[name]) {
    if (state[name] ~ /^h/) kept[name] = 1
    else wanted[name] = candidate[name]
  }
  do { changed = 0; for (name in wanted) settle(name) } while (changed)
  for (name in wanted)
    print "inst\t" name "\t" built[name, wanted[name]] "\t" (name in now ? now[name] : "-") "\t" wanted[name] "\t" came[name, wanted[name]]
  for (name in kept) print "keep\t" name
  for (name in names) if (candidate[name] != "") print "candidate\t" name "\t" candidate[name]
}

function add_version(name, version, origin, architecture, depends) {
  if (!((name, version) in came)) versions[name] = versions[name] " " version
  else if (origin == "now") return
  came[name, version] = origin; built[name, version] = architecture; needs[name, version] = depends
}

# Of the versions with the highest priority the newest; never an older one than is installed, below 1000.
function choose(name,   list, n, i, priority, best) {
  best = -1
  n = split(versions[name], list, " ")
  for (i = 1; i <= n; i++) {
    priority = priority_of(name, list[i])
    if (priority < 0 || (name in now && priority < 1000 && compare(list[i], now[name]) < 0)) continue
    if (priority > best || (priority == best && compare(list[i], candidate[name]) > 0)) {
      best = priority; candidate[name] = list[i]
    }
  }
}

# What a wanted package needs comes with it, or the package is kept back.
function settle(name,   list, n, i, dependency, least, becomes) {
  n = split(needs[name, wanted[name]], list, /, */)
  for (i = 1; i <= n; i++) {
    dependency = list[i]; sub(/ .*/, "", dependency)
    least = ""
    if (match(list[i], />= [^)]*/)) least = substr(list[i], RSTART + 3, RLENGTH - 3)
    if (!(dependency in now) && !(dependency in wanted) && candidate[dependency] != "") {
      wanted[dependency] = candidate[dependency]; changed = 1
    }
    becomes = dependency in wanted ? wanted[dependency] : now[dependency]
    if (becomes == "" || (least != "" && compare(becomes, least) < 0)) {
      delete wanted[name]; kept[name] = 1; changed = 1
      return
    }
  }
}

function read_preferences(   line, who, what) {
  while ((getline line < preferences) > 0) {
    if (line ~ /^Package: /) who = substr(line, 10)
    else if (line ~ /^Pin: /) what = substr(line, 6)
    else if (line ~ /^Pin-Priority: /) { records++; about[records] = who; pin[records] = what; weight[records] = substr(line, 15) + 0 }
  }
}

# The first record that fits decides; a record about every package comes after those that name some.
function priority_of(name, version,   general, i) {
  for (general = 0; general < 2; general++)
    for (i = 1; i <= records; i++)
      if ((about[i] == "*") == general && names_fit(about[i], name) && pin_fits(pin[i], version)) return weight[i]
  return came[name, version] == "now" ? 100 : 500
}

function names_fit(globs, name,   list, n, i) {
  n = split(globs, list, " ")
  for (i = 1; i <= n; i++) if (glob_fits(list[i], name)) return 1
  return 0
}

function pin_fits(text, version) {
  if (text ~ /^version /) return glob_fits(substr(text, 9), version)
  return text == "release *"
}

function glob_fits(glob, text) {
  if (glob !~ /[*?]/) return glob == text
  gsub(/[.+^$()|\\]/, "\\\\&", glob); gsub(/\*/, ".*", glob); gsub(/\?/, ".", glob)
  return text ~ ("^" glob "$")
}

# Debian policy 5.6.12.
function compare(a, b,   i, result) {
  i = index(a, ":"); epoch_a = i ? substr(a, 1, i - 1) + 0 : 0; if (i) a = substr(a, i + 1)
  i = index(b, ":"); epoch_b = i ? substr(b, 1, i - 1) + 0 : 0; if (i) b = substr(b, i + 1)
  if (epoch_a != epoch_b) return epoch_a < epoch_b ? -1 : 1
  result = compare_part(upstream(a), upstream(b))
  return result ? result : compare_part(substr(a, length(upstream(a)) + 2), substr(b, length(upstream(b)) + 2))
}

function upstream(version) { return match(version, /-[^-]*$/) ? substr(version, 1, RSTART - 1) : version }

function compare_part(a, b,   x, y) {
  while (a != "" || b != "") {
    while ((a != "" && a !~ /^[0-9]/) || (b != "" && b !~ /^[0-9]/)) {
      x = weigh(a); y = weigh(b)
      if (x != y) return x < y ? -1 : 1
      a = substr(a, 2); b = substr(b, 2)
    }
    match(a, /^[0-9]*/); x = substr(a, 1, RLENGTH) + 0; a = substr(a, RLENGTH + 1)
    match(b, /^[0-9]*/); y = substr(b, 1, RLENGTH) + 0; b = substr(b, RLENGTH + 1)
    if (x != y) return x < y ? -1 : 1
  }
  return 0
}

function weigh(text,   c) {
  if (text == "" || text ~ /^[0-9]/) return 0
  c = substr(text, 1, 1)
  return c == "~" ? -1 : c ~ /[A-Za-z]/ ? code[c] : code[c] + 256
}
