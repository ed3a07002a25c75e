#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages that `make deb` needs, and with `test` those of
# `make package-test`: installed if they are missing (root), else named.
set -euo pipefail

packages=(dpkg-dev debhelper dh-dkms gcc libc6-dev make pkg-config)
[ "${1:-}" != test ] ||
	packages+=(lintian mmdebstrap e2fsprogs util-linux zstd qemu-system-x86 systemd)
exec "$(dirname "$0")/../selftests/vm/deps.sh" --only "${packages[@]}"
