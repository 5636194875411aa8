#!/bin/sh
# restore-wal.sh FOLDER SEGMENT TARGET: PostgreSQL's restore_command. Nothing there is an answer (1); damage ends the
# recovery (above 125), so that it is not taken for the end of the log.
[ -r "$1/$2.gz" ] || exit 1
gzip -dc "$1/$2.gz" >"$3" || exit 200
