# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests on the host that tell TAP and boot a guest: at the top of the tree.

# shellcheck source=../../selftests/vm/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../selftests/vm/lib.sh"
cd "$TOP"

# shellcheck disable=SC2034 # for those who source this, who call workdir as well
KERNEL=6.12
count=0 failed=0

# result STATUS NAME: with $work/log as the reason
result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		# No more is shown of it, see selftests/lib/tap.awk.
		sed 's/^/# /' "$work/log" | tail -n 60
		echo "not ok $count - $2"
		failed=1
	fi
}

# check NAME COMMAND…
check()
{
	local name=$1 status=0
	shift
	# In a condition set -e would be off in there, so: a shell of its own.
	set +e
	(set -e; "$@") >"$work/log" 2>&1 </dev/null
	status=$?
	set -e
	result $status "$name"
}
