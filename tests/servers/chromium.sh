#!/usr/bin/env bash
# A real browser for tests of the page: Debian's Chromium.
#
#   chromium.sh install    installs it on Debian
set -euo pipefail

if [ "${1:-}" != install ]; then
  echo "Usage: chromium.sh install" >&2
  exit 64
fi
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium fonts-dejavu-core
