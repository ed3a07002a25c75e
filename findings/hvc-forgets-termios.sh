#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A virtio console (/dev/hvcN) forgets its termios settings when the last file of it is
# closed: the driver of hvc sets TTY_DRIVER_RESET_TERMIOS (drivers/tty/hvc/hvc_console.c).
# A serial port (/dev/ttySN) keeps them. So `stty -F /dev/hvc0 raw` ends well and changes
# nothing for the command that comes next, and a binary stream gets a CR before each LF.
# It helps to keep the file open, or to give the program and stty the same descriptor.
#
# Seen with Linux 6.1 (Debian 12, amd64) in qemu 7.2: opost is off on ttyS1 after stty has
# ended, and on again on hvc0; on hvc0 that a shell holds open it stays off. This script
# unpacks the packages in a temporary folder, boots that kernel, and fails when that changes.
set -euo pipefail

series=6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

image=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: //p' | head -n 1)
[[ $image == linux-image-$series.* ]] || { echo "not Linux $series: $image"; exit 1; }
apt-get download "$image" busybox-static qemu-system-x86 qemu-system-data qemu-system-common \
	seabios ipxe-qemu >/dev/null 2>&1
for deb in *.deb; do
	dpkg -x "$deb" root
done
qemu=$work/root/usr/bin/qemu-system-x86_64

mkdir -p g/bin g/dev g/proc g/sys
cp root/bin/busybox g/bin/
for ko in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console; do
	find root/lib/modules -name "$ko.ko" -exec cp {} g/ \;
done
cat >g/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
for ko in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_console; do
	[ ! -e /$ko.ko ] || insmod /$ko.ko
done
opost()
{
	stty -a <$1 | grep -o -- '-\?opost'
}
for tty in /dev/ttyS1 /dev/hvc0; do
	stty raw <$tty
	echo "told: $tty, closed: $(opost $tty)" >/dev/console
done
exec 4<>/dev/hvc0
stty raw <&4
echo "told: /dev/hvc0, held: $(opost /dev/hvc0)" >/dev/console
reboot -f
INIT
chmod +x g/init
(cd g && find . | cpio -o -H newc --quiet) >initrd
timeout 120 "$qemu" -L root/usr/share/qemu -L root/usr/share/seabios -accel tcg -m 512 \
	-nodefaults -no-user-config -display none -no-reboot \
	-serial file:log -serial null -device virtio-serial-pci \
	-chardev null,id=c -device virtconsole,chardev=c \
	-kernel root/boot/vmlinuz-* -initrd initrd -append 'console=ttyS0 panic=-1' </dev/null
tr -d '\r' <log | sed -n 's/.*told: //p' | tee told
diff told - <<'END'
/dev/ttyS1, closed: -opost
/dev/hvc0, closed: opost
/dev/hvc0, held: -opost
END
