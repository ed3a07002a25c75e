#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tools.sh: the programs that the recipes lead to, from Debian's archive: unpacked in the
# cache, never installed. Prints the directory; fails, and says why, without an archive.
set -euo pipefail
# shellcheck source=../../selftests/vm/lib.sh
. "$(dirname "$0")/../../selftests/vm/lib.sh"

# With the libraries that the base system has not.
packages=(kcat librdkafka1 libyajl2 rsyslog libestr0 libfastjson4
	jq libjq1 libonig5 prometheus-node-exporter)
dir=$CACHE/tools/$(printf '%s\n' "${packages[@]}" | sha256sum | cut -c 1-12)

if [ ! -e "$dir/ready" ]; then
	lock "$CACHE/tools/.lock"
	if [ ! -e "$dir/ready" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		say "fetching ${packages[*]} (7 MB, once)"
		(cd "$dir" && apt-get -o APT::Sandbox::User=root download "${packages[@]}" \
			</dev/null >apt.log 2>&1) || {
			tail -n 3 "$dir/apt.log" >&2
			die "cannot download them"
		}
		for deb in "$dir"/*.deb; do
			dpkg-deb -x "$deb" "$dir"
		done
		rm "$dir"/*.deb
		touch "$dir/ready"
	fi
fi
printf '%s\n' "$dir"
