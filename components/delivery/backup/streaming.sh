#!/bin/sh
# streaming.sh SLOT: whether the server streams its log through the slot. Its environment says how to connect. What
# pg_stat_replication says of a connection, its own role may not read; of slots everybody may.
set -eu
export PGPASSFILE="$TMPDIR/pgpass" PGCONNECT_TIMEOUT=5
psql --dbname=postgres --no-psqlrc --no-password --tuples-only --no-align --command="
  SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$1' AND active" | grep -qx 1
