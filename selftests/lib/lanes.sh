# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # what run.sh has
# Sourced by run.sh: the tiers, whose jobs run in lanes, side by side.

# A job is SUITE, or SUITE@K with commas for spaces. The longest jobs come first. native
# needs no kernel, and so runs while kernels are fetched. Documentation/testing.rst has a
# table of the tiers.
quick_jobs='selftest@6.12:4:quick native userspace_docs userspace_guest check userspace_host kunit'
# What `make test` has not run.
more_jobs='selftest@debug:2:quick programs selftest@6.12:4:hard selftest@6.1:2:quick
	selftest@6.12-rt:2:quick selftest@6.12-cloud:2:quick short_torture kunit@debug,6.12-rt
	userspace_hard check@6.12-cloud,6.12-rt'

# next_line FILE: takes the first line of it
next_line()
{
	(
		flock 8
		sed -n 1p "$1"
		sed -i 1d "$1"
	) 8>"$1.lock"
}

stop_lanes()
{
	local group
	[ ! -e "$work/lanes" ] || while read -r group; do
		kill -- "-$group" 2>/dev/null || :
	done <"$work/lanes"
}

# lane: one job of the queue after the other, each with a log of its own
lane()
{
	local job status LEVEL
	while job=$(next_line "$work/queue") && [ -n "$job" ]; do
		K= status=0
		[ "${job#*@}" = "$job" ] || K=${job#*@}
		LEVEL=quick
		[ "${job%_hard}" = "$job" ] || LEVEL=full
		K=${K//,/ } LEVEL=$LEVEL SLOWEST='' selftests/run.sh "${job%@*}" >"$work/$job" 2>&1 </dev/null || status=$?
		printf '%s %s\n' "$status" "$job"
	done
}

# prefetch: fetches what most jobs need, while jobs run that do not need it
prefetch()
{
	selftests/vm/kernel.sh 6.12 &
	selftests/vm/kernel.sh source
	wait
	selftests/vm/kernel.sh 6.1
}

# in_lanes JOB…: each job is told when it has ended
in_lanes()
{
	local job status left old
	local closing='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
	printf '%s\n' "$@" >"$work/queue"
	left=$#
	export RINGBUF_TIER=1
	{
		# Each lane a process group, with all that it starts: see the trap in run.sh.
		set -m
		prefetch >"$work/prefetch" 2>&1 &
		echo "$!" >>"$work/lanes"
		for ((; JOBS > 0; JOBS--)); do
			lane &
			echo "$!" >>"$work/lanes"
		done
		wait
	} | while read -r status job; do
		left=$((left - 1))
		sed '/^== sum$/,$d' "$work/$job"
		mapfile -t -O ${#summary[@]} summary < <(awk -v job="$job" '
			/^== sum$/ { on = 1 }
			on && / passed .* s$/ { sub(/^ *[^ ]+/, ""); printf "%-22s%s\n", job, $0 }' "$work/$job")
		old=$(sed -n 's/^  cached: \([0-9]*\) .*/\1/p' "$work/$job" | tail -n 1)
		cached=$((cached + ${old:-0}))
		if [[ $(grep -E "$closing" "$work/$job" | tail -n 1) =~ $closing ]]; then
			passed=$((passed + BASH_REMATCH[1]))
			failed=$((failed + BASH_REMATCH[2]))
			skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
			[ "$status" = 0 ] || [ "${BASH_REMATCH[2]}" -gt 0 ] ||
				broken "$job" "ended with status $status"
		else
			broken "$job" "ended without a sum"
		fi
	done
	# Their numbers may be those of others soon.
	rm -f "$work/lanes"
	[ "$left" = 0 ] || broken lanes "$left jobs have not ended"
}
