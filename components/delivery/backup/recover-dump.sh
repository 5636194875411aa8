#!/bin/sh
# recover-dump.sh PLAN FOLDER
# Restores the dump that `inventory backup recover-dump` has brought into FOLDER, if it has.
set -eu
for dump in "$2"/*.dump; do
  if [ -e "$dump" ]; then exec sh "$(dirname "$0")/restore.sh" "$dump" "$1"; fi
done
echo "nothing is recovered: the database is not empty"
