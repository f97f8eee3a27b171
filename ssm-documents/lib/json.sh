# shellcheck shell=bash
# Owns text as JSON, without a program that servers may not have.

# Sets REPLY to the text as a JSON string. Whatever is not printable ASCII becomes a question mark: package managers
# quote file names and maintainers' words, and a summary must stay one line of known size.
json_string() {
  local text=${1//[^[:print:]]/?}
  # No address with its password, wherever the text came from.
  [[ $text != *//*@* ]] || text=${text//\/\/*([^\/ ])@/\/\/}
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  REPLY="\"$text\""
}

# Sets REPLY to the value of a string member, from a flat JSON object as instance metadata serves them.
json_member() {
  local pattern="\"$2\"[[:space:]]*:[[:space:]]*\"([^\"\\\\]*)\""
  REPLY=''
  [[ $1 =~ $pattern ]] && REPLY=${BASH_REMATCH[1]}
}
