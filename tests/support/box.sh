#!/bin/sh
# box.sh ROOT CONSOLE SHOWN...: goes on as systemd, the first process of a machine that is made
# of namespaces alone.  What starts it has made those: of mounts, processes and cgroups at
# least, with the cgroup that is to be the root of all that it sees.
#
# /run, /tmp, /var, /etc and /dev are of its own, the system's programs are seen and not
# written, the directories SHOWN are as outside.  ROOT is an empty directory.  CONSOLE is a
# terminal.  The first SHOWN has the units.  Nothing of it is left when it ends.
set -eu
root=$1 console=$2 units=$3
shift 2

mount --make-rprivate /
mount -t tmpfs -o mode=755 box "$root"
cd "$root"
mkdir run tmp var var/log proc sys dev etc root old
ln -s ../run var/run
for part in bin sbin lib lib32 lib64 libx32 usr; do
	if [ -L "/$part" ]; then
		cp -d "/$part" .
	elif [ -d "/$part" ]; then
		mkdir "$part"
		mount --bind -o ro "/$part" "$part"
	fi
done
for file in passwd group nsswitch.conf ld.so.cache ld.so.conf alternatives; do
	[ ! -e "/etc/$file" ] || cp -a "/etc/$file" etc
done
: >etc/machine-id
for own in run tmp dev; do
	mount -t tmpfs -o mode=755 "box-$own" "$own"
done
chmod 1777 tmp
for part; do
	mkdir -p "./$part"
	mount --bind "$part" "./$part"
done
for node in null zero full random urandom tty; do
	: >"dev/$node"
	mount --bind "/dev/$node" "dev/$node"
done
: >dev/console
mount --bind "$console" dev/console
mount -t proc box-proc proc
mount -t sysfs -o ro box-sys sys
mount -t cgroup2 box-cgroup sys/fs/cgroup
pivot_root . old
umount -l /old
exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH="$units" \
	/lib/systemd/systemd --system --log-target=console --show-status=no
