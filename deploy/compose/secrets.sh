#!/bin/sh
# Makes the secrets of deploy/compose.yaml, and a certificate for the edge, where they are missing.
# What is there stays: run it again whenever you like.
#
#   deploy/compose/secrets.sh [HOST]      HOST: name in the certificate; default: localhost
#
# Only you can enter the folder. The files in it are readable: Docker mounts them as they are into
# containers whose users are others.
set -eu
umask 077
host=${1:-localhost}
case $host in
*[!A-Za-z0-9.-]* | '')
  echo "error: HOST: expected a host name or an IPv4 address" >&2
  exit 2
  ;;
esac
command -v openssl >/dev/null || {
  echo "error: openssl is missing: install it" >&2
  exit 1
}
folder=${QUORUM_SECRETS:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

# Without a line end, which not everybody takes off.
random() { openssl rand -hex 32 | tr -d '\n'; }

# keep NAME: takes standard input as the secret NAME, unless there is one. It appears whole or not.
keep() {
  if [ -s "$1" ]; then
    cat >/dev/null
    return
  fi
  cat >"$1.new"
  [ -s "$1.new" ] || {
    echo "error: $1 could not be made" >&2
    exit 1
  }
  chmod 444 "$1.new"
  mv -f "$1.new" "$1"
  echo "made $folder/$1"
}

random | keep postgres_password
random | keep quorum_database_password
random | keep mlflow_database_password
random | keep redis_password
random | keep grafana_admin_password
random | keep quorum_key_pepper
random | keep ray_auth_token

# The addresses follow from the passwords.
echo "postgresql://quorum:$(cat quorum_database_password)@postgres:5432/quorum" | keep database_url
echo "postgresql+psycopg://mlflow:$(cat mlflow_database_password)@postgres:5432/mlflow" |
  keep mlflow_database_url
echo "redis://quorum:$(cat redis_password)@redis:6379/0" | keep redis_url

# Redis itself learns the hash alone. Without a password it answers PING, for the health check.
hash=$(printf %s "$(cat redis_password)" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
keep redis_users <<EOF
user default on nopass resetkeys resetchannels -@all +ping
user quorum on #$hash ~* &* +@all -@admin -flushall -flushdb -swapdb
EOF

if [ ! -s edge_certificate ]; then
  case $host in
  *[!0-9.]*) name="DNS:$host" ;;
  *) name="IP:$host" ;;
  esac
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days 397 \
    -subj "/CN=$host" -addext "subjectAltName=$name" \
    -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
    -keyout edge.key -out edge.crt 2>/dev/null || {
    echo "error: openssl could not make the certificate: it needs OpenSSL 3" >&2
    exit 1
  }
  cat edge.crt edge.key | keep edge_certificate
  rm -f edge.key edge.crt
fi
