#!/bin/sh
# test-dump.sh FOLDER APPLICATION
# Restores FOLDER/database.dump into a server that nobody else reaches and that goes with the Pod, and asks it what
# there is. What fails is left in FOLDER for the next step, which tells it.
set -eu
umask 077
export LC_ALL=C
folder=$1
application=$2
here=$(cd "$(dirname "$0")" && pwd)
data="$folder/pgdata"
export PGHOST="${TMPDIR:-/tmp}" PGUSER=postgres

fail() {
  echo "$1" >&2
  echo "$1" >"$folder/failed"
  exit 0
}
stop() { pg_ctl --pgdata="$data" --mode=immediate stop >/dev/null 2>&1 || true; }

rm -rf "$folder/failed" "$data"
initdb --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null ||
  fail "no server could be made, see above; for want of room, raise backup.store.temporaryStorage"
trap stop EXIT
# Fast rather than durable.
pg_ctl --pgdata="$data" --wait --silent --log="$folder/log" \
  -o "-c listen_addresses='' -c unix_socket_directories=$PGHOST -c fsync=off -c full_page_writes=off" start ||
  fail "the server did not start: $(tail -n 3 "$folder/log")"
createdb "$application"
pg_restore --dbname="$application" --single-transaction --exit-on-error --no-owner --no-privileges \
  "$folder/database.dump" || fail "pg_restore failed, see above"
psql --dbname="$application" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=here="$here" --set=out="$folder" \
  --set=application="$application" --file="$here/check.sql" || fail "the restored database could not be checked, see above"
echo "restored and checked"
