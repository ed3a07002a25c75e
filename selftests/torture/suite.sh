# SPDX-License-Identifier: GPL-2.0
# Sourced by run.sh: what is done to the device by who means it no good.
#
#   CALLS=N SEED=N    how many calls the fuzzer makes, in each of its two runs
#   ROUNDS=N          of each pair of a context and a way to sleep
#   TIME=SECONDS      of the soak

CALLS=${CALLS:-} SEED=${SEED:-1} ROUNDS=${ROUNDS:-} TIME=${TIME:-}

# torture_programs: builds them; $bin
torture_programs()
{
	bin=$TOP/build/torture
	mkdir -p "$bin"
	if ! make -s --no-print-directory -C selftests/torture OUT="$bin" -j "$(nproc)" \
		>"$work/build.err" 2>&1; then
		sed 's/^/      | /' "$work/build.err"
		broken torture "the programs do not build"
		return 1
	fi
}

# poke_module KERNEL DIR: the producer in any context, against the modules in DIR
poke_module()
{
	local paths out=$TOP/build/$1-poke
	paths=$(selftests/vm/kernel.sh "$1") || return
	(
		# Nobody is to build what it is built against meanwhile.
		lock "$TOP/build/.$1.lock"
		eval "$paths"
		mkdir -p "$out"
		cp selftests/torture/kmod/* "$out"
		make -s -C "$KDIR" "M=$out" "SRC=$2" ${KCC:+"CC=$KCC"} W=1 \
			KBUILD_EXTRA_SYMBOLS="$2/Module.symvers" modules
	) >"$work/build.err" 2>&1 || {
		sed 's/^/      | /' "$work/build.err"
		broken torture "ringbuf_poke.ko does not build for $1"
		return 1
	}
	poke=$out/ringbuf_poke.ko
}

# torture_on KERNEL LIMIT "ENV" PIECE…: in one guest, each piece LIMIT seconds at
# most; $append: more kernel parameters
append= tools=()
torture_on()
{
	local kernel=$1 limit=$2 env=$3 dir bin poke p files=()
	shift 3
	torture_programs && build "$kernel" && poke_module "$kernel" "$dir" || return 0
	printf '%s\n' $env >"$work/env"
	files=("${tools[@]}" --file "$dir/kmod/ringbuf.ko" --file selftests/vm/guest-selftest.sh
		--file selftests/vm/reports.sh --file "$work/env:/torture/env"
		--file "$poke:/torture/ringbuf_poke.ko")
	for p in fuzz failnth contexts hostile soak; do
		files+=(--file "$bin/$p:/torture/$p")
	done
	for p; do
		files+=(--file "selftests/torture/guest.sh:/tests/$p")
	done
	echo "- $kernel: $*"
	# One that is locked up ends its guest.
	vm --kernel "$kernel" --smp 2 --mem 1536 --timeout $((limit * $# + 120)) \
		--append "$append" --modprobe configfs --keep-log "$logs/torture-$kernel-$1.log" \
		"${files[@]}" -- "chmod 755 /tests/*; echo '$*' | tr ' ' '\\n' |
			sh /guest-selftest.sh $limit" </dev/null | serve | tally "torture on $kernel"
	vm_ended "torture on $kernel"
}

# Memory that was not cleared shows what it was before; on debug the stack as well.
suite_hostile()
{
	local kernel append='init_on_alloc=0 init_on_free=0 page_poison=1 slub_debug=P'
	for kernel in ${K:-6.12}; do
		torture_on "$kernel" 300 "" hostile
	done
}

# tool_files NAME: into $tools, with its libraries
tool_files()
{
	local path file
	path=$(command -v "$1") || return
	tools+=(--file "$path:/bin/$1")
	for file in $(ldd "$path" | grep -o '/[^ ]*'); do
		tools+=(--file "$file:$file")
	done
}

# What others have made to break devices, as far as it is here.
find_tools()
{
	selftests/torture/deps.sh
	pieces=()
	tool_files stress-ng && pieces+=(stress_ng_user stress_ng_root)
	tool_files trinity && pieces+=(trinity_user trinity_root)
	[ ${#pieces[@]} = 4 ] || {
		echo "  skipped: stress-ng or trinity, which are not installed"
		skipped=$((skipped + 1))
	}
}

# Some of each, for every day.
suite_short_torture()
{
	[ -n "$T" ] || K=6.12 suite_hostile
	torture_on "${K:-debug}" 300 \
		"FAILNTH=-q CALLS=${CALLS:-20000} SECONDS_=15 SEED=$SEED ROUNDS=${ROUNDS:-10}" \
		${T:-failnth fuzz_repeats fuzz_user fuzz_root contexts}
}

# For an hour or two; T=PIECE: only that.
suite_torture()
{
	local kernel tools=() pieces env V=1
	env="CALLS=${CALLS:-5000000} SEED=$SEED ROUNDS=${ROUNDS:-20500} TIME=${TIME:-60}"
	env+=" TRINITY=${CALLS:-200000}"
	find_tools
	if [ -n "$T" ]; then
		for kernel in ${K:-debug}; do
			torture_on "$kernel" 14400 "$env" $T
		done
		return 0
	fi
	K=${K:-6.12 debug} suite_hostile
	for kernel in ${K:-debug}; do
		torture_on "$kernel" 14400 "$env" failnth fuzz_repeats fuzz_user fuzz_root \
			"${pieces[@]}"
	done
	for kernel in ${K:-6.12 6.12-rt}; do
		torture_on "$kernel" 14400 "$env" contexts
	done
}

suite_soak()
{
	local kernel V=1
	for kernel in ${K:-debug}; do
		# A guest's clock may go at half the speed of ours.
		torture_on "$kernel" $((${TIME:-600} * 2 + 300)) "TIME=${TIME:-600} SEED=$SEED" soak
	done
}
