#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# barriers.sh: is each barrier of the tables (core.c, hold.c, ring.c, wake.c)
# in the code, below its label, is each label in a table, and in a litmus test of what
# is never seen? The models check what the tables say, and no test on x86 sees that the
# code does not. TAP.
set -euo pipefail
cd "$(dirname "$0")/../.."

awk '
	BEGIN {
		while (("cat selftests/model/litmus/*.litmus" | getline) > 0)
			if (/^\(\*.* Never\. \*\)$/)
				litmus = litmus " " $0
		gsub(/[^a-z_:A-Z]/, " ", litmus)
		litmus = litmus " "
		kind["wmb"] = "smp_wmb"
		kind["rmb"] = "smp_rmb"
		kind["mb"] = "smp_mb"
		kind["rel."] = kind["release"] = "smp_store_release"
		kind["acq."] = kind["acquire"] = "smp_load_acquire"
		barrier = "smp_(rmb|wmb|mb|load_acquire|store_release)|wq_has_sleeper|prepare_to_wait"
	}
	# Of a table: "core:A   mb   other:B   mb   what it orders".
	/^ \*\t/ {
		for (i = 2; i < NF; i++)
			if ($i ~ /^[a-z_]+:[A-Z]$/ && $(i + 1) in kind)
				want[$i] = kind[$(i + 1)]
		next
	}
	# In the code: the first label of a comment is its own.
	match($0, /LMM\([a-z_]+:[A-Z]\)/) {
		label = substr($0, RSTART + 4, RLENGTH - 5)
		have[label] = have[label] " nothing"
		left = 4
	}
	label != "" && match($0, barrier) {
		sub(/nothing$/, substr($0, RSTART, RLENGTH), have[label])
		label = ""
	}
	left && !--left { label = "" }
	END {
		for (label in want) {
			m = split(have[label], found)
			bad = m == 0
			for (i = 1; i <= m; i++)
				if (found[i] != want[label] && (want[label] != "smp_mb" ||
				    found[i] !~ /^(wq_has_sleeper|prepare_to_wait)$/))
					bad = 1
			printf "%sok %d %s, %s%s\n", bad ? "not " : "", ++n, label,
				want[label], bad ? ": there is" (m ? have[label] : " no label") : ""
			wrong += bad
			if (index(litmus, " " label " ") == 0) {
				printf "not ok %d %s is in no litmus test\n", ++n, label
				wrong++
			}
		}
		for (label in have)
			if (!(label in want)) {
				printf "not ok %d %s is in no table\n", ++n, label
				wrong++
			}
		print "1.." n
		exit wrong > 0
	}' kmod/core.h kmod/ring.h kmod/*.c
