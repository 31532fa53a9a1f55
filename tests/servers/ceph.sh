#!/usr/bin/env bash
# A real S3 service for tests: the RADOS gateway of Ceph, one node, in memory, on loopback.
#
#   ceph.sh install                          installs it, and libfaketime, on Debian
#   ceph.sh start DIR PORT [MONITOR_PORT]    starts it: prints the endpoint when it answers
#   ceph.sh stop  DIR                        stops it and removes DIR
#   ceph.sh run   DIR PORT [MONITOR_PORT]    starts it; stops it when standard input ends
#   ceph.sh admin DIR ARGUMENT...            radosgw-admin, for example to create users
#   ceph.sh sts   DIR PORT                   starts one more gateway, with a token service
#
# Its first user has the access key "devaccess" and the secret "devsecret".
set -euo pipefail

command=${1:?install, start, stop, run, admin or sts}
dir=${2:-}
port=${3:-}
monitor_port=${4:-$((${port:-7480} - 691))}
conf=$dir/ceph.conf

install() {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    radosgw ceph-mon ceph-osd ceph-common faketime
}

# Ends what was started with this configuration. There is nothing to save: it is all in memory.
stop() {
  if [ ! -e "$conf" ]; then return; fi
  local process
  for process in /proc/[0-9]*; do
    if grep -qsF "$conf" "$process/cmdline"; then kill -9 "${process#/proc/}" || true; fi
  done
  rm -rf "$dir"
}

# Without tcp_nodelay every GET would take 40 ms.
configure() {
  mkdir -p "$dir"/{mon,osd,run,log}
  touch "$dir/keyring"
  cat >"$conf" <<END
[global]
fsid = $1
mon host = [v1:127.0.0.1:$monitor_port]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg num = 8
osd pool default pgp num = 8
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 2
osd objectstore = memstore
memstore device bytes = 4294967296
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
run dir = $dir/run
log file = $dir/log/\$name.log
mon data = $dir/mon
osd data = $dir/osd
keyring = $dir/keyring
[client.rgw]
admin socket = $dir/run/rgw.asok
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw thread pool size = 64
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = feedsync=$(printf '%032d' 0 | base64)
END
}

start() {
  local fsid osd
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd=$(cat /proc/sys/kernel/random/uuid)
  configure "$fsid"
  monmaptool --create --addv a "[v1:127.0.0.1:$monitor_port]" --fsid "$fsid" "$dir/monmap" >&2
  ceph-mon -c "$conf" -i a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring" >&2
  ceph-mon -c "$conf" -i a >&2
  ceph -c "$conf" osd new "$osd" >&2
  ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd" >&2
  start_osd
  radosgw -c "$conf" -n client.rgw >&2
  timeout 60 radosgw-admin -c "$conf" user create --uid=dev --display-name=dev --access-key=devaccess --secret-key=devsecret >&2
  await_gateway
}

# Now and then the monitor takes commands for those of another cluster at first ("wrong fsid").
start_osd() {
  for _ in $(seq 50); do
    if ceph-osd -c "$conf" -i 0 >&2; then return; fi
    sleep 0.2
  done
  echo "Ceph's monitor refuses its OSD" >&2
  return 1
}

await_gateway() {
  for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "http://127.0.0.1:$port"
      return
    fi
    sleep 0.3
  done
  echo "Ceph does not answer on port $port" >&2
  return 1
}

# A gateway of its own: with a token service, wrong access keys get another answer.
sts() {
  radosgw -c "$conf" -n client.rgw \
    --rgw-frontends="beast endpoint=127.0.0.1:$port tcp_nodelay=1" \
    --admin-socket="$dir/run/sts-$port.asok" \
    --rgw-s3-auth-use-sts=true --rgw-sts-key=0123456789abcdef \
    --rgw-sts-min-session-duration=1 >&2
  await_gateway
}

admin() {
  radosgw-admin -c "$conf" "$@"
}

case $command in
  install) install ;;
  start) stop; start ;;
  stop) stop ;;
  run) trap stop EXIT; start; cat >/dev/null ;;
  admin) shift 2; admin "$@" ;;
  sts) sts ;;
  *) echo "Unknown command: $command" >&2; exit 64 ;;
esac
