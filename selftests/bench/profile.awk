# SPDX-License-Identifier: GPL-2.0
#
# For profile.sh: names of addresses, then a trace of addresses, to tables of
# instructions per call, by function.

# What a call took is complete when it is back in the program.
function finish(    i)
{
	if (call != "" && calls_seen[call]++ && !odd) {
		calls[call]++
		total[call] += n
		if (!(call in least) || n < least[call])
			least[call] = n
		if (n > most[call])
			most[call] = n
		spread[call, n]++
		for (i = 1; i <= n; i++)
			sum[call, what[i]]++
	}
	call = ""
}

FNR == NR {
	name[$1] = $2
	next
}

# Begun again when the clock of instructions ran out, or repeated by a prefix.
$1 == last {
	next
}

{
	last = $1
}

substr($1, 1, 8) != "ffffffff" {
	if (call != "")
		finish()
	here = name[$1]
	user[here]++
	next
}

{
	f = name[$1]
	if (call == "") {
		# What interrupts the program is none of its calls.
		if (f != "entry_SYSCALL_64")
			f = "other"
		call = here == "" ? "other" : here
		n = odd = 0
	}
	if (f == "other" || f ~ /^(asm_sysvec|asm_exc|asm_common_interrupt|asm_spurious)/)
		odd = 1
	what[++n] = f
}

function table(c,    i, k, m, f, order, key)
{
	m = 0
	for (key in sum) {
		split(key, k, SUBSEP)
		if (k[1] != c)
			continue
		f = k[2]
		for (i = m++; i > 0 && sum[c, order[i]] < sum[c, f]; i--)
			order[i + 1] = order[i]
		order[i + 1] = f
	}
	i = 0
	for (key in spread) {
		split(key, k, SUBSEP)
		if (k[1] == c && spread[key] > i) {
			i = spread[key]
			usual = k[2]
		}
	}
	printf "\n| %-40s | %12s | %6s |\n", CASE ", " substr(c, 4) "()", "instructions", "%"
	print "| :--------------------------------------- | -----------: | -----: |"
	for (i = 1; i <= m; i++) {
		f = order[i]
		printf "| %-40s | %12.1f | %6.1f |\n", f, sum[c, f] / calls[c], 100 * sum[c, f] / total[c]
		if (CSV != "")
			printf "%s,%s,%.3f\n", substr(c, 4), f, sum[c, f] / calls[c] >CSV
	}
	printf "| %-40s | %12.1f | %6.1f |\n", "all", total[c] / calls[c], 100
	printf "\n%d calls; %d to %d instructions, in %.0f %% of them %d.\n", calls[c], least[c], most[c],
		100 * spread[c, usual] / calls[c], usual
}

END {
	if (CSV != "")
		print "call,function,instructions" >CSV
	for (c in calls)
		if (c ~ /^in_/)
			table(c)
	for (c in calls)
		if (c ~ /^in_/)
			seen = 1
	if (!seen) {
		print "profile.awk: no system call of the program in the trace" >"/dev/stderr"
		exit 1
	}
}
