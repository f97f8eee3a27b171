# shellcheck shell=bash
# Owns what Ubuntu Pro has for a server: whether it is attached, which services and ESM repositories it has, and how many
# security updates it lacks for want of them.

# Writes the section `pro`: key and value, `-` where that is not told. Source: ubuntu-pro-client's security-status, whose
# JSON says of each package with security updates `upgrade_available`, or what would have to come first.
look_at_pro() {
  local answer='' attached=- services=- pockets waiting=-
  pockets=$(awk -F '|' '$3 ~ /^UbuntuESM/ { print $5 }' "$WORK/targets" | sort -u | paste -sd ,)
  if command -v pro >/dev/null; then
    answer=$(timeout 60 pro security-status --format json 2>>"$LOG" </dev/null | tr -d ' \n')
  elif [[ -z $pockets ]]; then
    return 0
  fi
  [[ $answer != *'"attached":true'* ]] || attached=yes
  [[ $answer != *'"attached":false'* ]] || attached=no
  [[ ! $answer =~ \"enabled_services\":\[([^]]+)\] ]] || services=${BASH_REMATCH[1]//\"/}
  if [[ $answer == *'"packages":['* ]]; then
    waiting=$(grep -oE '"status":"pending_(attach|enable)"' <<<"$answer" | wc -l)
    FOUND[proUpdates]=$waiting
    ((waiting == 0)) || warn pro-updates "$waiting security updates come with Ubuntu Pro alone (attached: $attached, services: $services)"
  fi
  printf '%s\t%s\n' attached "$attached" services "$services" pockets "${pockets:--}" updates "$waiting" >"$WORK/pro"
  result_section pro "$WORK/pro"
}
