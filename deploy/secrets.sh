#!/bin/sh
# Draws what deploy/compose.yaml keeps secret, one file each in deploy/secrets; a file that is there stays as it is.
set -eu
folder=$(dirname "$0")/secrets
mkdir -p "$folder"
chmod 700 "$folder"
umask 022 # the folder is closed to others here; in the containers the files are read by users of other numbers

draw() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { # name, value
    if [ ! -e "$folder/$1" ]; then printf '%s\n' "$2" >"$folder/$1"; fi
}

keep postgres_password "$(draw)"
keep marquee_database_url "postgresql://marquee:$(cat "$folder/postgres_password")@postgres:5432/marquee"
keep marquee_api_keys "$(draw)"
keep grafana_password "$(draw)"
