#!/usr/bin/env bash
# A private PostgreSQL for the tests, with TLS under a certificate authority of its own; see ./run.
set -euo pipefail
verb=$1
dir=$2

# PostgreSQL refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# Where the server's programs are: those of the newest version.
programs() {
    local found
    found=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
    if [ -z "$found" ] && command -v initdb >/dev/null; then
        found=$(dirname "$(readlink -f "$(command -v initdb)")")
    fi
    echo "$found"
}

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN=Symbolon test CA" -keyout ca.key -out ca.pem
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -subj "/CN=localhost" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
        -extfile <(printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n')
    # An authority that the server's certificate is not of.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN=Another CA" -keyout other.key -out other.pem
}

start() {
    if [ -z "$(programs)" ]; then
        apt-get update >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql >&2
    fi
    local bin port
    bin=$(programs)
    # One on which nobody answers.
    port=$((20000 + RANDOM % 12000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
        port=$((20000 + RANDOM % 12000))
    done
    cd "$dir"
    certificates >/dev/null 2>&1
    printf 'secret' >password
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres "$dir"
    fi
    chmod 600 server.key
    as_owner "$bin/initdb" -D "$dir/data" -U symbolon --pwfile="$dir/password" -A scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 >&2
    cat >>data/postgresql.conf <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
fsync = on
synchronous_commit = on
max_connections = 200
ssl = on
ssl_cert_file = '$dir/server.pem'
ssl_key_file = '$dir/server.key'
CONF
    # -l keeps the server from holding the pipe that `run` reads.
    as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >&2
    head -1 data/postmaster.pid >pid
    PGPASSWORD=secret "$bin/createdb" -h 127.0.0.1 -p "$port" -U symbolon symbolon
    echo "SYMBOLON_TEST_POSTGRES=postgres://symbolon:secret@127.0.0.1:$port/symbolon"
    # For restarting it in the middle of a test, and for TLS.
    echo "SYMBOLON_TEST_POSTGRES_DIR=$dir"
}

# Kills the server where it stands and starts it again.
crash() {
    local bin
    bin=$(programs)
    cd "$dir"
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w -t 60 stop >&2
    sleep 1
    as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >&2
    head -1 data/postmaster.pid >pid
}

stop() {
    local pid
    [ -f "$dir/pid" ] || return 0
    pid=$(cat "$dir/pid")
    # SIGQUIT: at once, what is on disk goes with the directory.
    kill -QUIT "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.05
    done
}

"$verb"
