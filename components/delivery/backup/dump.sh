#!/bin/sh
# dump.sh PLAN FOLDER
# Dumps the database and counts its rows, both as they are at the same moment. What it fails of is left in FOLDER
# for the next step, which tells it: this one has nothing to tell it with.
set -eu
umask 077
export LC_ALL=C
plan=$1
folder=$2
here=$(dirname "$0")
export PGSERVICEFILE="$plan/pg_service.conf" PGPASSFILE="$plan/pgpass"

fail() {
  echo "$1" >&2
  echo "$1" >"$folder/failed"
  exit 0
}

# What an earlier try in this Pod has left.
rm -f "$folder/failed" "$folder/dumped" "$folder/database.dump"
date +%s >"$folder/started"
export FOLDER="$folder"
# pg_dump reads what the session that counts has exported; `\!` has no way to say whether it succeeded.
psql --dbname=service=snapshot --no-psqlrc --no-password --quiet --tuples-only --no-align --field-separator='	' \
  --set=ON_ERROR_STOP=1 --set=counts="$here/counts.sql" --output="$folder/tables.tsv" <<'SQL' || fail "the database cannot be read, see above"
SET lock_timeout = '60s';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot
\gset
\setenv SNAPSHOT :snapshot
\! pg_dump --dbname=service=snapshot --snapshot="$SNAPSHOT" --format=custom --no-password --lock-wait-timeout=60000 --file="$FOLDER/database.dump" && : >"$FOLDER/dumped"
\i :counts
COMMIT;
SQL
[ -e "$folder/dumped" ] || fail "pg_dump failed, see above; for want of room, raise backup.store.temporaryStorage"
pg_restore --list "$folder/database.dump" >/dev/null || fail "what pg_dump wrote has no list of contents"
# The list is the file's beginning; this reads the rest as well.
pg_restore --file=/dev/null "$folder/database.dump" || fail "what pg_dump wrote cannot be read"
echo "dumped $(wc -l <"$folder/tables.tsv") tables, $(stat -c %s "$folder/database.dump") bytes"
