#!/bin/sh
# snapshot.sh PLAN FOLDER RETAIN
# Writes the snapshot that the plan asks for into the folder, whole or not at all, and leaves RETAIN of them there
# (0: all). The plan is a folder that `inventory migrate --check --snapshot-plan` wrote: libpq's connection files,
# and the snapshot's name, or the reason why there is none.
set -eu
umask 077
export LC_ALL=C
plan=$1
folder=$2
retain=$3

fail() {
  echo "No snapshot was taken: $1. The schema was not changed." >&2
  exit 1
}

if [ ! -e "$plan/name" ]; then
  echo "no snapshot is needed: $(cat "$plan/reason")"
  exit 0
fi
name=$(cat "$plan/name")
export PGSERVICEFILE="$plan/pg_service.conf" PGPASSFILE="$plan/pgpass"

# What a try that was killed left behind; one that still runs is not a day old.
find "$folder" -maxdepth 1 -name '.unfinished-*' -mmin +1440 -exec rm -rf {} +
[ ! -e "$folder/$name" ] || fail "$name is there already"
unfinished=$(mktemp -d "$folder/.unfinished-XXXXXX") || fail "the volume cannot be written to"
dump=
trap 'kill $dump 2>/dev/null || true; rm -rf "$unfinished"' EXIT
trap 'fail "it was told to stop"' TERM INT

# In the background, so that the shell hears a signal meanwhile.
pg_dump --dbname=service=snapshot --format=custom --no-password --lock-wait-timeout=60000 \
  --file="$unfinished/$name" &
dump=$!
wait "$dump" || fail "pg_dump failed, see above; for want of room, raise migration.snapshot.storage or lower retain"
dump=
entries=$(pg_restore --list "$unfinished/$name" | grep -cv '^;') || fail "what pg_dump wrote has no entries"
# The list is the file's beginning; this reads the rest as well.
pg_restore --file=/dev/null "$unfinished/$name" || fail "what pg_dump wrote cannot be read"
(cd "$unfinished" && sha256sum "$name" >"$name.sha256") || fail "its checksum could not be written"
sync "$unfinished/$name" "$unfinished/$name.sha256" || fail "it could not be written to the disk"
# The checksum first: a snapshot that is there has one.
mv "$unfinished/$name.sha256" "$unfinished/$name" "$folder/"
sync "$folder"
echo "snapshot $name: $entries entries, $(stat -c %s "$folder/$name") bytes, SHA-256 $(cut -d ' ' -f 1 "$folder/$name.sha256")"

[ "$retain" -gt 0 ] || exit 0
day='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
time='[0-9][0-9][0-9][0-9][0-9][0-9]'
kept=0
for file in $(find "$folder" -maxdepth 1 -type f -name "inventory-${day}T${time}Z-*-*.dump" | sort -r); do
  kept=$((kept + 1))
  [ "$kept" -gt "$retain" ] || continue
  rm -f "$file" "$file.sha256"
  echo "removed the older snapshot ${file##*/}"
done
