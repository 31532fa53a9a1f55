#!/usr/bin/env bash
# Publishes a feed: publish.sh URL < feed.xml
set -euo pipefail
api=${API:-http://127.0.0.1:7071}
url=$(jq -rn --arg url "$1" '$url | @uri')

body=$(mktemp) answer=$(mktemp)
trap 'rm -f "$body" "$answer"' EXIT
cat >"$body"
key=$(cat /proc/sys/kernel/random/uuid) # Published once, however often it is sent.

while true; do
  status=$(curl -sS --max-time 60 -o "$answer" -w '%{http_code}' \
    -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/octet-stream' \
    -H "Idempotency-Key: $key" --data-binary "@$body" \
    "$api/v1/updates?url=$url&ifChanged" 2>/dev/null) || status=000
  case $status in
    2??) cat "$answer" && exit ;; # 202 is a success, too.
    000 | 429 | 503) sleep 1 ;;   # feedsync is being restarted, or busy.
    *) cat "$answer" >&2 && exit 1 ;;
  esac
done
