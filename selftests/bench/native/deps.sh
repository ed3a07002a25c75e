#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs what the native benchmarks compare with, if it is not there and can be.
# What cannot be is left out of the comparison. Never run by the tests.
set -uo pipefail
cd "$(dirname "$0")" || exit

packages=(libboost-dev libdpdk-dev libck-dev libzmq3-dev pkg-config golang-go
	default-jdk-headless libdisruptor-java valgrind)

# What there is of another origin is as good as the package.
there()
{
	case "$1" in
	golang-go) command -v go ;;
	default-jdk-headless) command -v javac ;;
	pkg-config | valgrind) command -v "$1" ;;
	*) dpkg-query -W -f '${Status}' "$1" 2>&1 | grep -q ' installed$' ;;
	esac >/dev/null
}

missing=()
for package in "${packages[@]}"; do
	there "$package" || missing+=("$package")
done
((${#missing[@]})) || exit 0
exec ../../vm/deps.sh --optional "${missing[@]}"
