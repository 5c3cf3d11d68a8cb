# shellcheck shell=bash
# What deploy-stack, backup-postgres and restore-postgres share: which stack is meant, its containers,
# and the tools of its Postgres. To be sourced after lib.sh; starts nothing by itself.

# The project's name in Compose, which labels its containers.
stack=''
# The .env file of the stack, as an absolute path; nothing for the local one.
env_file=''

# choose_stack ENVIRONMENT: local, staging or production.
choose_stack() {
    case $1 in
        local) stack=${STACK:-halobestie} env_file='' ;;
        staging | production)
            stack=${STACK:-halobestie$([[ $1 == production ]] || echo -staging)}
            env_file=${ENV_FILE:-$root/.env.$1}
            [[ -r $env_file ]] || fail "$env_file is missing: cp .env.$1.example .env.$1, and fill it in"
            env_file=$(realpath "$env_file")
            ;;
        *) fail "there is no stack $1; there are local, staging, production" ;;
    esac
}

# The value of a variable: of this shell, or of the .env file, taken as it stands.
variable() {
    local value=${!1:-}
    [[ -n $value || -z $env_file ]] || value=$(sed -n "s/^$1=//p" "$env_file" | tail -n 1)
    value=${value#[\'\"]}
    printf '%s' "${value%[\'\"]}"
}

# containers SERVICE: the ids of its running containers, one-off ones left out.
containers() {
    docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$stack" \
        --filter "label=com.docker.compose.service=$1" --filter "label=com.docker.compose.oneoff=False"
}

need_docker() { docker info >/dev/null 2>&1 || fail "no Docker Engine answers here"; }

# --- The tools of Postgres ------------------------------------------------------------------------

postgres_url=''
postgres_container=''

# choose_postgres MODE: where the database is, and so where its tools run. Modes are those of the
# backup scripts.
choose_postgres() {
    need_docker
    case $1 in
        local) choose_stack local ;;
        staging) choose_stack staging ;;
        production-bundled | production-external) choose_stack production ;;
        *) fail "there is no mode $1; there are local, staging, production-bundled, production-external" ;;
    esac
    if [[ $1 == production-external ]]; then
        postgres_url=$(variable DATABASE_URL)
        [[ -n $postgres_url ]] || fail "DATABASE_URL is set neither here nor in $env_file"
    else
        # Over the socket inside of its container, where no password is asked for.
        postgres_url="postgres:///halobestie?user=halobestie"
        postgres_container=$(containers postgres)
        [[ -n $postgres_container ]] || fail "no Postgres of the stack $stack runs here"
    fi
}

# The name of the database that postgres_url is about.
database_name() {
    local name=${postgres_url%%\?*}
    printf '%s' "${name##*/}"
}

# pg TOOL DATABASE ARGUMENTS...: a tool of Postgres on a database of that server, of the server's own
# version. The URL goes by the environment: it may hold a password, and arguments can be seen by all.
pg() {
    local tool=$1 query=''
    [[ $postgres_url != *\?* ]] || query="?${postgres_url#*\?}"
    local url=${postgres_url%%\?*}
    export PG_DATABASE_URL="${url%/*}/$2$query"
    shift 2
    # shellcheck disable=SC2016 # it is the other shell that expands it
    local run=(sh -c 'tool=$1; shift; exec "$tool" --dbname "$PG_DATABASE_URL" "$@"' sh "$tool" "$@")
    if [[ -n $postgres_container ]]; then
        docker exec --interactive --env PG_DATABASE_URL "$postgres_container" "${run[@]}"
    else
        docker run --rm --interactive --network host --env PG_DATABASE_URL --entrypoint '' \
            "${POSTGRES_IMAGE:-docker.io/library/postgres:17-bookworm}" "${run[@]}"
    fi
}

# How many rows each table has, a line each: what a backup is compared by.
# shellcheck disable=SC2034 # for those who source this
readonly counts_sql="SELECT format('%I.%I', n.nspname, c.relname) || ' ' ||
    (xpath('/row/n/text()', query_to_xml(
        format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname), false, true, '')))[1]::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
 ORDER BY 1;"
