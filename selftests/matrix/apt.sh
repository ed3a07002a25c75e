#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages of other architectures and other releases, from the mirror that this
# machine uses, unpacked and never installed: apt with a state of its own, which
# needs no root and changes nothing here. Sourced; lib.sh comes first.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
ARCHES=amd64,arm64,s390x
APT=$MATRIX/apt

apt_sources()
{
	local main security
	main=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Codename: bookworm' |
		sed -n 's/^Debian //p' | head -n 1)
	security=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm-security' |
		head -n 1)
	[ -n "$main" ] && [ -n "$security" ] ||
		die "apt has no lists of Debian 12 and its security updates; as root, run: apt-get update"
	printf "deb [arch=%s signed-by=$KEYRING] %s %s main\n" \
		"$ARCHES" "$main" bookworm "$ARCHES" "$main" bookworm-updates \
		"$ARCHES" "$security" bookworm-security \
		"$ARCHES" "$main" bookworm-backports \
		amd64 "$main" trixie-backports
}

apt_run()
{
	local tool=$1
	shift
	"$tool" -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 \
		-o APT::Architectures::=s390x -o Dir::Etc::sourcelist="$APT/sources.list" \
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$APT/lists" \
		-o Dir::Cache="$APT/cache" -o APT::Sandbox::User= "$@" </dev/null
}

# Lists that are a day old are fetched anew; old ones are better than none.
apt_lists()
{
	local force=${1:-}
	(
		lock "$APT/.lock"
		if [ -z "$force" ] && [ -n "$(find "$APT/fresh" -mtime -1 2>/dev/null)" ]; then
			exit
		fi
		mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
		apt_sources >"$APT/sources.list"
		say "fetching package lists (about 35 MB)"
		apt_run apt-get update >"$APT/log" 2>&1 || {
			[ -e "$APT/fresh" ] || die "no package lists, see $APT/log"
			say "the package lists are of $(date -r "$APT/fresh" +%F), see $APT/log"
			exit
		}
		touch "$APT/fresh"
	)
}

# apt_names PATTERN: packages whose names match
apt_names()
{
	apt_run apt-cache pkgnames | grep -E "$1" | sort -V
}

# apt_field PACKAGE[:ARCH] FIELD: of its newest version
apt_field()
{
	apt_run apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# apt_unpack DIR PACKAGE[:ARCH][=VERSION]…: adds them to DIR
apt_unpack()
{
	local dir=$1 debs deb
	shift
	mkdir -p "$dir" "$MATRIX/tmp"
	debs=$(mktemp -d "$MATRIX/tmp/debs.XXXXXX")
	if ! (cd "$debs" && apt_run apt-get download "$@" >log 2>&1); then
		# What the lists tell of may be gone.
		apt_lists force
		(cd "$debs" && apt_run apt-get download "$@" >log 2>&1) || {
			tail -n 5 "$debs/log" >&2
			rm -rf "$debs"
			die "cannot download $*"
		}
	fi
	for deb in "$debs"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --no-same-owner \
			--exclude='./usr/share'
	done
	rm -rf "$debs"
}
