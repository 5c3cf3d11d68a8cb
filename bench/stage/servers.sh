# shellcheck shell=bash
# The servers that scripts/bench compares: how each is prepared, started and pinned. To be sourced after
# scripts/lib.sh; starts nothing by itself. `$work` keeps what is worth keeping from run to run,
# `$bench_home` goes when the run ends.

# The first core serves, the second drives. Postgres and Valkey go wherever there is room: on two cores
# beside both, on more beside neither.
serving=(taskset -c 0)
driving=(taskset -c 1)
# Where operations begin at a rate they are to begin in time, whoever else works on the generator's core.
punctual=()
! chrt -r 1 true 2>/dev/null || punctual=(chrt -r 1)
stores=()
(($(cores) < 3)) || stores=(taskset -c "2-$(($(cores) - 1))")

started=()

# start NAME PORT COMMAND...: starts a server on the serving core and waits until it answers; its process
# id is in $pid then.
start() {
    local name=$1 port=$2 log
    shift 2
    log=$bench_home/$name.log
    # Not where a folder `config` may be: what is measured are the defaults.
    own_group "${serving[@]}" env -C "$bench_home" "$@" >"$log" 2>&1
    pid=$!
    started+=("$pid")
    await "$name" "$log" "$pid" listens "$port"
}

listens() { exec 3<>"/dev/tcp/127.0.0.1/$1"; }

stop_servers() {
    local one
    for one in ${started[@]+"${started[@]}"}; do stop_group TERM "$one"; done
    started=()
}

# Makes an empty database and prints its URL.
new_database() {
    "$(pg_bin)/dropdb" --if-exists --maintenance-db "$TEST_DATABASE_URL" "$1" 2>/dev/null
    "$(pg_bin)/createdb" --maintenance-db "$TEST_DATABASE_URL" "$1"
    printf '%s\n' "${TEST_DATABASE_URL/\/postgres\?/\/$1\?}"
}

# --- halobestie ----------------------------------------------------------------------------------

# What differs from the defaults: limits that a load generator must pass, and nobody who goes offline or
# loses a session because the fixture's people do not act like people. A code is known in `test` alone,
# whose small pools are for tests that run side by side; here they are what they are by default.
halobestie_environment() {
    export APP_ENV=test LOG_LEVEL=warn VALKEY_KEY_PREFIX=bench: AUTH_JWT_SECRET_FILE=$secret
    export VALKEY_URL=$TEST_VALKEY_URL DATABASE_URL=$halobestie_database
    export DATABASE_POOL_SIZE=16
    export CHAT_FRAMES_PER_SECOND=0 CHAT_MESSAGES_PER_SECOND=0 FIRST_RESPONSE_SECONDS=0
    export MITRA_STALE_SECONDS=86400 OTP_ADDRESS_HOURLY=1000000 OTP_DAILY_BUDGET=1000000
    export PUBLIC_ADDR=127.0.0.1:$1 INTERNAL_ADDR=127.0.0.1:$2
}

# stage_halobestie COUNTS...: a migrated database with a fixture in it, and nothing in Valkey.
stage_halobestie() {
    halobestie_database=$(new_database bench_halobestie)
    (cd "$bench_home" && halobestie_environment 0 0 && "$halobestie" migrate >/dev/null)
    "$bench" fixture --database "$halobestie_database" --file "$fixture" "$@"
    valkey_cli FLUSHALL >/dev/null
}

# start_halobestie PORT [ARGUMENTS...]: its internal listener is on the next port.
start_halobestie() {
    local port=$1
    shift
    halobestie_environment "$port" "$((port + 1))"
    start "halobestie-$port" "$port" "$halobestie" serve "$@"
}

# side_of_halobestie NAME PORT PID [words]: the words of --side.
side_of_halobestie() {
    printf 'name=%s url=http://127.0.0.1:%s pid=%s metrics=http://127.0.0.1:%s store=%s store=%s database=%s' \
        "$1" "$2" "$3" "$(($2 + 1))" "$test_postgres" "$test_valkey" "$halobestie_database"
}

# --- The baseline --------------------------------------------------------------------------------

# Where the baseline's source is; fails where there is none.
baseline_source() {
    local folder
    for folder in "${BENCH_BASELINE:-}" "$root/../shared/baseline"; do
        [[ -n $folder && -f $folder/server.mjs ]] && { (cd "$folder" && pwd); return; }
    done
    return 1
}

# Installs it, once.
prepare_baseline() {
    local source
    source=$(baseline_source) || return 1
    mkdir -p "$work/baseline"
    cp "$source"/*.mjs "$source"/package*.json "$work/baseline/"
    chmod -R u+w "$work/baseline"
    [[ -d $work/baseline/node_modules ]] || (cd "$work/baseline" && npm ci --no-audit --no-fund >&2)
}

# stage_baseline MITRAS SESSIONS: its own database; its own number in Valkey.
stage_baseline() {
    baseline_database=$(new_database bench_baseline)
    (cd "$work/baseline" && DATABASE_URL=$baseline_database VALKEY_URL=$TEST_VALKEY_URL/1 \
        MITRAS=$1 SESSIONS=$2 node seed.mjs >/dev/null)
}

start_baseline() {
    local port=$1
    start "baseline-$port" "$port" env AUTH_JWT_SECRET="$(<"$secret")" NODE_ENV=production \
        DATABASE_URL="$baseline_database" VALKEY_URL="$TEST_VALKEY_URL/1" PORT="$port" \
        node "$work/baseline/server.mjs"
}

# --- Peers ---------------------------------------------------------------------------------------

prepare_socketio() {
    mkdir -p "$work/socketio"
    cp "$root"/bench/peers/socketio/{server.mjs,package.json,package-lock.json} "$work/socketio/"
    [[ -d $work/socketio/node_modules ]] || (cd "$work/socketio" && npm ci --no-audit --no-fund >&2)
}

start_socketio() {
    start "socketio-$1" "$1" env VALKEY_URL="$TEST_VALKEY_URL/2" PORT="$1" NODE_ENV=production \
        node "$work/socketio/server.mjs"
}

sockudo=5.2.0

# A quarter of an hour on two cores, once.
prepare_sockudo() {
    [[ ! -x $work/peers/bin/sockudo ]] || return 0
    command -v protoc >/dev/null || fail "protoc is missing: install protobuf-compiler"
    cargo install sockudo --version "$sockudo" --locked --no-default-features \
        --features local,v2,redis --root "$work/peers"
}

start_sockudo() {
    start "sockudo-$1" "$1" env HOST=127.0.0.1 PORT="$1" REDIS_URL="$TEST_VALKEY_URL/3" \
        ADAPTER_DRIVER=redis CACHE_DRIVER=redis QUEUE_DRIVER=memory RATE_LIMITER_ENABLED=false \
        METRICS_ENABLED=false RUST_LOG=error SOCKUDO_LOG_PROD=error \
        SOCKUDO_DEFAULT_APP_ID=bench SOCKUDO_DEFAULT_APP_KEY=bench-key \
        SOCKUDO_DEFAULT_APP_SECRET=bench-secret SOCKUDO_DEFAULT_APP_ENABLED=true \
        SOCKUDO_DEFAULT_APP_ENABLE_CLIENT_MESSAGES=true SOCKUDO_DEFAULT_APP_MAX_CONNECTIONS=100000 \
        SOCKUDO_DEFAULT_APP_MAX_CLIENT_EVENTS_PER_SECOND=1000000 "$work/peers/bin/sockudo"
}

start_hyper() {
    start "hyper-$1" "$1" "$bench" ceiling --listen "127.0.0.1:$1" --like "$2"
}

valkey_cli() {
    local cli
    cli=$(command -v valkey-cli || command -v redis-cli)
    "$cli" -u "$TEST_VALKEY_URL" "$@"
}
