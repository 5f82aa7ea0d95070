# The first process of a host, run by root in namespaces of its own; see host.ts, which sets HOST_*.
#
# It makes the host's file systems, waits for a line on its input while the lab plugs the network in, starts
# the enabled services and then collects orphans. It ends, and all of the host with it, when its input ends.
set -e
hostname "$HOST_NAME"
cd "$HOST_ROOT"

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  : >dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
# From the lab's folders, which end with it, and which the host must not see otherwise.
printf '%s\n' "$HOST_BINDS" | while read -r target source; do
  [ -n "$target" ] || continue
  mkdir -p "${target%/*}"
  [ -e "$target" ] || : >"$target"
  mount --bind "$source" "$target"
done

if [ -n "$HOST_VOLUME" ]; then
  device=$(losetup --show --find "$HOST_VOLUME")
  # Detached now, it lives until nobody has it open: the kernel frees it when the host ends.
  exec 9<"$device"
  losetup --detach "$device"
  : >"dev/${HOST_VOLUME_DEVICE##*/}"
  mount --bind "$device" "dev/${HOST_VOLUME_DEVICE##*/}"
  if [ -n "$HOST_VOLUME_FOLDER" ]; then
    mkdir -p ".$HOST_VOLUME_FOLDER"
    mount "$device" ".$HOST_VOLUME_FOLDER"
  fi
fi

mkdir -p .lab
pivot_root . .lab
cd /
umount --lazy /.lab
echo namespaces
read -r _

sysctl --quiet --write net.ipv4.conf.all.route_localnet=1 net.ipv4.ip_unprivileged_port_start=1024
ip link set lo up
# Of 127.0.0.0/8 only localhost is here: the rest is the world outside.
ip route replace local 127.0.0.1 dev lo table local
ip route del local 127.0.0.0/8 dev lo table local
ip address add 169.254.169.254/32 dev lo
ip link set eth0 up
for address in $HOST_ADDRESSES; do ip address add "$address/32" dev eth0; done
ip route add "$HOST_ROUTER" dev eth0
ip route add default via "$HOST_ROUTER" src "${HOST_ADDRESSES%% *}"
ip route add 127.0.0.0/8 via "$HOST_ROUTER" src "${HOST_ADDRESSES%% *}"
if [ -n "$HOST_ADDRESS6" ]; then
  ip address add fe80::2/64 dev eth0 nodad
  ip address add "$HOST_ADDRESS6/128" dev eth0 nodad
  ip route add default via fe80::1 dev eth0
fi
echo network
read -r _
/usr/bin/systemctl start-enabled </dev/null >&2
echo booted

trap 'exit 0' USR1
exec 3<&0 </dev/null >/dev/null 2>&1
{ cat <&3 >/dev/null; kill -USR1 1; } &
while :; do wait; done
