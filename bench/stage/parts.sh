# shellcheck shell=bash
# The parts of scripts/bench, a function each: which servers a scenario needs, who is compared, and how
# hard it is driven. To be sourced after servers.sh.

# Ports; each halobestie takes two.
first=4100 second=4110 baseline=4120 baseline_second=4121 hyper=4130
socketio=4140 socketio_second=4141 sockudo_first=4150 sockudo_second=4151

# All of them, in the order in which a whole run takes them.
parts=(start beacon heartbeat send-http send-ws otp-refresh fanout idle connect-storm pairing mixed sweep inside)

# measure LABEL TITLE SCENARIO ARGUMENTS...: takes the sides from the array `sides`.
measure() {
    local label=$1 title=$2 scenario=$3 arguments=() run=("${driving[@]}") side
    shift 3
    [[ " $* " != *' --rate '* ]] || run+=(${punctual[@]+"${punctual[@]}"})
    for side in "${sides[@]}"; do arguments+=(--side "$side"); done
    say "" "--- $label: $title"
    "${run[@]}" "$bench" run "$scenario" "${arguments[@]}" --fixture "$fixture" \
        --secret-file "$secret" --label "$label" --title "$title" --json "$results/$label.json" \
        --rounds "$rounds" --seconds "$seconds" "$@"
}

# quarter LABEL: a quarter of the baseline's best rate in a result; without a baseline, of our own.
quarter() {
    local file=$results/$1.json rate
    rate=$("$bench" figure "$file" baseline rate 2>/dev/null) ||
        rate=$("$bench" figure "$file" halobestie rate)
    awk -v rate="$rate" 'BEGIN { printf "%.1f\n", rate / 4 }'
}

has_baseline() { [[ -n ${with_baseline:-} ]]; }
has_node() { command -v node >/dev/null && command -v npm >/dev/null; }

# stage MITRAS SESSIONS CUSTOMERS: the databases of both, and the baseline's server.
stage() {
    stage_halobestie --mitras "$1" --sessions "$2" --customers "$3"
    if has_baseline; then
        stage_baseline "$1" "$2"
        start_baseline "$baseline"
        baseline_pid=$pid
    fi
}

side_of_baseline() {
    printf 'name=baseline url=http://127.0.0.1:%s pid=%s store=%s store=%s' \
        "$baseline" "$baseline_pid" "$test_postgres" "$test_valkey"
}

# ours_and_baseline: starts halobestie and sets `sides` to both.
ours_and_baseline() {
    start_halobestie "$first"
    sides=("$(side_of_halobestie halobestie "$first" "$pid")")
    ! has_baseline || sides+=("$(side_of_baseline)")
}

side_of_pgbench() { printf 'name=pgbench speaks=pgbench store=%s database=%s' "$test_postgres" "$1"; }

part_beacon() {
    stage 1000 200 100
    ours_and_baseline
    local both=("${sides[@]}")
    start_hyper "$hyper" "127.0.0.1:$first"
    sides+=("name=hyper url=http://127.0.0.1:$hyper pid=$pid")
    measure beacon "The beacon, as fast as it may, on 64 connections." beacon --connections 64
    sides=("${both[@]}")
    measure beacon-open "The beacon at a quarter of the baseline's best rate." beacon \
        --connections 64 --rate "$(quarter beacon)"
}

part_heartbeat() {
    stage 1000 200 100
    ours_and_baseline
    local both=("${sides[@]}")
    sides+=("name=$(basename "$(valkey_server)" -server)-benchmark speaks=redis-benchmark url=$TEST_VALKEY_URL pid=$test_valkey")
    measure heartbeat "Heartbeats of 64 mitras, each as fast as it may." heartbeat --connections 64
    sides=("${both[@]}")
    measure heartbeat-open "Heartbeats at a quarter of the baseline's best rate." heartbeat \
        --connections 64 --rate "$(quarter heartbeat)"
}

part_send_http() {
    stage 1000 200 100
    ours_and_baseline
    sides+=("$(side_of_pgbench "$(new_database bench_rows)")")
    measure send-http "Messages over HTTP in 64 sessions, each after the answer to the one before." \
        send-http --connections 64
}

part_send_ws() {
    stage 1000 200 100
    ours_and_baseline
    local both=("${sides[@]}")
    sides+=("$(side_of_pgbench "$(new_database bench_rows)")")
    measure send-ws "Messages over WebSockets in 64 sessions, each after the ack of the one before." \
        send-ws --connections 64
    measure send-ws-one "Messages over one WebSocket in one session." send-ws --connections 1
    sides=("${both[@]}")
    measure send-ws-open "Messages at a quarter of the baseline's best rate." send-ws \
        --connections 64 --rate "$(quarter send-ws)"
}

part_otp_refresh() {
    stage_halobestie --mitras 10 --sessions 10 --customers 10
    start_halobestie "$first"
    sides=("$(side_of_halobestie halobestie "$first" "$pid")"
        "$(side_of_pgbench "$(new_database bench_rows)")")
    measure otp-refresh "Refreshes of 64 devices, each after the answer to the one before." \
        otp-refresh --connections 64
}

part_fanout() {
    local one
    stage 1000 200 100
    start_halobestie "$first"
    one=$pid
    start_halobestie "$second"
    sides=("$(side_of_halobestie halobestie "$first" "$one") url=http://127.0.0.1:$second pid=$pid")
    if has_baseline; then
        start_baseline "$baseline_second"
        sides+=("$(side_of_baseline) url=http://127.0.0.1:$baseline_second pid=$pid")
    fi
    local both=("${sides[@]}")
    if has_node && prepare_socketio; then
        start_socketio "$socketio"
        one=$pid
        start_socketio "$socketio_second"
        sides+=("name=socket.io speaks=socketio url=http://127.0.0.1:$socketio pid=$one url=http://127.0.0.1:$socketio_second pid=$pid")
    fi
    if [[ -x $work/peers/bin/sockudo ]]; then
        start_sockudo "$sockudo_first"
        one=$pid
        start_sockudo "$sockudo_second"
        sides+=("name=sockudo speaks=pusher url=http://127.0.0.1:$sockudo_first pid=$one url=http://127.0.0.1:$sockudo_second pid=$pid")
    fi
    measure fanout "In 50 sessions one person publishes on the first server; eight devices of the other get it from the second. halobestie and the baseline store every message first, the others none." \
        fanout --connections 50 --devices 8
    sides=("${both[@]}")
    # Each published message is eight deliveries.
    measure fanout-open "The same at a quarter of the baseline's best rate." fanout --connections 50 \
        --devices 8 --rate "$(awk -v it="$(quarter fanout)" 'BEGIN { print it / 8 }')"
}

part_idle() {
    stage 1000 200 6000
    ours_and_baseline
    start_hyper "$hyper" "127.0.0.1:$first"
    sides+=("name=hyper url=http://127.0.0.1:$hyper pid=$pid")
    if has_node && prepare_socketio; then
        start_socketio "$socketio"
        sides+=("name=socket.io speaks=socketio url=http://127.0.0.1:$socketio pid=$pid")
    fi
    if [[ -x $work/peers/bin/sockudo ]]; then
        start_sockudo "$sockudo_first"
        sides+=("name=sockudo speaks=pusher url=http://127.0.0.1:$sockudo_first pid=$pid")
    fi
    measure idle "Signed-in sockets that say nothing, in five batches of 1,000: what each batch adds." \
        idle --connections 5000
}

part_connect_storm() {
    stage_halobestie --mitras 5000 --sessions 5000 --customers 10
    start_halobestie "$first"
    sides=("$(side_of_halobestie halobestie "$first" "$pid")")
    measure connect-storm "10,000 sockets in 5,000 sessions break, each session gets a message, and all come back at once and resume." \
        connect-storm --connections 10000
}

part_pairing() {
    stage_halobestie --mitras 1000 --sessions 10 --customers 10
    start_halobestie "$first"
    sides=("$(side_of_halobestie halobestie "$first" "$pid")")
    measure pairing "A request is offered to 1,000 mitras, and all of them accept at once." \
        pairing --connections 1000
}

part_mixed() {
    stage 1000 200 100
    ours_and_baseline
    measure mixed "A day in a round: 60 % beacons, 30 % heartbeats, 10 % messages, 500 a second on average." \
        mixed --connections 100 --rate 500
}

part_start() {
    stage_halobestie --mitras 1000 --sessions 200 --customers 10
    halobestie_environment "$first" "$((first + 1))"
    printf '#!/bin/sh\ncd "$(dirname "$0")" && exec %s %s serve >/dev/null\n' "${serving[*]}" "$halobestie" >"$bench_home/start"
    chmod +x "$bench_home/start"
    sides=("name=halobestie url=http://127.0.0.1:$first run=$bench_home/start")
    measure start "From running the program to its first ready answer, and its memory two seconds later." start
}

part_sweep() {
    stage_halobestie --mitras 100000 --sessions 200 --customers 10
    # Every sweep over all mitras, every three seconds.
    export MITRA_AUTO_OFFLINE_SWEEP_SECONDS=3 HEARTBEAT_MIRROR_INTERVAL_SECONDS=3
    export VALKEY_ONLINE_MIRROR_SWEEP_SECONDS=3
    start_halobestie "$first"
    sides=("$(side_of_halobestie halobestie "$first" "$pid")")
    measure sweep "Heartbeats, 200 a second, while every sweep runs over 100,000 mitras each three seconds." \
        sweep --connections 64 --rate 200
    stop_servers
    # Sweeps meet every side that runs beside them, so this one has its rounds after the others.
    start_halobestie "$first" --role api
    sides=("$(side_of_halobestie halobestie "$first" "$pid")")
    measure sweep-none "The same heartbeats while no sweep runs." sweep --connections 64 --rate 200
    unset MITRA_AUTO_OFFLINE_SWEEP_SECONDS HEARTBEAT_MIRROR_INTERVAL_SECONDS
    unset VALKEY_ONLINE_MIRROR_SWEEP_SECONDS
}

# What is measured inside, by criterion: single functions, and choices that were made by them.
part_inside() {
    local bench_of package name
    for bench_of in "auth authenticate" "auth login_timing" "availability find_available" \
        "core jobs" "chat durable_sends"; do
        read -r package name <<<"$bench_of"
        inside "$package" "$name"
    done
}

# inside PACKAGE NAME [ARGUMENTS...]
inside() {
    local package=halobestie-$1 name=$2 features=()
    shift 2
    [[ $package != halobestie-chat ]] || features=(--features testing)
    say "" "--- $package $name"
    (cd "$root" && cargo bench --quiet --package "$package" ${features[@]+"${features[@]}"} \
        --bench "$name" -- "$@")
}
