# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016 # what shells are given
# Shells: read takes one byte at a time of what is a stream.

for package in bash dash busybox; do
	echo "# $(version $package)"
done

loop='while IFS= read -r line || [ -n "$line" ]; do printf "%s\n" "$line"; done'
three='read -r a; read -r b; read -r c; printf "%s\n" "$a" "$b" "$c"'
for shell in bash dash 'busybox sh'; do
	prints lines "$shell: while read -r" $shell -c "$loop"
	shares "$shell: read -r, three times" 'a 0\nb 0\na 1\n' two "exec $shell -c '$three'"
	shares "$shell: read -r, then cat" 'a 0\nb 0\na 1\nb 1\na 2\nb 2\na 3\nb 3\na 4\nb 4\n' two \
		"exec $shell -c 'read -r a; echo \"\$a\"; exec cat'"
	KINDS=200000 stops "$shell: read -r <FILE" $shell -c 'read -r line <"$1"; echo "$line"' sh
done
copies 'bash: mapfile' bash -c 'mapfile lines; printf %s "${lines[@]}"'
copies 'bash: $(cat)' bash -c 'text=$(cat; echo .); printf %s "${text%.}"'
copies 'bash: read -N 7' bash -c 'while IFS= read -r -N 7 part || [ -n "$part" ]; do
	printf %s "$part"; done'
copies "bash: read -d ''" bash -c 'IFS= read -r -d "" text; printf %s "$text"'
