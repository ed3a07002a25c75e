#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The foreign tools that `make torture` sets on the device. Without them that part is
# skipped.
set -euo pipefail

missing=()
for tool in stress-ng trinity; do
	# One of another origin is as good as the package.
	command -v "$tool" >/dev/null || missing+=("$tool")
done
[ ${#missing[@]} -gt 0 ] || exit 0
exec "$(dirname "$0")/../vm/deps.sh" --optional "${missing[@]}"
