#!/bin/sh
# Run by the image of PostgreSQL in an empty data folder: a role and a database for each that uses
# it, none of them a superuser.
set -eu
for name in quorum mlflow; do
  # By the environment, not by an argument, which every process of the container sees.
  PASSWORD=$(cat "${SECRETS:-/run/secrets}/${name}_database_password") NAME=$name \
    psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv name NAME
\getenv password PASSWORD
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
