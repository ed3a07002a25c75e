#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf create, rm and ls, in the guest; and that each command takes a name.
# shellcheck disable=SC1091,SC2217,SC2317 # it lies in the guest; bg reads; check() calls
. "$(dirname "$0")/lib_cli.sh"

t_mounts()
{
	umount /sys/kernel/config 2>/dev/null || true
	# Not for anybody else.
	ends 1 su user -c 'ringbuf create one'
	said 'configfs is not mounted; try, as root: mount'
	ends 0 rb create one
	said 'mounted configfs on /sys/kernel/config'
	test -c /dev/ringbuf-one
	ends 0 rb create two
	silent
	ends 0 rb rm one two
	silent
	ends 1 ls /dev/ringbuf-one /dev/ringbuf-two
	same '' "$(ls $rings)"
}

t_defaults()
{
	rb create one
	same '1048576 boottime 0 0 0600 0' \
		"$(cd $rings/one && cat size clock reliable stall_ms mode max_consumers | xargs)"
	same '600' "$(stat -c %a /dev/ringbuf-one)"
	echo hi | rb pub one
	same hi "$(rb cat -n one)"
	# It is another one.
	same '' "$(rb cat -n)"
}

t_options()
{
	rb create --size 64K --reliable --stall 1.5s --clock none --mode 0640 \
		--max-consumers 2 --max-consumers-per-user 3 A-z_0.9
	same '65536 none 1 1500 0640 2 3' \
		"$(cd $rings/A-z_0.9 && cat size clock reliable stall_ms mode max_consumers \
			max_consumers_per_user | xargs)"
	same '640' "$(stat -c %a /dev/ringbuf-A-z_0.9)"
	rb create -s 4096 -L -S 20 b
	same '4096 1 20' "$(cd $rings/b && cat size reliable stall_ms | xargs)"
	for clock in boottime monotonic realtime tai none; do
		rb create -C $clock $clock
		rb info --json $clock | grep -q "\"clock\": \"$clock\", \"clockid\": -*[0-9]"
	done
	rb create -m 666 c
	same '666' "$(stat -c %a /dev/ringbuf-c)"
}

t_bad_options()
{
	ends 2 rb create --size 5M a
	said '4M or 8M would do'
	ends 2 rb create --size 6000 a
	said '4K or 8K would do'
	ends 2 rb create --size 1000 a
	said '4K to 1G'
	ends 2 rb create --size 2G a
	said '4K to 1G'
	ends 2 rb create --size -1 a
	said 'such as 65536 or 4M'
	ends 2 rb create --mode 0777 a
	said 'such as 0640'
	ends 2 rb create --mode 08 a
	said 'such as 0640'
	ends 2 rb create --reliable --stall 5x a
	said 'such as 5s or 500ms'
	ends 2 rb create --stall 5s a
	said 'stall goes with --reliable'
	ends 2 rb create --clock sundial a
	said "wants boottime, monotonic, realtime, tai or none, not 'sundial'"
	ends 2 rb create --max-consumers-per-user many a
	said '--max-consumers-per-user wants a number'
	ends 2 rb create --max-consumers many a
	said 'wants a number'
	ends 2 rb create
	said 'the name of one ring'
	ends 2 rb create a b
	ends 2 rb rm
	ends 2 rb create --sise 4M a
	said 'did you mean --size'
	same '' "$(ls $rings)"
}

t_bad_names()
{
	for name in .a a/b 'a b' 'a*' a1234567890123456789012345678901 ''; do
		ends 1 rb create "$name"
		said 'cannot be the name of a ring'
	done
	ends 1 rb create -- -a
	said 'cannot be the name of a ring'
	ends 1 rb create ringbuf
	said 'the default ring'
	ends 1 rb rm ringbuf
	said 'the default ring'
	ends 1 rb create /dev/ringbuf-a
	said "the name is 'a'"
	rb create a123456789012345678901234567890
	rb rm a123456789012345678901234567890
	same '' "$(ls $rings)"
}

t_exists()
{
	rb create one
	ends 1 rb create one
	said "there is a ring 'one' already"
	test -c /dev/ringbuf-one
	# As somebody leaves it who has not come to its end.
	mkdir $rings/half
	ends 1 rb create half
	said "is configured in .*, but not live"
	ends 0 rb rm half
	ends 0 rb create half
}

# More than there is: 1 GiB and what the guest needs itself.
t_no_memory()
{
	n=0
	# Which takes its time.
	while ringbuf create -s 1G big$n 2>said; do
		n=$((n + 1))
		[ $n -lt 10 ]
	done
	said 'not enough memory for a ring of 1.0 GiB'
	same "$n" "$(find $rings -mindepth 1 -maxdepth 1 | wc -l)"
}

# While it takes its time: the ring is not made, or it goes again.
t_stopped()
{
	for pause in 0 50000 200000; do
		bg create -s 512M big &
		creator=$!
		usleep $pause
		kill -TERM $creator
		status=0
		wait $creator || status=$?
		if [ $status = 0 ]; then
			# It was faster.
			rb rm big
		else
			same 143 $status
		fi
		same '' "$(ls $rings)"
	done
}

t_not_root()
{
	rb create one
	ends 1 su user -c 'ringbuf create two'
	said 'only root can make rings'
	ends 1 su user -c 'ringbuf rm one'
	said 'only root can destroy rings'
	test -c /dev/ringbuf-one
}

t_rm()
{
	rb create one
	rb create two
	ends 1 rb rm one nonsense two
	said 'ringbuf-nonsense: no such ring'
	same '' "$(ls $rings)"
	rb create one
	ends 0 rb rm /dev/ringbuf-one
	ends 1 rb rm /dev/ringbuf
	said 'the default ring'
}

t_no_module()
{
	until_true unload
	ends 1 rb create one
	said 'the module is not loaded; try: modprobe ringbuf'
	ends 1 rb rm one
	said 'is the module loaded'
	ends 0 rb ls
	said 'is the module loaded'
	ends 0 rb ls --json
	silent
	same '{"rings": []}' "$(cat got)"
}

# As insmod alone does.
t_no_configfs()
{
	[ -e /mnt/configfs.ko ] || return 0
	until_true unload
	umount /sys/kernel/config
	rmmod configfs
	insmod /ringbuf.ko
	ends 1 rb create one
	status=0
	said 'loaded without configfs' || status=$?
	rmmod ringbuf
	insmod /mnt/configfs.ko
	insmod /ringbuf.ko
	return $status
}

t_ls()
{
	ends 0 rb ls
	same 'NAME SIZE RECORDS CONSUMERS RELIABLE WRITER' "$(head -n 1 got | xargs)"
	same 'ringbuf 64.0 KiB 0 0 - -' "$(sed -n 2p got | xargs)"
	rb create -L -s 8K one
	rb create two
	echo a | rb pub two
	exec 3</dev/ringbuf-two 4>/dev/ringbuf-one
	ends 0 rb ls
	same 4 "$(wc -l <got)"
	writer=$(sed -n 's/.*-  *\([0-9]*\) (.*//p; s/^one .* \([0-9]*\) (.*/\1/p' got)
	test -e "/proc/$writer/fd/4"
	grep -q '^one  *8.0 KiB  *0  *0  *0  *' got
	grep -q '^two  *1.0 MiB  *1  *1  *-  *-' got
	ends 0 rb ls --json
	grep -q '"path": "/dev/ringbuf-two", "name": "ringbuf-two", "size": 1048576, "records": 1, "writer": null, "consumers": 1, "reliable_consumers": 0, "reliable": false}' got
	grep -q '"name": "ringbuf-one", "size": 8192, .*"writer": {"pid": .*"reliable": true}' got
	exec 3<&- 4>&-
	ends 2 rb ls two
	said 'ringbuf info two'
}

# Each command, by its name and by its path.
t_names()
{
	rb create -s 64K one
	seq 0 9 | rb pub one
	same 10 "$(rb cat -n one | wc -l)"
	same 10 "$(rb cat -n /dev/ringbuf-one | wc -l)"
	rb record -n one f
	rb replay f one
	same 20 "$(rb cat -n one | wc -l)"
	ends 0 rb info one
	grep -q '^/dev/ringbuf-one$' got
	grep -q 'holds  *20 records' got
	ends 0 rb top -n 1 -i 0.1 one
	grep -q '^/dev/ringbuf-one ' got
	ends 0 rb bench --quick --force one
	ends 0 rb cat -n --resume state one
	same 0 "$(attr head_seq)"
	for command in cat pub info record top bench; do
		file=
		[ $command != record ] || file=f
		set -- $command
		[ $command != top ] || set -- top -n 1 -i 0.1
		ends 1 rb "$@" nonsense $file </dev/null
	done
	ends 1 rb replay f nonsense
	said 'nonsense: no such ring'
}

echo 'TAP version 13'
check mounts t_mounts
check defaults t_defaults
check options t_options
check bad_options t_bad_options
check bad_names t_bad_names
check exists t_exists
check no_memory t_no_memory
check stopped t_stopped
check not_root t_not_root
check rm t_rm
check no_module t_no_module
check no_configfs t_no_configfs
check mounts_again t_mounts
check ls t_ls
check names t_names
finish
