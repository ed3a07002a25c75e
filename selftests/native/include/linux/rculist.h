/* SPDX-License-Identifier: GPL-2.0 */
/* Tests free what was on a list when their threads have ended. */
#ifndef _NATIVE_RCULIST_H
#define _NATIVE_RCULIST_H

#include <linux/list.h>
#include <stddef.h>

#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)

#define rcu_entry(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define rcu_next(list)		__atomic_load_n(&(list)->next, __ATOMIC_ACQUIRE)
#define list_for_each_entry_rcu(pos, head, member)			\
	for (pos = rcu_entry(rcu_next(head), __typeof__(*pos), member);	\
	     &pos->member != (head);					\
	     pos = rcu_entry(rcu_next(&pos->member), __typeof__(*pos), member))

#define rcu_dereference(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define rcu_dereference_protected(p, held)	READ_ONCE(p)
#define rcu_assign_pointer(p, v)	__atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v)	WRITE_ONCE(p, v)

/* Under a lock. */
#define list_for_each_entry(pos, head, member)				\
	for (pos = rcu_entry((head)->next, __typeof__(*pos), member);	\
	     &pos->member != (head);					\
	     pos = rcu_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_continue(pos, head, member)			\
	for (pos = rcu_entry(pos->member.next, __typeof__(*pos), member); \
	     &pos->member != (head);					\
	     pos = rcu_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)			\
	for (pos = rcu_entry((head)->next, __typeof__(*pos), member),	\
	     n = rcu_entry(pos->member.next, __typeof__(*pos), member);	\
	     &pos->member != (head);					\
	     pos = n, n = rcu_entry(n->member.next, __typeof__(*n), member))

static inline void list_add_tail_rcu(struct list_head *entry,
				     struct list_head *head)
{
	entry->next = head;
	entry->prev = head->prev;
	__atomic_store_n(&head->prev->next, entry, __ATOMIC_RELEASE);
	head->prev = entry;
}

static inline void list_del_rcu(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	__atomic_store_n(&entry->prev->next, entry->next, __ATOMIC_RELEASE);
}

#endif
