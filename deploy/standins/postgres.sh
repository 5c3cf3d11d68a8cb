#!/bin/sh
# What the official image's entry point does, as far as our compose files ask for it.
set -eu
data=${PGDATA:-/var/lib/postgresql/data}
bin=$(echo /usr/lib/postgresql/*/bin)

as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ ! -s "$data/PG_VERSION" ]; then
    mkdir -p "$data"
    chown postgres "$data"
    umask 077
    printf '%s' "${POSTGRES_PASSWORD:?}" > /tmp/password
    chown postgres /tmp/password
    as_postgres "$bin/initdb" --pgdata "$data" --username "${POSTGRES_USER:-postgres}" \
        --pwfile /tmp/password --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    # Only on its socket, so that nobody connects before the database is there.
    as_postgres "$bin/pg_ctl" --pgdata "$data" --wait --options "-c listen_addresses='' -k /tmp" start
    as_postgres "$bin/createdb" --host /tmp --username "${POSTGRES_USER:-postgres}" \
        "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"
    as_postgres "$bin/pg_ctl" --pgdata "$data" --wait --mode fast stop
fi
mkdir -p /var/run/postgresql
chown postgres /var/run/postgresql
[ "$1" = postgres ] && shift
exec setpriv --reuid=postgres --regid=postgres --init-groups \
    "$bin/postgres" -D "$data" -c listen_addresses='*' "$@"
