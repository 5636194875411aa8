#!/bin/sh
# restore.sh SNAPSHOT [PLAN]
# Restores a snapshot into an EMPTY database, whole or not at all. The database is the one of PostgreSQL's own
# variables (PGHOST, PGUSER, PGDATABASE, PGPASSFILE ...), or that of a plan's connection files.
set -eu
export LC_ALL=C
snapshot=$1
fail() {
  echo "Nothing was restored: $1." >&2
  exit 1
}

if [ $# -gt 1 ]; then
  export PGSERVICEFILE="$2/pg_service.conf" PGPASSFILE="$2/pgpass"
  database=service=snapshot
else
  database=${PGDATABASE:?is not set; it names the database to restore into}
fi
if [ ! -r "$snapshot" ]; then
  others=$(cd "$(dirname "$snapshot")" && find . -maxdepth 1 -name '*.dump' | sort | cut -c 3- | tr '\n' ' ')
  fail "there is no ${snapshot##*/}; there are: ${others:-none}"
fi
[ -r "$snapshot.sha256" ] || fail "$snapshot has no checksum beside it"
(cd "$(dirname "$snapshot")" && sha256sum --quiet --check "${snapshot##*/}.sha256") ||
  fail "$snapshot is damaged; take another one"
found=$(psql --dbname="$database" --no-psqlrc --no-password --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="
  WITH own AS (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  SELECT (SELECT count(*) FROM pg_class WHERE relnamespace IN (SELECT oid FROM own))
       + (SELECT count(*) FROM pg_proc p WHERE pronamespace IN (SELECT oid FROM own) AND NOT EXISTS
           (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'))") ||
  fail "the database cannot be asked, see above"
[ "$found" = 0 ] || fail "the database is not empty, it has $found objects; make a new one and restore into that"
pg_restore --dbname="$database" --no-password --single-transaction --exit-on-error --no-owner "$snapshot" ||
  fail "pg_restore failed, see above; the database is still empty"
echo "restored ${snapshot##*/}"
