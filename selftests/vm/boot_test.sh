#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# When does run.sh have a guest boot again? With a program in the place of qemu. TAP.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/result"
: >"$work/result/kmemleak"
echo 1 >"$work/result/nproc"
echo 0 >"$work/result/status"
: >"$work/result/end"
tar -C "$work/result" -czf "$work/result.tgz" nproc status kmemleak end

# It writes what the console says in this boot, and the result if that is a good one.
cat >"$work/bin/qemu-system-x86_64" <<'Q'
#!/bin/bash
files=()
for arg; do
	[[ $arg != file,*path=* ]] || files+=("${arg##*path=}")
done
echo >>"$FAKE/boots"
boot=$(wc -l <"$FAKE/boots")
cp "$FAKE/console.$boot" "${files[0]}"
if [ -e "$FAKE/good.$boot" ]; then
	cp "$FAKE/result.tgz" "${files[1]}"
fi
Q
chmod +x "$work/bin/qemu-system-x86_64"

n=0 bad=0
# expect STATUS BOOTS NAME
expect()
{
	local status=0 boots
	n=$((n + 1))
	: >"$work/boots"
	FAKE=$work PATH=$work/bin:$PATH "$here/run.sh" --quiet --smp 1 -- true \
		>"$work/out" 2>&1 || status=$?
	boots=$(wc -l <"$work/boots")
	if [ "$status" = "$1" ] && [ "$boots" = "$2" ]; then
		echo "ok $n $3"
	else
		sed 's/^/# /' "$work/out"
		echo "# status $status, $boots boots"
		echo "not ok $n $3"
		bad=1
	fi
}

died='Oops: int3: 0000 [#1]
Kernel panic - not syncing: Fatal exception'
echo "$died" >"$work/console.1"
echo 'ringbuf-vm: start' >"$work/console.2"
: >"$work/good.2"
expect 0 2 "int3 before the command: it boots again"
rm "$work/good.2"
cp "$work/console.1" "$work/console.2"
expect 122 2 "but once"
printf 'ringbuf-vm: start\n%s\n' "$died" >"$work/console.1"
expect 122 1 "int3 while the command runs is a failure"
echo 'Kernel panic - not syncing: VFS' >"$work/console.1"
expect 122 1 "another panic, too"
echo "1..$n"
exit $bad
