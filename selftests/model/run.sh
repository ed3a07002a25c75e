#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh: checks the models, then each of them with a barrier removed, which has to
# fail. FULL=1: larger bounds. Ends with 'N passed, N failed'. Needs spin and gcc.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v spin >/dev/null || { echo "model: spin is not installed" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# pan MODEL DEFINES…: sets verdict (ok, a property, cut short), states, secs
pan()
{
	local model=$1 dir=$work/pan flags=() out
	shift
	rm -rf "$dir"
	mkdir "$dir"
	cp "$here"/*.pml "$dir"
	# A join that tries again and again is cut, which is no deadlock.
	[ "$model" != hold ] || flags=(-E)
	(
		cd "$dir"
		spin -a "$@" "$model.pml" >spin.out 2>&1 &&
			gcc -O1 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=8192 -DMEMLIM=6000 -o pan pan.c &&
			timeout "${LIMIT:-1200}" ./pan -m300000 -w24 "${flags[@]}" >pan.out 2>&1
	) || :
	out=$dir/pan.out
	verdict="cut short" states=- secs=-
	[ -e "$out" ] || return 0
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$out")
	secs=$(sed -n 's/^pan: elapsed time \([0-9.e+-]*\) .*/\1/p' "$out")
	if grep -q 'pan:1: invalid end state' "$out"; then
		verdict=no_lost_wakeup
	elif grep -q 'pan:1: assertion violated' "$out"; then
		verdict=$(sed -n 's/.*assertion violated (*\([A-Za-z_]*\).*/\1/p' "$out" | head -n 1)
	elif grep -q 'errors: 0' "$out" && ! grep -q 'Search not completed\|too small\|out of memory' "$out"; then
		verdict=ok
	fi
}

result()
{
	if [ "$1" = PASS ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
	printf '%-4s %-8s %-26s %-30s %9s %7s\n' "$1" "$2" "$3" "$4" "${states:--}" "${secs:--}"
}

# holds MODEL PROPERTIES DEFINES…
holds()
{
	local model=$1 p properties=$2 verdictword
	shift 2
	pan "$model" "$@"
	for p in $properties; do
		verdictword=FAIL
		[ "$verdict" != ok ] || verdictword=PASS
		result "$verdictword" "$model" "$p" "${*:-default bounds}"
	done
}

# breaks MODEL WITHOUT DEFINES…
breaks()
{
	local model=$1 without=$2
	shift 2
	pan "$model" "-D$without" "$@"
	case "$verdict" in
	ok | 'cut short') result FAIL "$model" "$without" "nothing found: $verdict" ;;
	*) result PASS "$model" "$without" "$verdict" ;;
	esac
}

records=4 ops=1 writes=3 all=()
if [ -n "${FULL:-}" ]; then records=5 ops=2 writes=4 all=(-DALL); fi
printf '%-4s %-8s %-26s %-30s %9s %7s\n' '' model 'property / removed' 'bounds / violated' states s
holds stream "no_torn_header no_torn_record no_torn_batch exact_loss_count tail_not_before_tail" -DRECORDS=$records
holds pairs "head_pair head_not_older lag_fits seek_finds" -DRECORDS=4
holds hold "reliable_never_overwritten reliable_reads_all no_torn_header" -DWRITES=3 -DOPS=$ops
holds room "no_lost_wakeup" "${all[@]}"
holds room "no_lost_wakeup" -DREADERS=2
holds room "no_lost_wakeup" -DRECORDS=3
holds demote "no_early_demotion no_turns all_asked beyond_is_right" -DOPS=1 -DASKS=$((ops + 1))
holds overrun "overrun_is_demoted"
holds wake "no_lost_wakeup" -DWRITES=$writes
holds scan "no_lost_wakeup" -DWRITES=2
[ -z "${FULL:-}" ] || holds scan "no_lost_wakeup" -DWRITES=1 -DCONSUMERS=2 -DBUDGET=1
holds eof "end_is_told"
holds back "mark_is_told"
holds stall "poll_is_asked stall_is_timed"

for b in make_room_A make_room_B peek_A peek_B intact_A; do
	breaks stream "NO_$b" -DRECORDS=4
done
for b in publish_A publish_B head_A head_B; do
	breaks pairs "NO_$b" -DRECORDS=4
done
for b in find_tail_A hold_join_A hold_join_B hold_join_C scan_A; do
	breaks hold "NO_$b" -DWRITES=3
done
breaks room NO_full_A -DRECORDS=3
for b in wake_for_room_A room_A poll_A; do
	breaks room "NO_$b"
done
breaks hold BUG_rest -DWRITES=3 -DCONSUMERS=2
for b in demote_A make_room_A peek_A; do
	breaks overrun "NO_$b"
done
for b in BUG_find BUG_fresh BUG_gone BUG_wait; do
	breaks demote "$b" -DASKS=3
done
for b in wake_A listen_A listen_B unhook_A; do
	breaks wake "NO_$b"
done
for b in wake_A scan_work_A; do
	breaks scan "NO_$b"
done
for b in BUG_busy BUG_late BUG_again; do
	breaks scan "$b"
done
for b in wake_A moved_A; do
	breaks eof "NO_$b"
done
for b in wake_A back_A; do
	breaks back "NO_$b"
done
for b in poll_A full_A; do
	breaks stall "NO_$b"
done
# What the code did wrong: see Documentation/model.rst.
breaks room BUG_leave
breaks room BUG_leave_tail
breaks room BUG_step -DREADERS=2

# Each test says in its comment what the kernel's memory model has to answer.
litmus()
{
	local src f want got
	if ! command -v herd7 >/dev/null; then
		echo "skipped: litmus tests, herd7 is not installed"
		return
	fi
	src=$("$here/../vm/kernel.sh" source | sed 's/^SRC=//')
	states=- secs=-
	for f in "$here"/litmus/*.litmus; do
		want=$(grep -o 'Never\|Sometimes' "$f" | head -n 1)
		got=$(cd "$src/tools/memory-model" && herd7 -conf linux-kernel.cfg "$f" 2>&1 |
			sed -n 's/^Observation [^ ]* \([A-Za-z]*\) .*/\1/p')
		if [ "$want" = "$got" ]; then
			result PASS litmus "$(basename "$f" .litmus)" "$got"
		else
			result FAIL litmus "$(basename "$f" .litmus)" "${got:-no answer}, not $want"
		fi
	done
}
litmus
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
