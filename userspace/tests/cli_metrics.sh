#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf metrics of real rings, in the guest. Its format: metrics.sh.
# shellcheck disable=SC1091,SC2217,SC2317 # it lies in the guest; bg reads; check() calls
. "$(dirname "$0")/lib_cli.sh"

# has SAMPLE...: each is a line of ./got
has()
{
	for sample; do
		grep -qxF -e "$sample" got || {
			echo "no sample $sample in:"
			cat got
			return 1
		}
	done
}

# value NAME [LABELS]: of the one such sample in ./got
value()
{
	sed -n "s/^ringbuf_$1{ring=\"ringbuf\"$2} //p" got
}

t_like_sysfs()
{
	seq 3000 | rb pub
	ends 0 rb metrics
	silent
	has 'ringbuf_rings 1' 'ringbuf_up{ring="ringbuf"} 1'
	same "$(attr size)" "$(value size_bytes)"
	same 3000 "$(value records_total)"
	same "$(attr head)" "$(value published_bytes_total)"
	test "$(attr overwritten)" -gt 0
	same "$(attr overwritten)" "$(value overwritten_records_total)"
	same "$(($(attr head_seq) - $(attr tail_seq)))" "$(value retained_records)"
	same "$(($(attr head) - $(attr tail)))" "$(value retained_bytes)"
	same "$(attr max_record)" "$(value max_record_bytes)"
	same 0 "$(value consumers)"
	same 0 "$(value writer)"
	# It has made no consumer, and no sample of one.
	same 0 "$(grep -c ^ringbuf_consumer_ got)"
	same 0 "$(attr consumers)"
}

t_no_module()
{
	rmmod ringbuf
	ends 0 rb metrics
	silent
	same 'ringbuf_rings 0' "$(grep -v '^#' got)"
	ends 0 rb metrics audit
	has 'ringbuf_rings 0' 'ringbuf_up{ring="audit"} 0'
	ends 1 rb metrics /dev/null
	said '/dev/null: is not a ring'
}

# What a consumer's file says
fdinfo()
{
	sed -n "s/^$1:\t//p" /proc/self/fdinfo/5
}

t_consumer()
{
	exec 5</dev/ringbuf
	seq 5000 | rb pub
	dd bs=100 count=1 <&5 >/dev/null 2>&1 || true # EPIPE
	dd bs=100 count=7 <&5 >/dev/null 2>&1
	ends 0 rb metrics
	me=",pid=\"$(cut -d ' ' -f 4 /proc/self/stat)\",comm=\"cli_metrics\",fd=\"5\""
	same 7 "$(value consumer_read_records_total "$me")"
	same "$(fdinfo read_bytes)" "$(value consumer_read_bytes_total "$me")"
	test "$(fdinfo lost_records)" -gt 0
	same "$(fdinfo lost_records)" "$(value consumer_lost_records_total "$me")"
	same "$(fdinfo lost_bytes)" "$(value consumer_lost_bytes_total "$me")"
	same "$(fdinfo lag_records)" "$(value consumer_lag_records "$me")"
	same "$(fdinfo lag_bytes)" "$(value consumer_lag_bytes "$me")"
	same 5000 $((7 + $(value consumer_lost_records_total "$me") +
		$(value consumer_lag_records "$me")))
	same 1 "$(value consumers)"
	same 0 "$(value consumers_not_seen)"
	# Others may not know, or do not see it.
	ends 1 su user -c 'ringbuf metrics'
	said '/dev/ringbuf: permission denied'
	same 'ringbuf_rings 0' "$(grep -v '^#' got)"
	chmod 0644 /dev/ringbuf
	su user -c 'ringbuf metrics' >got
	same 1 "$(value consumers)"
	same 1 "$(value consumers_not_seen)"
	exec 5<&-
}

held()
{
	rb metrics >got
	grep -q '^ringbuf_writer_held{ring="audit"} 1$' got
}

# What is told was looked at piece by piece: perhaps he was put out meanwhile.
demoted()
{
	rb metrics >got
	grep -q '^ringbuf_consumer_demoted{ring="audit",.*} 1$' got &&
		grep -qx 'ringbuf_writer_held{ring="audit"} 0' got
}

t_reliable()
{
	rb create --size 4096 --reliable --stall 3s audit
	bg cat --reliable audit >pipe & pid=$!
	until_true reliable_seen
	kill -STOP $pid
	yes | bg pub audit & pub=$!
	until_true held
	has 'ringbuf_reliable_consumers{ring="audit"} 1' \
		'ringbuf_reliable_allowed{ring="audit"} 1' \
		'ringbuf_stall_limit_seconds{ring="audit"} 3.000' \
		'ringbuf_writer{ring="audit"} 1' 'ringbuf_writer_held{ring="audit"} 1'
	same 1 "$(grep -c '^ringbuf_consumer_holds_writer{ring="audit",.*} 1$' got)"
	until_true demoted
	has 'ringbuf_writer_held{ring="audit"} 0'
	kill -CONT $pid
	kill $pub $pid
	wait
}

reliable_seen()
{
	rb metrics >got
	grep -q '^ringbuf_consumer_reliable{ring="audit",.*} 1$' got
}

t_dropped_and_two_rings()
{
	rb create --size 4096 one
	echo hi | rb pub one
	ends 0 rb metrics
	has 'ringbuf_rings 2' 'ringbuf_records_total{ring="one"} 1' \
		'ringbuf_records_total{ring="ringbuf"} 0' 'ringbuf_dropped_records_total{ring="one"} 0'
	ends 0 rb metrics one
	has 'ringbuf_rings 1'
	same 0 "$(grep -c 'ring="ringbuf"' got)"
	# A destroyed ring that somebody holds is not there.
	exec 5</dev/ringbuf-one
	rb rm one
	ends 0 rb metrics
	has 'ringbuf_rings 1'
	same 0 "$(grep -c 'ring="one"' got)"
	exec 5<&-
}

# The name of one is the node of the other.
t_names_alike()
{
	rb create x
	rb create ringbuf-x
	exec 5</dev/ringbuf-ringbuf-x
	ends 0 rb metrics
	same 0 "$(grep -c '^ringbuf_consumer_.*ring="x"' got)"
	same 1 "$(grep -c '^ringbuf_consumer_lag_records{ring="ringbuf-x"' got)"
	exec 5<&-
	rb rm x ringbuf-x
}

t_textfile()
{
	ends 0 rb metrics --textfile ring.prom
	silent
	same '' "$(cat got)"
	rb metrics >want
	same "$(cat want)" "$(cat ring.prom)"
}

check like_sysfs t_like_sysfs
check no_module t_no_module
check consumer t_consumer
check reliable t_reliable
check two_rings t_dropped_and_two_rings
check names_alike t_names_alike
check textfile t_textfile
finish
