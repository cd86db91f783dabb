#!/usr/bin/env bash
# Fetches further servers that are not ours into the directory $1, behind fetch.sh: Mercure from the Go proxy, Pushpin from Debian's
# packages, an MCP server from npm. Nothing is installed on the system, and no service is started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"

if [ ! -x mercure/mercure ]; then
  mkdir -p mercure/build
  (
    cd mercure/build
    # A module that only names the one version: "go install" wants the list of all versions, which not every proxy has.
    printf 'module fetch\n\ngo 1.24\n\nrequire github.com/dunglas/mercure v0.20.0\n' >go.mod
    GOFLAGS=-mod=mod GOWORK=off go build -o ../mercure github.com/dunglas/mercure/cmd/mercure
  ) || {
    echo "verify-servers: Mercure v0.20.0 cannot be had from the Go proxy" >&2
    exit 1
  }
fi

if [ ! -x pushpin/usr/bin/pushpin ]; then
  mkdir -p pushpin-debs
  packages="pushpin zurl condure libqt5core5a libqt5network5 libzmq5 libdouble-conversion3 libpcre2-16-0 libnorm1 libpgm-5.3-0 libsodium23"
  (
    cd pushpin-debs
    # shellcheck disable=SC2086 # they are words
    apt-get download -qq $packages 2>apt.log || { apt-get update -qq && apt-get download -qq $packages; } || {
      cat apt.log >&2
      echo "verify-servers: the Debian packages $packages cannot be had" >&2
      exit 1
    }
  )
  for package in pushpin-debs/*.deb; do
    dpkg -x "$package" pushpin
  done
fi

mkdir -p mcp && cp "$here/mcp.mjs" mcp/
if [ ! -d mcp/node_modules/@modelcontextprotocol/sdk ]; then
  (cd mcp && npm install --silent --no-audit --no-fund --prefix . @modelcontextprotocol/sdk@1.32.2) || {
    echo "verify-servers: the MCP SDK cannot be had from npm (it needs node and npm)" >&2
    exit 1
  }
fi
