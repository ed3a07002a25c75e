#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Installs the foreign tools that `make torture` sets on the device, if they are not
# there and can be. Without them that part is skipped.
set -uo pipefail

missing=()
for package in stress-ng trinity; do
	command -v "$package" >/dev/null || missing+=("$package")
done
((${#missing[@]})) || exit 0
if ! command -v apt-get >/dev/null || ((EUID)); then
	echo "not installed: ${missing[*]}" >&2
	exit 0
fi
for package in "${missing[@]}"; do
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -qq \
		--no-install-recommends "$package" </dev/null >/dev/null 2>&1 ||
		echo "cannot be installed: $package" >&2
done
