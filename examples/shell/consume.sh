#!/usr/bin/env bash
# Receives what the other servers publish, and loses nothing: consume.sh NAME
set -euo pipefail
consumer=${API:-http://127.0.0.1:7071}/v1/consumers/$1
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# Sends a request; sets status, and writes the answer to a file. Waits while feedsync is away or busy.
call() {
  while true; do
    status=$(curl -sS --max-time 60 -o "$answer" -w '%{http_code} %header{retry-after}' \
      -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@" 2>/dev/null) ||
      status='503 1' # It is being restarted.
    case $status in
      2* | 404* | 410*) status=${status%% *} && return ;;
      429* | 503*) sleep "${status#* }" ;;
      *) cat "$answer" >&2 && exit 1 ;; # 409: another process reads for this consumer.
    esac
  done
}

# Put your storage here. After a crash, some updates come once more.
handle() {
  jq -r --unbuffered 'if .gap then "gap \(.gap)" elif .update.superseded then empty
    else .update | "\(.stream) \(.seq) \(.url)" end' "$answer"
}

while true; do
  call "$consumer/updates?wait=25s"
  if [ "$status" = 404 ]; then # The consumer is new, or was forgotten because nobody read.
    call -X PUT --data '{"from":"newest"}' "$consumer"
  elif [ -s "$answer" ]; then
    handle
    # 410: the state was restored; what follows is read again.
    call --data "$(tail -n 1 "$answer" | jq '{ cursor }')" "$consumer/ack"
  fi
done
