# shellcheck shell=bash
# What scripts/dev, scripts/test and .ci/run share: finding and installing Postgres and Valkey, and a
# private pair of them for tests. To be sourced; starts nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Each argument is a line.
say() { printf '%s\n' "$@" >&2; }

fail() {
    say "$@"
    exit 1
}

# The names of all modules: the features of the root package that bring a crate.
features() {
    sed -n '/^\[features\]/,/^$/s/^\([a-z_]*\) = \["dep:.*/\1/p' "$root/Cargo.toml"
}

# --- Finding -------------------------------------------------------------------------------------

# Prints the folder with Postgres's server programs, the newest where there are several.
pg_bin() {
    local initdb folder
    if initdb=$(command -v initdb); then
        folder=$(dirname "$(realpath "$initdb")")
        [[ -x $folder/postgres ]] && { printf '%s\n' "$folder"; return; }
    fi
    while read -r folder; do
        [[ -x $folder/initdb && -x $folder/postgres ]] && { printf '%s\n' "$folder"; return; }
    done < <(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin | sort -rV)
    return 1
}

# Prints the Valkey server's program, or Redis's.
valkey_server() { command -v valkey-server || command -v redis-server; }

# --- Installing ----------------------------------------------------------------------------------

# Installs what is missing, by apt where that is allowed; says what to install where it is not.
install_missing() {
    local missing=()
    command -v cargo >/dev/null || PATH=$PATH:$HOME/.cargo/bin
    command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs"
    pg_bin >/dev/null || missing+=(postgresql)
    valkey_server >/dev/null || missing+=(valkey-server)
    # Some crates compile a little C.
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    ((${#missing[@]} > 0)) || return 0
    apt_may || fail "Please install ${missing[*]} (redis-server will do for valkey-server)." \
        "$(install_hint)"
    say "installing ${missing[*]} ..."
    apt_install "${missing[@]}"
}

# Installs the browser that tests look at pages with.
install_browser() {
    local browser
    for browser in chromium chromium-browser google-chrome; do
        ! command -v "$browser" >/dev/null || return 0
    done
    apt_may || fail "Please install chromium." "For example, as root: apt-get install chromium"
    say "installing chromium ..."
    apt_install chromium
}

install_hint() {
    case $(uname -s) in
        Darwin) printf 'For example: brew install postgresql valkey' ;;
        *) printf 'For example, as root: apt-get install postgresql redis-server gcc libc6-dev' ;;
    esac
}

apt_may() {
    command -v apt-get >/dev/null || return 1
    ((EUID == 0)) || sudo -n true 2>/dev/null
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    local packages=() package
    # The lists of a fresh image are empty or old.
    as_root apt-get update -q >&2 || say "apt-get update failed; trying with the lists there are"
    for package in "$@"; do
        # Debian 12 and Ubuntu 22.04 have no Valkey yet.
        if [[ $package == valkey-server ]] && ! apt_has valkey-server; then package=redis-server; fi
        packages+=("$package")
    done
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${packages[@]}" >&2
}

apt_has() { apt-cache show "$1" >/dev/null 2>&1; }

# --- A private Postgres and Valkey for tests -----------------------------------------------------

# Runs a command as somebody whom Postgres agrees to run as, which root is not.
as_postgres() { (become_postgres "$@"); }

# The same, in place of this shell.
become_postgres() {
    ((EUID == 0)) || exec "$@"
    # Our own folder may be one that the user postgres cannot enter.
    cd /
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

cores() { getconf _NPROCESSORS_ONLN; }

free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s\n' "$port"; return; }
    done
    fail "no free port between 20000 and 32000"
}

# Starts both under a temporary folder and exports TEST_DATABASE_URL and TEST_VALKEY_URL.
# `stop_test_services` undoes it; callers set it as their exit trap before they call this.
start_test_services() {
    test_home=$(mktemp -d "${TMPDIR:-/tmp}/halobestie-test.XXXXXX")
    start_test_postgres
    start_test_valkey
}

start_test_postgres() {
    local bin port data=$test_home/postgres
    bin=$(pg_bin)
    port=$(free_port)
    mkdir "$data"
    if ((EUID == 0)); then
        chmod 711 "$test_home"
        chown postgres "$data"
    fi
    as_postgres "$bin/initdb" --pgdata "$data" --username postgres --auth trust --encoding UTF8 \
        --locale C --no-sync >"$test_home/initdb.log" 2>&1 ||
        fail "initdb failed:" "$(tail -n 5 "$test_home/initdb.log")"
    # Nothing in it is worth a sync: it is thrown away when the tests end. What a sync costs is what
    # some benchmarks measure.
    local sync=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off)
    [[ -z ${postgres_syncs:-} ]] || sync=(-c fsync=on -c synchronous_commit=on)
    own_group become_postgres "$bin/postgres" -D "$data" -k "$data" -h 127.0.0.1 -p "$port" \
        "${sync[@]}" -c max_connections=500 \
        -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=4GB \
        >"$test_home/postgres.log" 2>&1
    test_postgres=$!
    await "Postgres" "$test_home/postgres.log" "$test_postgres" \
        as_postgres "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -qAtc 'SELECT 1' postgres
    export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
}

start_test_valkey() {
    local port
    port=$(free_port)
    own_group "$(valkey_server)" --port "$port" --bind 127.0.0.1 --save '' --appendonly no \
        --dir "$test_home" >"$test_home/valkey.log" 2>&1
    test_valkey=$!
    await "Valkey" "$test_home/valkey.log" "$test_valkey" valkey_answers "$port"
    export TEST_VALKEY_URL="redis://127.0.0.1:$port"
}

valkey_answers() {
    local answer
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'PING\r\n' >&3
    read -r -t 1 answer <&3 && [[ $answer == +PONG* ]]
}

# Starts a child in the background, in a group of its own: the terminal's Ctrl-C is for us, and we
# stop our children in order.
own_group() {
    set -m
    "$@" </dev/null &
    set +m
}

# await NAME LOG PID COMMAND...: until the command succeeds; fails with the log's end.
await() {
    local name=$1 log=$2 pid=$3
    shift 3
    for _ in {1..300}; do
        if ("$@") >/dev/null 2>&1; then return; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    fail "$name does not start:" "$(tail -n 5 "$log")"
}

stop_test_services() {
    stop_group TERM "${test_valkey:-}"
    # INT is Postgres's fast shutdown: it does not wait for clients.
    stop_group INT "${test_postgres:-}"
    [[ -z ${test_home:-} ]] || rm -rf "$test_home"
    test_valkey='' test_postgres='' test_home=''
}

# stop_group SIGNAL PID: asks a group to end, and ends it when it does not within ten seconds.
stop_group() {
    [[ -n $2 ]] || return 0
    kill -s "$1" -- "-$2" 2>/dev/null || return 0
    for _ in {1..100}; do
        kill -0 -- "-$2" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -s KILL -- "-$2" 2>/dev/null || true
}
