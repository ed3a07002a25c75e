#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The version stands in four files, each of which has to have it as it is.
#   version.sh           print it
#   version.sh check     fail if they differ
#   version.sh set NEW   write it to all of them; debian/changelog gets an entry
set -eu
cd "$(dirname "$0")/.."

# Where it stands, and a pattern that it is within.
places()
{
	cat <<-'PLACES'
		kmod/main.c ^MODULE_VERSION("\(.*\)");$
		userspace/Makefile ^VERSION	*:= *\(.*\)$
		dkms.conf ^PACKAGE_VERSION="\(.*\)"$
		debian/changelog ^ringbuf (\(.*\)) [^ ]*; urgency=.*$
	PLACES
}

# read_from FILE PATTERN
read_from()
{
	sed -n "s/$2/\1/p" "$1" | head -n 1
}

version=$(read_from kmod/main.c '^MODULE_VERSION("\(.*\)");$')
[ -n "$version" ] || { echo "kmod/main.c has no MODULE_VERSION()" >&2; exit 1; }

check()
{
	status=0
	# The library's major number is that of its symbols, not of the version.
	while IFS=' ' read -r file pattern; do
		found=$(read_from "$file" "$pattern")
		[ "$found" != "$version" ] || continue
		echo "$file: version '$found', kmod/main.c: '$version'"
		status=1
	done <<-END
		$(places)
	END
	return $status
}

set_to()
{
	echo "$1" | grep -qE '^[0-9]+\.[0-9]+\.[0-9]+$' ||
		{ echo "not a version such as 1.2.3: $1" >&2; exit 2; }
	places | while IFS=' ' read -r file pattern; do
		[ "$file" != debian/changelog ] || continue
		at=$(grep -n "$pattern" "$file" | head -n 1 | cut -d: -f1)
		sed -i "${at}s/$version/$1/" "$file"
	done
	[ "$1" != "$version" ] || return 0
	old=$(cat debian/changelog)
	printf 'ringbuf (%s) unstable; urgency=medium\n\n  * New version.\n\n -- %s  %s\n\n%s\n' "$1" \
		"$(sed -n 's/^Maintainer: //p' debian/control)" "$(LC_ALL=C date -R)" "$old" \
		>debian/changelog
}

case "${1:-}" in
'') echo "$version" ;;
check) check ;;
set) set_to "$2" ;;
*) sed -n 's/^# \{0,1\}//; 4,7p' "$0" >&2; exit 2 ;;
esac
