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
# Races of the kernel's own, each by its name, that KCSAN sees there: while it boots;
# of who asks without a lock, and then with it, whether poll() or epoll_wait() has been
# woken; of a page fault that walks a node of the map that is being freed, and retries;
# of who asks whether a timer is active that may just run on another CPU, and retries.
HARMLESS="$HARMLESS|KCSAN: data-race in (lapic_cal_handler / setup_boot_APIC_clock"
HARMLESS="$HARMLESS|poll_schedule_timeout[^ ]* / pollwake|do_epoll_wait / ep_poll_callback"
HARMLESS="$HARMLESS|__call_rcu_common[^ ]* / mtree_range_walk"
HARMLESS="$HARMLESS|__hrtimer_run_queues / hrtimer_active)"

# reports [ALLOW]: from a log on stdin, what is wrong with its surroundings;
# false if nothing is. Lines that match ALLOW are not looked at.
reports()
{
	grep -vE "$HARMLESS" | grep -vE -- "${1:-^$}" |
		grep -E -m 200 -B 2 -A 40 -- "$REPORTS" | head -n 150 | grep .
}
