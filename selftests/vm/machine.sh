# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # all are for run.sh
# Sourced by run.sh: which machine qemu emulates for an architecture.

# machine ARCH: sets
#   qemu         the program and the machine
#   ports        its three serial ports, for the chardevs console, out and result
#   console_tty  the kernel's console
#   ttys         the other two, as the guest names them: A,B
#   deps         the script that installs what is missing
machine()
{
	local virtio=(-device virtconsole,chardev=out -device virtconsole,chardev=result)

	deps=matrix/deps.sh ttys=hvc0,hvc1
	case "$1" in
	amd64)
		qemu=(qemu-system-x86_64 -cpu "${RINGBUF_VM_CPU:-max}")
		ports=(-serial chardev:console -serial chardev:out -serial chardev:result)
		console_tty=ttyS0,115200 ttys=ttyS1,ttyS2 deps=vm/deps.sh
		;;
	arm64)
		# The architecture's own algorithm for signed pointers is slow to emulate.
		qemu=(qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on)
		ports=(-serial chardev:console -device virtio-serial-pci "${virtio[@]}")
		console_tty=ttyAMA0
		;;
	riscv64)
		qemu=(qemu-system-riscv64 -M virt)
		ports=(-serial chardev:console -device virtio-serial-pci "${virtio[@]}")
		console_tty=ttyS0
		;;
	s390x)
		qemu=(qemu-system-s390x -M s390-ccw-virtio -cpu max)
		ports=(-device sclpconsole,chardev=console -device virtio-serial-ccw "${virtio[@]}")
		console_tty=ttysclp0
		;;
	ppc64el)
		qemu=(qemu-system-ppc64 -M pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken)
		ports=(-device spapr-vty,chardev=console,reg=0x30000000
			-device spapr-vty,chardev=out,reg=0x30001000
			-device spapr-vty,chardev=result,reg=0x30002000)
		console_tty=hvc0 ttys=hvc1,hvc2
		;;
	*) bad "no machine for the architecture '$1'" ;;
	esac
}
