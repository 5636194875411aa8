#!/bin/sh
# base-backup.sh FOLDER
# Copies the server's files while it serves. PGHOST, PGUSER and PGPASSWORD_FILE say how. What it fails of is left in
# FOLDER for the next step, which tells it.
set -eu
umask 077
export LC_ALL=C
folder=$1

fail() {
  echo "$1" >&2
  echo "$1" >"$folder/failed"
  exit 0
}

rm -rf "$folder/failed" "$folder/unfinished"
date +%s >"$folder/started"
pass=${TMPDIR:-/tmp}/pgpass
printf '*:*:*:*:%s\n' "$(cat "$PGPASSWORD_FILE")" >"$pass"
export PGPASSFILE="$pass"
# A network that has just been told of this Pod may not let it through yet.
for _ in 1 2 3 4 5 6 7 8 9 10; do
  if pg_isready --quiet; then break; fi
  sleep 3
done
# With the WAL that was written meanwhile, so that it is complete by itself; checksums of pages are verified.
pg_basebackup --pgdata="$folder/unfinished" --format=tar --gzip --wal-method=stream --checkpoint=fast --no-password \
  --manifest-checksums=SHA256 --label=inventory ||
  fail "pg_basebackup failed, see above; for want of room, raise backup.store.temporaryStorage"
mv "$folder/unfinished"/* "$folder/"
echo "copied $(du -sh "$folder" | cut -f 1)"
