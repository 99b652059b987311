#!/usr/bin/env bash
# redis.sh start DIR | stop DIR: private Redis servers on free loopback ports, with their data in DIR.
#
# One server (appendfsync always), one with TLS, and two Clusters of three primaries with a replica each, whose members
# fail over within about a second: one to rely on, one to kill. Prints where they are. DIR/NAME/redis.pid is the id of each, and
# `DIR/redis-server DIR/NAME/redis.conf` starts it again.
set -euo pipefail
action=$1
dir=$2

# Debian's package redis-tools has the whole server under another name, and no service that could start.
install_server() {
    local found
    if ! found=$(command -v redis-server || command -v redis-check-rdb) || ! command -v redis-cli >/dev/null ||
        ! command -v openssl >/dev/null; then
        if [[ "$(id -u)" != 0 ]] || ! command -v apt-get >/dev/null; then
            echo 'Redis or openssl is missing. On Debian, as root: apt-get install redis-tools openssl' >&2
            return 1
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends redis-tools openssl >/dev/null
        found=$(command -v redis-server || command -v redis-check-rdb)
    fi
    ln -sf "$found" "$dir/redis-server"
}

# Below the ports that the system gives to clients.
free_port() {
    local port
    while :; do
        # A Cluster's nodes listen 10,000 higher, too.
        port=$((10000 + RANDOM % 12000))
        if [[ ! -e "$dir/port.$port" ]] && ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            touch "$dir/port.$port"
            echo "$port"
            return
        fi
    done
}

# server NAME LINE...: starts one with further lines of configuration.
server() {
    local at=$dir/$1
    shift
    mkdir -p "$at"
    {
        printf 'bind 127.0.0.1\ndaemonize yes\ndir %s\npidfile %s/redis.pid\nlogfile %s/redis.log\n' "$at" "$at" "$at"
        printf 'appendonly yes\nappendfsync always\nsave ""\nmaxmemory-policy noeviction\n'
        printf '%s\n' "$@"
    } >"$at/redis.conf"
    "$dir/redis-server" "$at/redis.conf" >/dev/null
}

certificates() {
    local at=$dir/certificates name
    mkdir -p "$at"
    for name in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$name" \
            -keyout "$at/$name.key" -out "$at/$name.pem" 2>/dev/null
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis \
        -keyout "$at/server.key" -out "$at/server.csr" 2>/dev/null
    openssl x509 -req -in "$at/server.csr" -CA "$at/ca.pem" -CAkey "$at/ca.key" -CAcreateserial -days 30 \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n') \
        -out "$at/server.pem" 2>/dev/null
}

answers() { redis-cli -p "$1" "${@:2}" 2>/dev/null; }

# until_true COMMAND...: waits up to 20 seconds.
until_true() {
    local tries
    for tries in {1..200}; do
        if "$@"; then return; fi
        sleep 0.1
    done
    echo "waited in vain for: $*" >&2
    return 1
}

is_up() { [[ "$(answers "$1" PING)" == PONG ]]; }
# Every member agrees, and every primary has its replica.
is_whole() {
    local port
    for port in "$@"; do
        answers "$port" CLUSTER INFO | grep -q '^cluster_state:ok' || return 1
        answers "$port" INFO replication | tr -d '\r' | grep -qE '^(connected_slaves:1|master_link_status:up)$' || return 1
    done
}

# cluster NAME: three primaries with a replica each. Prints its members.
cluster() {
    local port ports=() nodes=() n
    for n in {1..6}; do
        port=$(free_port)
        server "$1$n" "port $port" "cluster-port $(free_port)" "cluster-enabled yes" \
            "cluster-node-timeout 1000" "cluster-replica-validity-factor 0" "repl-diskless-sync-delay 0"
        ports+=("$port")
        nodes+=("127.0.0.1:$port")
    done
    for port in "${ports[@]}"; do until_true is_up "$port"; done
    redis-cli --cluster create "${nodes[@]}" --cluster-replicas 1 --cluster-yes >"$dir/$1.log" 2>&1 ||
        { cat "$dir/$1.log" >&2; return 1; }
    until_true is_whole "${ports[@]}"
    (IFS=,; echo "redis+cluster://${nodes[*]}")
}

start() {
    mkdir -p "$dir"
    install_server >&2
    local one tls steady failing
    one=$(free_port)
    server one "port $one"
    certificates
    tls=$(free_port)
    server tls "port 0" "tls-port $tls" "tls-cert-file $dir/certificates/server.pem" \
        "tls-key-file $dir/certificates/server.key" "tls-ca-cert-file $dir/certificates/ca.pem" "tls-auth-clients no"
    until_true is_up "$one"
    steady=$(cluster steady)
    failing=$(cluster failing)
    echo "SYMBOLON_TEST_REDIS=redis://127.0.0.1:$one"
    echo "SYMBOLON_TEST_REDIS_TLS=rediss://127.0.0.1:$tls?ca=$dir/certificates/ca.pem"
    echo "SYMBOLON_TEST_REDIS_CLUSTER=$steady"
    # For the one test that kills members, by the ids in DIR/failing*/redis.pid.
    echo "SYMBOLON_TEST_REDIS_FAILING=$failing"
    echo "SYMBOLON_TEST_REDIS_DIR=$dir"
}

stop() {
    local file pid
    for file in "$dir"/*/redis.pid; do
        [[ -f "$file" ]] || continue
        pid=$(<"$file")
        # The id may be another's by now: ours is a server that works in our directory.
        if [[ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" == "${file%/redis.pid}" ]]; then
            kill -KILL "$pid" 2>/dev/null || true
        fi
    done
}

"$action"
