#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages, DKMS and the install targets, as TAP: installed, booted,
# upgraded and purged in a throw-away Debian root. Needs root, for chroot.
set -uo pipefail
. "$(dirname "$0")/../vm/lib.sh"
cd "$TOP" || exit

# Mounts of its own, which end with it.
if [ -z "${RINGBUF_PACKAGE_NS:-}" ]; then
	"$TOP/packaging/deps.sh" test || exit
	if [ "$(id -u)" != 0 ]; then
		echo 'TAP version 13'
		echo '1..0 # SKIP chroot takes root'
		exit 4
	fi
	exec unshare --mount --propagation private env RINGBUF_PACKAGE_NS=1 "$0"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-package.XXXXXX")
root=$work/root
logs=$TOP/build/logs
log=$work/log
n=0
failed=0
cleanup()
{
	umount -l "$root/proc" "$root/dev" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
chmod 755 "$work"
mkdir -p "$logs"

# check NAME COMMAND…: silence, or what went wrong
check()
{
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$log" 2>&1 </dev/null; then
		echo "ok $n - $name"
		return 0
	fi
	tail -n 50 "$log" | sed 's/^/# /'
	echo "not ok $n - $name"
	failed=1
	return 1
}

# Nothing on stdin, or what there is, and failure.
nothing()
{
	! grep .
}

in_root()
{
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
		LC_ALL=C HOME=/root TERM=dumb "$@"
}

# --- without a root

install_targets()
{
	local dest=$work/dest list
	mkdir -p "$dest/usr/local/bin"
	touch "$dest/usr/local/bin/other"
	make -s install dkms-install DESTDIR="$dest" || return
	list=$(find "$dest" ! -type d -printf '/%P\n')
	for file in /usr/local/bin/ringbuf /usr/local/lib/libringbuf.so.1 \
		/usr/local/share/man/man4/ringbuf.4 /usr/local/include/linux/ringbuf.h \
		/usr/local/lib/udev/rules.d/70-ringbuf.rules \
		/usr/local/lib/sysusers.d/ringbuf.conf \
		/usr/local/lib/modprobe.d/00-ringbuf-mode.conf \
		/usr/local/lib/systemd/system/ringbuf-record@.service \
		"/usr/src/ringbuf-$version/dkms.conf"; do
		grep -qxF "$file" <<<"$list" || { echo "no $file"; return 1; }
	done
	grep -q ' /usr/local/bin/ringbuf record ' \
		"$dest/usr/local/lib/systemd/system/ringbuf-record@.service" || return
	make -s uninstall dkms-uninstall DESTDIR="$dest" || return
	find "$dest" ! -type d -printf '/%P\n' | sed '/^\/usr\/local\/bin\/other$/d' | nothing || return
	[ -e "$dest/usr/local/bin/other" ]
}

status_of_tree()
{
	if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git status --porcelain --ignored
	else
		find . -path ./build -prune -o -type f -print | sort
	fi | sed '/ build\/$/d'
}

make_deb()
{
	status_of_tree >"$work/before"
	make -s deb || return
	status_of_tree | diff "$work/before" -
}

# Each override says why, in a comment before it.
overrides_explained()
{
	awk 'FNR == 1 { said = 0 } /^#/ { said = 1; next }
		!said { print FILENAME ": " $0 } { said = 0 }' debian/*.lintian-overrides | nothing
}

owned_by_root()
{
	local deb
	for deb in build/deb/*.deb; do
		dpkg-deb -c "$deb" | awk -v deb="$deb" '
			$2 != "root/root" || $1 ~ /s|t$|^-.......w/ { print deb ": " $0 }'
	done | nothing
}

# From the source package, without git and without root.
next_version()
{
	local dir=$work/next
	mkdir "$dir"
	tar -xf build/deb/ringbuf_"$version".tar.xz -C "$dir" --strip-components=1 || return
	(cd "$dir" && packaging/version.sh set "$next" && packaging/version.sh check) || return
	chown -R nobody:nogroup "$dir"
	(cd "$dir" && status_of_tree >"$work/before")
	setpriv --reuid=nobody --regid=nogroup --clear-groups env -u XDG_CACHE_HOME HOME="$dir/build" \
		RINGBUF_CACHE="$dir/build/cache" make -s -C "$dir" deb || return
	(cd "$dir" && status_of_tree | diff "$work/before" -) || return
	[ -e "$dir/build/deb/ringbuf-dkms_${next}_all.deb" ]
}

# --- in the root

unpack_root()
{
	local tar
	tar=$(selftests/package/root.sh) || return
	mkdir "$root"
	tar -I zstd -xpf "$tar" -C "$root" --exclude='./dev/*' || return
	mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev" || return
	for node in null zero full random urandom; do
		cp -a "/dev/$node" "$root/dev/"
	done
	ln -s /proc/self/fd "$root/dev/fd"
	mkdir -p -m 700 "$root/var/log/private"
	echo exit 101 >"$root/usr/sbin/policy-rc.d" # nothing is started
	kernels=$(ls "$root/lib/modules")
	[ "$(wc -w <<<"$kernels")" -ge 6 ]
}

# All files but those that change whatever is installed, and who owns them.
files()
{
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./run \
		-o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg \
		-o -path ./var/log/apt -o -path ./var/log/dpkg.log -o -path ./root \) -prune -o \
		! -path './var/lib/dkms/mok.*' ! -name 'modules.*' \
		! -path './etc/ld.so.cache' ! -path ./etc/'group-' ! -path ./etc/'gshadow-' \
		! -path './var/log/alternatives.log' ! -path './var/log/dkms' \
		-printf '%p %y %m %u:%g %l\n') | sort
}

apt_install()
{
	local dir=$1
	cp "$dir"/*.deb "$root/tmp/" || return
	in_root sh -c 'rm -f /tmp/*-dbgsym_*; cd /tmp && apt-get install -y --no-install-recommends \
		-o Dpkg::Use-Pty=0 ./*.deb && rm ./*.deb'
}

# What dkms has of MODULE/VERSION, for all kernels
dkms_has()
{
	local kernel
	for kernel in ${2:-$kernels}; do
		in_root dkms status "$1" -k "$kernel" | grep -q ': installed$' ||
			{ echo "$1 is not installed for $kernel:"; in_root dkms status; return 1; }
	done
}

for_authors()
{
	local kernel dir
	for kernel in $kernels; do
		dir=$root/var/lib/dkms/ringbuf/kernel-$kernel-x86_64
		# An absolute link would lead out of this root.
		[ -s "$dir/include/ringbuf.h" ] && [ -s "$dir/include/uapi/linux/ringbuf.h" ] &&
			grep -qP '\tringbuf_reserve\t.*\tRINGBUF$' "$dir/Module.symvers" ||
			{ echo "$dir:"; ls -lR "$dir/"; return 1; }
	done
}

module_versions()
{
	local kernel
	for kernel in $kernels; do
		[ "$(in_root modinfo -k "$kernel" -F version ringbuf)" = "$1" ] ||
			{ echo "$kernel:"; in_root modinfo -k "$kernel" ringbuf; return 1; }
	done
}

unit_is_hardened()
{
	in_root systemd-analyze verify --man=no /usr/lib/systemd/system/ringbuf-record@.service |&
		nothing || return
	in_root systemd-analyze security --offline=true --threshold=10 \
		/usr/lib/systemd/system/ringbuf-record@.service
}

template_installs()
{
	in_root cp -r /usr/share/doc/ringbuf-dkms/examples/dkms-producer /usr/src/ring-template-1.0
	local kernel
	for kernel in $kernels; do
		in_root dkms install ring-template/1.0 -k "$kernel" || return
		[ "$(in_root modinfo -k "$kernel" -F depends ring_template)" = ringbuf ] || return
		[ "$(in_root modinfo -k "$kernel" -F import_ns ring_template)" = RINGBUF ] || return
	done
}

# As when a kernel is installed: what is there for it goes, and its hook runs.
new_kernel()
{
	local kernel=$1
	in_root dkms remove ring-template/1.0 -k "$kernel" &&
		in_root dkms remove "ringbuf/$version" -k "$kernel" || return
	# dkms forgets what is built for no kernel; here there are others.
	in_root make -s -C /usr/src/ring-template-1.0 KVER="$kernel" >"$work/refused" 2>&1 && return 1
	grep -q "ringbuf is not installed for $kernel" "$work/refused" ||
		{ cat "$work/refused"; return 1; }
	in_root /etc/kernel/postinst.d/dkms "$kernel" || return
	dkms_has "ringbuf/$version" "$kernel" && dkms_has ring-template/1.0 "$kernel"
}

upgrade()
{
	local gid
	gid=$(grep ^ringbuf: "$root/etc/group")
	apt_install "$work/next/build/deb" || return
	[ "$(grep ^ringbuf: "$root/etc/group")" = "$gid" ] || return
	# In a chroot dkms's own script builds for the newest kernel only.
	for kernel in $kernels; do
		in_root dkms autoinstall -k "$kernel" || return
	done
	[ ! -e "$root/usr/src/ringbuf-$version" ] && [ ! -e "$root/var/lib/dkms/ringbuf/$version" ]
}

purge()
{
	in_root dkms remove ring-template/1.0 --all && rm -r "$root/usr/src/ring-template-1.0" || return
	in_root systemctl enable ringbuf-record@audit || return
	mkdir -p "$root/var/log/private/ringbuf/audit"
	ln -s private/ringbuf "$root/var/log/ringbuf"
	in_root apt-get purge -y ringbuf-dkms ringbuf-tools libringbuf-dev libringbuf1
}

nothing_left()
{
	files | diff "$work/files" - || return
	# The group stays, as is the custom: there may be files of it.
	diff "$work/group" "$root/etc/group" >"$work/groups"
	[ "$(grep -c '^>' "$work/groups")" = 1 ] && grep -q '^> ringbuf:' "$work/groups" ||
		{ cat "$work/groups"; return 1; }
	in_root dkms status | nothing || return
	find "$root/lib/modules" -name '*ring_template*' -o -name 'ringbuf*' | nothing || return
	in_root dpkg-query -W -f '${Package} ${Status}\n' | sed -n /ringbuf/p | nothing
}

# Without packages, from the tree, as on other systems.
make_dkms_install()
{
	local kernel
	kernel=$(head -n 1 <<<"$kernels")
	mkdir "$root/tmp/tree"
	tar -xf build/deb/ringbuf_"$version".tar.xz -C "$root/tmp/tree" --strip-components=1 || return
	in_root make -s -C /tmp/tree dkms-install REL="$kernel" || return
	dkms_has "ringbuf/$version" "$kernel" || return
	# Again, over what is there
	in_root make -s -C /tmp/tree dkms-install REL="$kernel" || return
	dkms_has "ringbuf/$version" "$kernel" || return
	in_root make -s -C /tmp/tree/userspace install-system || return
	[ -e "$root/usr/local/lib/udev/rules.d/70-ringbuf.rules" ] || return
	in_root make -s -C /tmp/tree/userspace uninstall-system || return
	in_root make -s -C /tmp/tree dkms-uninstall || return
	rm -r "$root/tmp/tree"
}

version=$(packaging/version.sh)
next=${version%.*}.$((${version##*.} + 1))

echo 'TAP version 13'
check 'one version' packaging/version.sh check
check 'install and uninstall, in DESTDIR' install_targets
check 'make deb; the tree stays as it is' make_deb || exit
check 'lintian' lintian --allow-root --fail-on error,warning \
	build/deb/ringbuf_"$version"_*.changes
check 'its overrides have reasons' overrides_explained
check 'all files are of root, none writable by others' owned_by_root
check 'the next version, from the source package, by nobody' next_version

check 'a Debian root' unpack_root || exit
files >"$work/files"
cp "$root/etc/group" "$work/group"
check 'install' apt_install build/deb || exit
check 'dkms has built it for all kernels' dkms_has "ringbuf/$version"
check 'which modprobe finds' module_versions "$version"
check 'a system group' grep -q '^ringbuf:x:[0-9]\{1,3\}:$' "$root/etc/group"
check 'headers and Module.symvers for modules that publish' for_authors
check 'the unit is valid, and hardened' unit_is_hardened
check 'the template builds, for all kernels' template_installs
check 'a kernel that comes later gets both' new_kernel \
	"$(grep cloud <<<"$kernels" | tail -n 1)"

"$TOP/selftests/package/vm.sh" "$root" "$TOP/selftests/package/guest.sh" \
	"$logs/package-vm.log" >"$work/vm.out" 2>"$work/vm.err"
status=$?
sed 's/^/    /' "$work/vm.out"
check 'in a guest' eval "cat '$work/vm.err'; [ $status = 0 ]"

check 'upgrade' upgrade
check 'dkms has the next version for all kernels' dkms_has "ringbuf/$next"
check 'and the modules are of it' module_versions "$next"
check 'the template is still there' dkms_has ring-template/1.0
check 'purge' purge
check 'leaves nothing but the group' nothing_left
check 'make dkms-install, dkms-uninstall' make_dkms_install
# Directories below /usr/local may be anybody's.
rm -rf "$root/usr/local/lib/"{udev,sysusers.d,modprobe.d,systemd}
check 'leave nothing' nothing_left
echo "1..$n"
exit $failed
