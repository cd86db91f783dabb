#!/usr/bin/env bash
# Fetches servers that are not ours into the directory $1: nginx with Nchan from Debian's packages, PocketBase from the Go proxy,
# graphql-sse from npm.
# Nothing is installed on the system, and no service is started: the packages are only unpacked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"

if [ ! -x nginx/usr/sbin/nginx ]; then
  mkdir -p debs
  (
    cd debs
    # apt-get leaves a note when it cannot drop its rights in this directory; the exit code tells what matters.
    apt-get download -qq nginx libnginx-mod-nchan 2>apt.log || { apt-get update -qq && apt-get download -qq nginx libnginx-mod-nchan; } || {
      cat apt.log >&2
      echo "test-servers: the Debian packages nginx and libnginx-mod-nchan cannot be had" >&2
      exit 1
    }
  )
  for package in debs/*.deb; do
    dpkg -x "$package" nginx
  done
  # The module makes a directory below /var/lib when it starts, wherever its configuration says that files shall go: the
  # name that is built into it is made one below the prefix, of the same length.
  LC_ALL=C sed -i 's#/var/lib/nginx/body#run/nchan-body-file#' nginx/usr/lib/nginx/modules/ngx_nchan_module.so
fi

if [ ! -x pocketbase/base ]; then
  GOBIN=$PWD/pocketbase GOFLAGS=-mod=mod go install github.com/pocketbase/pocketbase/examples/base@v0.36.8 || {
    echo "test-servers: PocketBase v0.36.8 cannot be had from the Go proxy" >&2
    exit 1
  }
fi

mkdir -p graphql && cp "$here/graphql.mjs" graphql/
if [ ! -d graphql/node_modules/graphql-sse ]; then
  (cd graphql && npm install --silent --no-audit --no-fund --prefix . graphql@16.15.0 graphql-sse@2.6.1) || {
    echo "test-servers: graphql and graphql-sse cannot be had from npm (it needs node and npm)" >&2
    exit 1
  }
fi
