#!/bin/sh
# recover.sh DATA APPLICATION AFTER [or-end]
# Lets PostgreSQL replay WAL on a base backup that `inventory backup recover-base` has brought: DATA/pgdata.recovering
# becomes DATA/pgdata once it is a database that has been recovered to its end. AFTER is a script that psql runs
# before, as the superuser. With or-end the end of the WAL will do where no change is as late as the target, which
# PostgreSQL by itself takes for a mistake.
set -eu
umask 077
export LC_ALL=C
data=$1
application=$2
after=$3
or_end=${4:-}
here=$(cd "$(dirname "$0")" && pwd)
wal="$data/recovery"
new="$data/pgdata.recovering"
socket=${TMPDIR:-/tmp}

fail() {
  echo "Nothing was recovered: $1." >&2
  exit 1
}
ask() {
  psql --host="$socket" --username=postgres --dbname=postgres --no-psqlrc --no-password --quiet --tuples-only \
    --no-align --set=ON_ERROR_STOP=1 "$@"
}

if [ -e "$data/pgdata/PG_VERSION" ]; then
  echo "nothing is recovered: the volume has a database"
  rm -rf "$wal"
  exit 0
fi
[ -e "$wal/ready" ] || fail "there is no base backup in $data"
target=$(cat "$wal/target")
timeline=$(cat "$wal/timeline")
until=
case $target in
latest) ;;
# PostgreSQL reads its command line before it knows the names of zones.
*Z) until=${target%Z}+00:00 ;;
*) until=$target ;;
esac
# Once only: a server that has begun to replay has changed the files, and one that has ended its recovery must not begin
# another one. The manifest is made by the server that wrote the files, before they were encrypted.
if [ ! -e "$wal/verified" ]; then
  pg_verifybackup --exit-on-error --quiet "$new" || fail "the base backup $(cat "$wal/ready") is damaged, see above"
  : >"$new/recovery.signal"
  : >"$wal/verified"
fi
# Nobody but this script may connect, whatever the server of then let in.
echo 'local all all trust' >"$socket/recovery_hba.conf"

server=
shown=
trap 'kill $shown 2>/dev/null || true; kill -INT $server 2>/dev/null || true' EXIT
trap 'fail "it was told to stop"' TERM INT

# start: a server that replays up to a time, or to the end of the WAL. What it says is shown, and kept to be read.
start() {
  : >"$wal/log"
  tail -f "$wal/log" >&2 &
  shown=$!
  # Not a hot standby: that would want the settings of the server of then.
  postgres -D "$new" -c listen_addresses= -c unix_socket_directories="$socket" -c hba_file="$socket/recovery_hba.conf" \
    -c restore_command="sh '$here/restore-wal.sh' '$wal' %f %p" -c recovery_target_time="$until" \
    -c recovery_target_action=promote -c recovery_target_timeline="$timeline" -c hot_standby=off \
    -c archive_mode=off -c max_wal_senders=0 -c logging_collector=off -c lc_messages=C >>"$wal/log" 2>&1 &
  server=$!
}

start
while ! ask --command='SELECT pg_is_in_recovery()' 2>/dev/null | grep -qx f; do
  sleep 1
  if kill -0 "$server" 2>/dev/null; then continue; fi
  kill "$shown" 2>/dev/null || true
  grep -q 'recovery ended before configured recovery target was reached' "$wal/log" ||
    fail "PostgreSQL ended, see above"
  [ "$or_end" = or-end ] || fail "no change is as late as $target: take \"latest\", or what there is (orEnd)"
  echo "no change is as late as $target: going on to the end of the WAL"
  until=
  start
done
echo "recovered $(cat "$wal/ready") to ${until:-the end of its WAL}; the last change is of $(ask --command="SELECT coalesce(pg_last_xact_replay_timestamp()::text, 'the base backup')")"
ask --set=here="$here" --set=out="$data" --set=application="$application" --file="$after" ||
  fail "$after failed, see above"
kill -INT "$server"
wait "$server" || fail "PostgreSQL did not stop cleanly"
server=
rm -rf "$data/pgdata"
sync
mv "$new" "$data/pgdata"
sync "$data"
rm -rf "$wal"
