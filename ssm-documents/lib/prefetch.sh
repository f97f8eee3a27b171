# shellcheck shell=bash
# Owns the files of a plan: makes sure there is room for them and for what they unpack to, and fetches exactly those.

prefetch() {
  local REPLY
  family_fetch_files || log "not everything could be fetched: $REPLY"
  check_files "$STATE/plan" || conclude 103 blocked download-failed "not fetched as the metadata says: $REPLY"
  save_state "plan=$PLAN_JSON"
  conclude 0 planned
}

# Computed from the plan: what a server needs that upgrades three libraries is not what one needs that gets a kernel.
# Sets PLAN_MEBIBYTES to what has to stay free for it where its files lie.
require_room_for_plan() {
  local download unpacked boot need free
  read -r download unpacked boot < <(family_room) ||
    conclude 105 blocked disk-full 'the room that the plan needs could not be computed'
  need=$((download + 20))
  free=$(free_mebibytes "$FILES")
  ((free >= need)) || conclude 105 blocked disk-full "$FILES has $free MiB free; the plan needs $need MiB"
  PLAN_MEBIBYTES=$((need + boot))
  if same_file_system "$FILES" "$ROOT/usr"; then
    need=$((need + unpacked)) PLAN_MEBIBYTES=$((PLAN_MEBIBYTES + unpacked))
  else
    need=$((unpacked + 20))
  fi
  if ((boot > 0)) && same_file_system "$ROOT/boot" "$ROOT/usr"; then
    need=$((need + boot))
  elif ((boot > 0)); then
    free=$(free_mebibytes "$ROOT/boot")
    ((free >= boot)) || conclude 105 blocked boot-full "$ROOT/boot has $free MiB free; the plan's kernels need $boot MiB"
  fi
  # For what comes between the two.
  printf '%s\n' "$PLAN_MEBIBYTES" >"$STATE/room"
  free=$(free_mebibytes "$ROOT/usr")
  ((free >= need)) || conclude 105 blocked disk-full "$ROOT/usr has $free MiB free; the plan needs $need MiB"
}

same_file_system() {
  [[ $(stat -c %d -- "$1") == "$(stat -c %d -- "$2")" ]]
}
