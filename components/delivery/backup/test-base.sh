#!/bin/sh
# test-base.sh FOLDER APPLICATION
# Recovers the base backup that lies in FOLDER to the end of its WAL, in a server that nobody else reaches and that
# goes with the Pod, and asks it what there is. What fails is left in FOLDER for the next step, which tells it.
set -eu
folder=$1
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$folder/failed"
cp "$folder/recovery/started" "$folder/started"
if ! sh "$here/recover.sh" "$folder" "$2" "$here/check.sql" 2>"$folder/errors"; then
  cat "$folder/errors" >&2
  tail -n 1 "$folder/errors" >"$folder/failed"
fi
