#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs what `make bench` needs besides what the tests do: libbpf (without it BPF
# ring buffers are left out), gnuplot (without it the plots), and what the native
# benchmarks compare with.
set -uo pipefail
cd "$(dirname "$0")" || exit

../vm/deps.sh || exit
missing=()
for package in libbpf-dev zlib1g-dev libelf-dev gnuplot-nox; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
	[[ $state == installed ]] || missing+=("$package")
done
if ((${#missing[@]})) && ((EUID)); then
	echo "not installed, left out: ${missing[*]}" >&2
	echo "  as root: apt-get install --no-install-recommends ${missing[*]}" >&2
elif ((${#missing[@]})); then
	echo "installing: ${missing[*]}" >&2
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -qq \
		--no-install-recommends --no-remove "${missing[@]}" </dev/null >/dev/null 2>&1 ||
		echo "cannot be installed, left out: ${missing[*]}" >&2
fi
[[ ${1:-} == --no-native ]] || native/deps.sh
