#!/bin/sh
# streaming.sh: whether the server streams its log to the receiver of this Pod. Its environment says how to connect.
set -eu
export PGPASSFILE="$TMPDIR/pgpass" PGCONNECT_TIMEOUT=5
psql --dbname=postgres --no-psqlrc --no-password --tuples-only --no-align --command="
  SELECT count(*) FROM pg_stat_replication WHERE usename = current_user AND application_name = 'pg_receivewal'
     AND state = 'streaming'" | grep -qvx 0
