#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the matrix needs besides what all tests do. Cross compilers are not here: see
# tree.sh.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

exec "$TOP/selftests/vm/deps.sh" coccinelle clang-$CLANG lld-$CLANG llvm-$CLANG \
	debian-archive-keyring openssl mmdebstrap qemu-system-arm \
	qemu-system-misc qemu-system-ppc
