# shellcheck shell=bash
# Owns how parameters reach a script: from the environment where the agent sets it, from text put in place where not.

# What stops a script that can not even say which campaign it serves; the summary step then finds no state.
refuse_parameters() {
  printf 'quarterdeck: %s\n' "$1" >&2
  exit 1
}

# Reads "Name=text" lines of stdin, one for each pattern in PARAMETER_PATTERNS, and sets a variable of each name.
# Agents before 3.3.2746.0 put the value in place of the text; newer ones set SSM_<Name>, and may do both. The lines
# come from a here-document with a quoted delimiter, so that even a value that slipped past allowedPattern stays text;
# a line too many (a line feed in a value) or too few stops the script.
read_parameters() {
  local line name value variable
  local -A seen=()
  while IFS= read -r line || [[ -n $line ]]; do
    name=${line%%=*}
    value=${line#*=}
    [[ $name =~ ^[A-Za-z][A-Za-z0-9]*$ && -n ${PARAMETER_PATTERNS[$name]+known} && -z ${seen[$name]+twice} ]] ||
      refuse_parameters "a parameter holds a line break or is not known: send the document's own parameters"
    seen[$name]=1
    variable=SSM_$name
    [[ -z ${!variable+set} ]] || value=${!variable}
    [[ $value =~ ${PARAMETER_PATTERNS[$name]} ]] ||
      refuse_parameters "parameter $name does not match ${PARAMETER_PATTERNS[$name]}: ${value:0:80}"
    printf -v "$name" %s "$value"
  done
  ((${#seen[@]} == ${#PARAMETER_PATTERNS[@]})) ||
    refuse_parameters "only ${#seen[@]} of ${#PARAMETER_PATTERNS[@]} parameters arrived"
}
