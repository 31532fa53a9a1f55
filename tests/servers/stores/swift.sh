#!/usr/bin/env bash
# OpenStack Swift with its S3 interface: one node, one disk, on loopback, until it is ended.
#
#   swift.sh PROGRAM DIRECTORY PORT ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT
#
# Its user has the access key "test:tester" and the secret "testing".
set -euo pipefail

program=$1 directory=$2 port=$3
declare -A ports=([account]=$4 [container]=$5 [object]=$6)
trap exit TERM
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT

# Containers show an object when its PUT is answered, however busy this machine is: Swift itself
# waits for a second, and then adds it later.
settings() {
  cat <<END_OF_SETTINGS
[DEFAULT]
swift_dir = $directory
devices = $directory/devices
mount_check = false
bind_ip = 127.0.0.1
bind_port = $1
workers = 0
user = $(id -un)
log_level = ERROR
container_update_timeout = 30
END_OF_SETTINGS
}

mkdir -p "$directory/devices/disk"
printf '[swift-hash]\nswift_hash_path_suffix = feedsync\n' >"$directory/swift.conf"
for kind in account container object; do
  ring=$directory/$kind.builder
  "$program/bin/swift-ring-builder" "$ring" create 4 1 0 >/dev/null
  "$program/bin/swift-ring-builder" "$ring" add "r1z1-127.0.0.1:${ports[$kind]}/disk" 1 >/dev/null
  "$program/bin/swift-ring-builder" "$ring" rebalance >/dev/null
  { settings "${ports[$kind]}"
    printf '[pipeline:main]\npipeline = %s-server\n' "$kind"
    printf '[app:%s-server]\nuse = egg:swift#%s\n' "$kind" "$kind"
  } >"$directory/$kind.conf"
  "$program/bin/swift-$kind-server" "$directory/$kind.conf" &
done
{ settings "$port"
  cat <<'END_OF_SETTINGS'
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats bulk s3api tempauth slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
END_OF_SETTINGS
  for filter in catch_errors gatekeeper healthcheck listing_formats bulk slo dlo versioned_writes symlink; do
    printf '[filter:%s]\nuse = egg:swift#%s\n' "$filter" "$filter"
  done
} >"$directory/proxy.conf"
"$program/bin/swift-proxy-server" "$directory/proxy.conf" &
wait
