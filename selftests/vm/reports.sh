# SPDX-License-Identifier: GPL-2.0
# Sourced on the host and in the guest: what in a kernel's log is a failure.

REPORTS='WARNING: |BUG: |BUG at |Oops|Kernel panic|Call Trace:|cut here \]'
REPORTS="$REPORTS"'|general protection fault|[Uu]nable to handle|KASAN: |KCSAN: |KFENCE: |UBSAN: |ODEBUG: '
REPORTS="$REPORTS"'|INFO: (rcu|task|lockdep|trying to register)|rcu: INFO: |rcu_.* detected .*stall'
REPORTS="$REPORTS"'|suspicious RCU usage|sleeping function called|scheduling while atomic'
REPORTS="$REPORTS"'|refcount_t: |corruption|kmemleak: .* new suspected|page allocation failure'
REPORTS="$REPORTS"'|blocked for more than|soft lockup|hard LOCKUP|Voluntary context switch within RCU'
REPORTS="$REPORTS"'|bad unlock balance|held lock freed|Modules linked in:'

# Boot messages that have one of these words in them.
HARMLESS='Memory corruption check|corruption checks? '
# Races by way of us that are the kernel's own, each by its name, which KCSAN sees: of
# who asks without a lock, and then with it, whether poll() or epoll_wait() has been woken.
HARMLESS="$HARMLESS|KCSAN: data-race in (poll_schedule_timeout[^ ]* / pollwake"
HARMLESS="$HARMLESS|do_epoll_wait / ep_poll_callback)"

# but_races_of_others: leaves out KCSAN's reports of races in which we have no part: no
# function of ours made one of the accesses, or called what did. What was interrupted,
# or took a fault, has no part.
but_races_of_others()
{
	awk '
		/KCSAN: data-race in / { inside = 1; ours = /ringbuf/; part = 0; text = "" }
		!inside { print; next }
		{ text = text $0 "\n" }
		/ bytes by (task|interrupt)/ { part = 1 }
		/ asm_|Reported by / { part = 0 }
		# Or another CPU had something to tell meanwhile.
		(part && /ringbuf/) || /WARNING|Oops|BUG: [^K]/ { ours = 1 }
		/==========/ {
			if (ours)
				printf "%s", text
			inside = 0
		}
		# Cut short: who knows.
		END { if (inside) printf "%s", text }'
}

# reports [ALLOW]: from a log on stdin, what is wrong with its surroundings;
# false if nothing is. Lines that match ALLOW are not looked at.
reports()
{
	but_races_of_others | grep -vE "$HARMLESS" | grep -vE -- "${1:-^$}" |
		grep -E -m 200 -B 2 -A 40 -- "$REPORTS" | head -n 150 | grep .
}
