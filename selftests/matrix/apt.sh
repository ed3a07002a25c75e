#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages of other architectures and other releases, from the mirror that this
# machine uses, unpacked and never installed: apt with a state of its own, which
# needs no root and changes nothing here. Sourced; lib.sh comes first.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
ARCHES=amd64,arm64,s390x,riscv64,ppc64el
APT=$MATRIX/apt

# debian_mirror: where this machine gets Debian 12 from
debian_mirror()
{
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Codename: bookworm' |
		sed -n 's/^Debian //p' | head -n 1 | grep . ||
		die "apt has no lists of Debian 12; as root, run: apt-get update"
}

apt_sources()
{
	local main security
	main=$(debian_mirror)
	security=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm-security' |
		head -n 1)
	[ -n "$security" ] ||
		die "apt has no lists of Debian 12's security updates; as root, run: apt-get update"
	# A mirror may hold a copy of sid that is some weeks old; its signature is checked.
	printf "deb [arch=$ARCHES signed-by=$KEYRING check-valid-until=no] %s sid main\n" "$main"
	printf "deb [arch=%s signed-by=$KEYRING] %s %s main\n" \
		amd64,arm64,s390x "$main" bookworm amd64,arm64,s390x "$main" bookworm-updates \
		amd64,arm64,s390x "$security" bookworm-security \
		amd64,arm64,s390x "$main" bookworm-backports \
		amd64,arm64 "$main" trixie amd64,arm64 "$security" trixie-security \
		amd64,arm64 "$main" trixie-backports
}

apt_run()
{
	local tool=$1 arch arches=()
	shift
	for arch in ${ARCHES//,/ }; do
		arches+=(-o "APT::Architectures::=$arch")
	done
	"$tool" "${arches[@]}" -o Dir::Etc::sourcelist="$APT/sources.list" \
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$APT/lists" \
		-o Dir::Cache="$APT/cache" -o Acquire::Languages=none \
		-o APT::Sandbox::User= "$@" </dev/null
}

# Lists that are a day old are fetched anew; old ones are better than none.
apt_lists()
{
	local force=${1:-}
	(
		lock "$APT/.lock"
		apt_sources >"$APT/sources.new"
		if [ -z "$force" ] && [ -n "$(find "$APT/fresh" -mtime -1 2>/dev/null)" ] &&
			cmp -s "$APT/sources.new" "$APT/sources.list"; then
			exit
		fi
		mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
		mv "$APT/sources.new" "$APT/sources.list"
		say "fetching package lists (about 100 MB)"
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

# depends PACKAGE:ARCH PREFIX
depends()
{
	apt_field "$1" Depends | tr ',|' '\n\n' | sed 's/^ *//; s/ .*//; s/:.*//' |
		grep -m 1 "^$2" || die "package '$1' depends on no '$2…'"
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
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --no-same-owner --keep-directory-symlink \
			--exclude='./usr/share' --exclude='*/kernel/drivers/gpu' \
			--exclude='*/kernel/drivers/media' --exclude='*/kernel/drivers/net' \
			--exclude='*/kernel/sound'
	done
	rm -rf "$debs"
}
