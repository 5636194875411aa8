#!/bin/sh
# First program of the node: puts its file system together in a mount namespace of its own, then becomes
# process 1 of its process namespace. Whatever is mounted here ends with that process.
# Environment: ROOT (folder of the cluster), LOWER (unpacked packages), PROGRAMS (folder of program files),
# PAUSE (program that stays as process 1), CGROUP, NODE_NAME.
set -eu

node="$ROOT/node"
mkdir -p "$node" "$ROOT/overlay/upper" "$ROOT/overlay/work"
mount --make-rprivate /
mount -t overlay technova -o "lowerdir=$LOWER,upperdir=$ROOT/overlay/upper,workdir=$ROOT/overlay/work" "$node"
mkdir -p "$node/proc" "$node/sys" "$node/dev" "$node/run" "$node/var" "$node/tmp" "$node/machine" \
  "$node/etc/technova" "$node/opt/technova" "$node/usr/local/bin"
mount -t proc proc "$node/proc"
mount -t sysfs sysfs "$node/sys"
mount --rbind /sys/fs/cgroup "$node/sys/fs/cgroup"
mount --rbind /dev "$node/dev"
mount --bind "$ROOT/run" "$node/run"
mount --bind "$ROOT/var" "$node/var"
mount --bind "$ROOT/etc" "$node/etc/technova"
mount --bind "$PROGRAMS" "$node/opt/technova"
mount -o remount,bind,ro "$node/opt/technova"
mount -t tmpfs -o mode=1777 tmpfs "$node/tmp"
ln -sfn ../run "$node/var/run"
cp "$PAUSE" "$node/sbin/node-init"
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
  ln -sfn xtables-nft-multi "$node/usr/sbin/$name"
done

# The kubelet insists on these values. They belong to the whole machine, so it is shown files that hold what it
# wants instead of being let at the machine's.
shown="$node/run/sysctl"
mkdir -p "$shown"
while read -r name value; do
  echo "$value" >"$shown/$name"
  mount --bind "$shown/$name" "$node/proc/sys/$(echo "$name" | tr . /)"
done <<EOF
vm.overcommit_memory 1
vm.panic_on_oom 0
kernel.panic 10
kernel.panic_on_oops 1
kernel.keys.root_maxkeys 1000000
kernel.keys.root_maxbytes 25000000
EOF

# A cgroup of its own in every hierarchy, so that all that the node runs can be found and removed.
for hierarchy in /sys/fs/cgroup/*/ /sys/fs/cgroup/; do
  [ -f "${hierarchy}cgroup.procs" ] || continue
  mkdir -p "$hierarchy$CGROUP"
  if [ -f "$hierarchy$CGROUP/cpuset.cpus" ] && [ -f "${hierarchy}cpuset.cpus" ] && [ -z "$(cat "$hierarchy$CGROUP/cpuset.cpus")" ]; then
    cat "${hierarchy}cpuset.cpus" >"$hierarchy$CGROUP/cpuset.cpus"
    cat "${hierarchy}cpuset.mems" >"$hierarchy$CGROUP/cpuset.mems"
  fi
done

echo "$NODE_NAME" >/proc/sys/kernel/hostname
cd "$node"
pivot_root . machine
cd /
umount -l /machine
exec /sbin/node-init
