#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The compilers of the programs that are built here. Without them their part is skipped.
set -euo pipefail

missing=()
# One of another origin is as good as the package.
command -v go >/dev/null || missing+=(golang-go)
command -v rustc >/dev/null || missing+=(rustc)
[ ${#missing[@]} -gt 0 ] || exit 0
exec "$(dirname "$0")/../vm/deps.sh" --optional "${missing[@]}"
