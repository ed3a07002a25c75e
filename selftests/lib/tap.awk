# SPDX-License-Identifier: GPL-2.0
#
# Counts the leaves of TAP and KTAP, shows failures with what led to them, and
# finds what was cut short. Input: sections, each "@begin NAME", output,
# "@end STATUS [SECONDS [CPU]]"; an "@error TEXT" in one makes it fail. Prints one line
# a section, and to the file COUNTS the sums: passed, failed, skipped, the sections
# with an @error, and how many of the passed say "# cached". ALL=1 shows passed tests as
# well, and what programs note.
# TIMES: the file to append "SECONDS CPU NAME" of each section to, with WHERE before the
# name; CPU are the seconds of a CPU that it took, or "-".

function show(line)
{
	print line
	fflush()
}

function now(    line)
{
	getline line <"/proc/uptime"
	close("/proc/uptime")
	return line + 0
}

function begin_section(title)
{
	open = 1
	name = title
	began = now()
	passed = failed = skipped = cached = deepest = lines = 0
	reason = error = ""
	split("", plan)		# by indent: how many tests were announced
	split("", got)		# and how many have ended
	split("", subtest)	# name of what the tests at this indent belong to
	split("", parent)	# whether tests further in were seen since the last one
	split("", parent_bad)	# and one of them failed
}

function failure(what,    i)
{
	failed++
	show("  not ok: " name ": " what)
	for (i = lines > 60 ? lines - 59 : 1; i <= lines; i++)
		show("      | " context[i % 64])
	lines = 0
}

function skip(why)
{
	skipped++
	if (reason == "" && why != "")
		reason = " (" why ")"
}

# What is deeper than this indent is over: has it run what it planned?
function finish_below(level,    l)
{
	for (l = deepest; l > level; l--) {
		if ((l in plan) && plan[l] != got[l] + 0)
			failure("cut short: " got[l] + 0 " of " plan[l] " tests ended")
		delete plan[l]
		delete got[l]
		delete subtest[l]
	}
	if (deepest > level)
		deepest = level
}

function end_section(status, seconds, cpu_seconds,    line)
{
	if (error !~ /^cut short/)
		finish_below(-1)
	if (error != "") {
		failure(error)
		all_errors++
	}
	# kselftest ends with 4 when all was skipped
	if (status != 0 && status != 4 && !failed)
		failure("ended with status " status)
	if (passed + failed + skipped == 0)
		failure("ran no test")

	line = sprintf("  %-24s %4d passed", name, passed)
	if (cached)
		line = line " (" cached " of them cached)"
	if (failed)
		line = line ", " failed " FAILED"
	if (skipped)
		line = line ", " skipped " skipped" reason
	if (seconds == "")
		seconds = now() - began
	show(sprintf("%-66s %7.1f s", line, seconds))
	if (TIMES != "")
		printf "%.1f %s %s\n", seconds, cpu_seconds == "" ? "-" : cpu_seconds, WHERE name >>TIMES
	all_passed += passed
	all_failed += failed
	all_skipped += skipped
	all_cached += cached
	open = 0
}

function result(level, text,    good, skipping, bad, title, path, l)
{
	good = text !~ /^not/
	skipping = text ~ /# *SKIP/
	bad = !good && !skipping
	title = text
	sub(/^(not )?ok *[0-9]* *(- )? */, "", title)
	path = ""
	for (l = 0; l <= level; l++)
		if (l in subtest)
			path = path subtest[l] "."

	if (parent[level]) {
		# Its children are counted; it can still fail by itself.
		if (bad && !parent_bad[level])
			failure(path title)
		bad = bad || parent_bad[level]
	} else if (skipping) {
		sub(/.*# *SKIP */, "", title)
		skip(title)
	} else if (good) {
		passed++
		if (text ~ /# cached$/)
			cached++
		if (ALL)
			show("  ok: " path title)
	} else {
		failure(path title)
	}

	finish_below(level)
	parent[level] = parent_bad[level] = 0
	for (l = 0; l < level; l++) {
		parent[l] = 1
		if (bad)
			parent_bad[l] = 1
	}
	got[level]++
	if (level > deepest)
		deepest = level
	lines = 0
}

function planned(level, text,    count)
{
	# A second plan at this indent starts something new, unless the first
	# tests came before their plan.
	finish_below((level in plan) ? level - 1 : level)
	count = substr(text, 4) + 0
	if (count)
		plan[level] = count
	else if (text ~ /SKIP/)
		skip(substr(text, index(text, "SKIP") + 5))
	if (level > deepest)
		deepest = level
}

{ sub(/\r$/, "") }

/^@begin / {
	if (open) {
		error = "cut short"
		end_section(0)
	}
	begin_section(substr($0, 8))
	next
}

!open {
	if ($0 != "")
		show("  " $0)
	next
}

/^@end / {
	end_section($2, $3, $4)
	next
}

/^@error / {
	error = error (error == "" ? "" : "; ") substr($0, 8)
	next
}

{
	match($0, /^ */)
	level = RLENGTH
	text = substr($0, level + 1)
}

text == "" || text ~ /^(K?TAP version|# module:)/ { next }
text ~ /^# Subtest: / {
	finish_below(level)
	subtest[level] = substr(text, 12)
	deepest = level
	next
}
text ~ /^1\.\.[0-9]/ { planned(level, text); next }
text ~ /^(not )?ok( |$)/ { result(level, text); next }
text ~ /^Bail out!/ { error = text; next }
# The harness of kselftest begins its own remarks with more spaces.
ALL && level == 0 && text ~ /^# [^ ]/ { show("  " name ": " substr(text, 3)) }
{ context[++lines % 64] = $0 }

END {
	if (open) {
		error = "cut short: its output ends in the middle"
		end_section(0)
	}
	print all_passed + 0, all_failed + 0, all_skipped + 0, all_errors + 0, all_cached + 0 >COUNTS
}
