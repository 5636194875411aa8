#!/bin/sh
# receive-wal.sh SPOOL SLOT
# Receives WAL as the server writes it. The slot makes the server keep what has not been received, the spool keeps
# what has not been shipped. PGHOST, PGUSER and PGPASSWORD_FILE say how to connect.
set -eu
umask 077
export LC_ALL=C
spool=$1
slot=$2
pass=${TMPDIR:-/tmp}/pgpass
printf '*:*:*:*:%s\n' "$(cat "$PGPASSWORD_FILE")" >"$pass"
export PGPASSFILE="$pass" PGCONNECT_TIMEOUT=10
child=
trap 'kill $child 2>/dev/null || true; wait $child || true; exit 0' TERM INT

ask() {
  psql --dbname=postgres --no-psqlrc --no-password --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$1"
}

# run COMMAND...: in the background, so that the shell hears a signal meanwhile.
run() {
  "$@" &
  child=$!
  code=0
  wait $child || code=$?
  child=
  return $code
}

# begin: where the log goes on in another way than it was received (another server or timeline, or a slot that is new
# or lost), what is half received belongs to nothing, and what is whole has to be shipped before the rest is asked for.
begin() {
  # A volume that was full leaves a segment that is shorter than 16 MiB, on which pg_receivewal would fail each time.
  # The slot makes the server keep its content.
  find "$spool" -maxdepth 1 -name '*.partial' ! -size 16777216c -delete
  log=$(ask "SELECT system_identifier || '/' || timeline_id FROM pg_control_system(), pg_control_checkpoint()") || return 1
  state=$(ask "SELECT coalesce(max(wal_status), 'none') FROM pg_replication_slots WHERE slot_name = '$slot'") || return 1
  if [ "$state" = lost ]; then
    ask "SELECT pg_drop_replication_slot('$slot')" >/dev/null || return 1
    state=none
  fi
  before=$(cat "$spool/.log" 2>/dev/null || true)
  if [ "$state" != none ] && [ "$before" = "$log" ]; then return 0; fi
  rm -f "$spool"/*.partial
  if [ -n "$(find "$spool" -maxdepth 1 -type f ! -name '.*' | head -n 1)" ]; then
    echo "waiting until what was received of ${before:-an earlier log} is shipped"
    return 1
  fi
  # Segments that nobody has seen lie between what is there and what comes: only a new base backup leads on from here.
  if [ "$state" = none ] && [ -n "$before" ]; then
    echo "WAL was lost before it was received; recovery to a time needs a base backup from now on" >&2
    : >"$spool/.gap"
  fi
  if [ "$state" = none ]; then
    pg_receivewal --create-slot --if-not-exists --slot="$slot" --no-password || return 1
  fi
  printf '%s\n' "$log" >"$spool/.log"
}

while :; do
  if begin; then
    run pg_receivewal --directory="$spool" --slot="$slot" --no-password --no-loop --status-interval=10 || true
  fi
  run sleep 5 || true
done
