#!/bin/bash
# Cloudron starts this as root, on every start and after every restore. As root nothing is read or written
# that the server's own user could have changed: whoever takes over the server is not to become root by a
# restart.
#
# The server takes CLOUDRON_POSTGRESQL_URL, CLOUDRON_REDIS_URL, CLOUDRON_APP_ORIGIN and CLOUDRON_MAIL_* by itself;
# they may differ at every start, so nothing of them is kept.
set -euo pipefail

data=/app/data
if ((EUID == 0)); then
    # A restore can lose owners.
    chown -hR cloudron:cloudron "$data"
    exec gosu cloudron:cloudron "$0"
fi

umask 077
mkdir -p "$data/uploads"
[[ -e $data/env ]] || cp /app/code/env.example "$data/env"
# Secrets of this installation: who is signed in stays signed in over restarts and restores. To sign
# everybody out, delete session-secret and restart.
for secret in jwt-secret session-secret; do
    [[ -s $data/$secret ]] || head -c 48 /dev/urandom | base64 -w 0 >"$data/$secret"
done

export UPLOAD_ROOT=$data/uploads
# People sign in by a link alone, which leads to this very app.
export EMAIL_ENABLED=true OTP_ENABLED=false
export APP_DEEP_LINK=$CLOUDRON_APP_ORIGIN
# Cloudron's proxy and no other app on its network.
export TRUSTED_PROXIES=${CLOUDRON_PROXY_IP:-172.16.0.0/12}
# The app has 20 seconds before it is killed.
export SHUTDOWN_TIMEOUT_SECONDS=8
# What the operator says comes last, and wins.
set -a
# shellcheck source=examples/community-rule/cloudron/env.example
source "$data/env"
set +a
[[ -n ${AUTH_JWT_SECRET:-} ]] || export AUTH_JWT_SECRET_FILE=$data/jwt-secret
[[ -n ${SESSION_SECRET:-} ]] || export SESSION_SECRET_FILE=$data/session-secret

server=/app/code/community-rule
"$server" config check
"$server" migrate
exec "$server" serve
