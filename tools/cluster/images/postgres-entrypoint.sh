#!/bin/bash
# Prepares the data folder on first start, then becomes the server. Takes the settings of the image it stands
# in for: POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD (each
# also as NAME_FILE), PGDATA, and scripts in /docker-entrypoint-initdb.d. Runs as any user that owns PGDATA.
set -Eeuo pipefail

fail() {
  echo "docker-entrypoint: $*" >&2
  exit 1
}

# setting NAME DEFAULT: the value of NAME, or of the file that NAME_FILE names.
setting() {
  local name="$1" file="${1}_FILE"
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then fail "set $name or $file, not both"; fi
  if [ -n "${!file:-}" ]; then
    [ -r "${!file}" ] || fail "$file names ${!file}, which cannot be read"
    printf '%s' "$(<"${!file}")"
  else
    printf '%s' "${!name:-$2}"
  fi
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case "$script" in
      *.sh)
        echo "docker-entrypoint: running $script"
        if [ -x "$script" ]; then "$script"; else . "$script"; fi
        ;;
      *.sql)
        echo "docker-entrypoint: running $script"
        query -f "$script"
        ;;
      *.sql.gz)
        echo "docker-entrypoint: running $script"
        gunzip -c "$script" | query
        ;;
    esac
  done
}

query() {
  PGPASSWORD="$password" psql -v ON_ERROR_STOP=1 --no-psqlrc --host /tmp --username "$user" --dbname "$database" "$@"
}

first_start() {
  local method arguments word
  method="$(setting POSTGRES_HOST_AUTH_METHOD '')"
  if [ -z "$password" ] && [ "$method" != trust ]; then
    fail "the database is empty and has no superuser password: set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE"
  fi
  arguments=(--username="$user" --encoding=UTF8)
  if [ -n "$password" ]; then arguments+=(--pwfile=/dev/fd/9); fi
  for word in $(setting POSTGRES_INITDB_ARGS ''); do arguments+=("$word"); done
  # Made aside and moved into place with PG_VERSION last: a data folder that has this file is complete, and
  # what a killed first start left has not.
  local new="$PGDATA/.new"
  find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
  initdb --pgdata="$new" "${arguments[@]}" 9< <(printf '%s\n' "$password")
  printf '\nhost all all all %s\n' "${method:-scram-sha-256}" >>"$new/pg_hba.conf"

  # For the scripts the server listens on no network, so nobody meets a half-made database.
  pg_ctl --pgdata="$new" --wait --silent -o "-c listen_addresses='' -c unix_socket_directories=/tmp" start
  if [ "$database" != postgres ]; then
    database=postgres query --set=name="$database" <<<'CREATE DATABASE :"name";' >/dev/null
  fi
  run_scripts
  pg_ctl --pgdata="$new" --wait --silent --mode=fast stop
  find "$new" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$PGDATA" {} +
  mv "$new/PG_VERSION" "$PGDATA/PG_VERSION"
  rmdir "$new"
  sync "$PGDATA"
  echo "docker-entrypoint: the database is ready"
}

if [ "${1:-}" = "" ] || [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ]; then exec "$@"; fi

user="$(setting POSTGRES_USER postgres)"
password="$(setting POSTGRES_PASSWORD '')"
database="$(setting POSTGRES_DB "$user")"
[ "$(id -u)" != 0 ] || fail "the server does not run as root; run the container as 999:999"
mkdir -p "$PGDATA" 2>/dev/null || fail "cannot make $PGDATA; the volume must be writable for $(id -u):$(id -g)"
chmod 0700 "$PGDATA" 2>/dev/null || true
if [ ! -e "$PGDATA/PG_VERSION" ]; then first_start; fi
unset POSTGRES_PASSWORD POSTGRES_PASSWORD_FILE
exec "$@" -c listen_addresses='*'
