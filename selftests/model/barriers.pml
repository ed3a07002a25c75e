/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The barriers of the code, by their labels LMM(function:letter). -DNO_function_X
 * removes one: an acquire or release becomes a plain marked access.
 */

#ifdef NO_publish_A
#define publish_A(l, v)	store(l, v)
#else
#define publish_A(l, v)	store_release(l, v)
#endif

#ifdef NO_publish_B
#define publish_B(l, v)	store(l, v)
#else
#define publish_B(l, v)	store_release(l, v)
#endif

#ifdef NO_make_room_A
#define make_room_A(l, v)	store(l, v)
#else
#define make_room_A(l, v)	store_release(l, v)
#endif

#ifdef NO_make_room_B
#define make_room_B()		skip
#else
#define make_room_B()		smp_wmb()
#endif

#ifdef NO_intact_A
#define intact_A()		skip
#else
#define intact_A()		smp_rmb()
#endif

#ifdef NO_peek_A
#define peek_A(dst, l)	load(dst, l)
#else
#define peek_A(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_peek_B
#define peek_B(dst, l)	load(dst, l)
#else
#define peek_B(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_seek_A
#define seek_A(dst, l)	load(dst, l)
#else
#define seek_A(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_head_A
#define head_A(dst, l)	load(dst, l)
#else
#define head_A(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_head_B
#define head_B(dst, l)	load(dst, l)
#else
#define head_B(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_find_tail_A
#define find_tail_A()		skip
#else
#define find_tail_A()		smp_mb()
#endif

#ifdef NO_hold_join_A
#define hold_join_A()		skip
#else
#define hold_join_A()		smp_mb()
#endif

#ifdef NO_hold_join_B
#define hold_join_B(l, v)	store(l, v)
#else
#define hold_join_B(l, v)	store_release(l, v)
#endif

#ifdef NO_hold_join_C
#define hold_join_C(dst, l)	load(dst, l)
#else
#define hold_join_C(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_scan_A
#define scan_A(dst, l)	load(dst, l)
#else
#define scan_A(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_scan_B
#define scan_B(dst, l)	load(dst, l)
#else
#define scan_B(dst, l)	load_acquire(dst, l)
#endif

#ifdef NO_hold_move_A
#define hold_move_A(l, v)	store(l, v)
#else
#define hold_move_A(l, v)	store_release(l, v)
#endif

#ifdef NO_wake_A
#define wake_A()		skip
#else
#define wake_A()		smp_mb()
#endif

#ifdef NO_listen_A
#define listen_A()		skip
#else
#define listen_A()		smp_mb()
#endif

#ifdef NO_listen_B
#define listen_B()		skip
#else
#define listen_B()		smp_mb()
#endif

#ifdef NO_unhook_A
#define unhook_A()		skip
#else
#define unhook_A()		smp_mb()
#endif

#ifdef NO_scan_work_A
#define scan_work_A()		skip
#else
#define scan_work_A()		smp_mb()
#endif

#ifdef NO_moved_A
#define moved_A()		skip
#else
#define moved_A()		smp_mb()
#endif

#ifdef NO_wake_for_room_A
#define wake_for_room_A()		skip
#else
#define wake_for_room_A()		smp_mb()
#endif

#ifdef NO_room_A
#define room_A()		skip
#else
#define room_A()		smp_mb()
#endif

#ifdef NO_poll_A
#define poll_A()		skip
#else
#define poll_A()		smp_mb()
#endif

#ifdef NO_back_A
#define back_A()		skip
#else
#define back_A()		smp_mb()
#endif

#ifdef NO_full_A
#define full_A()		skip
#else
#define full_A()		smp_mb()
#endif

#ifdef NO_demote_A
#define demote_A()		skip
#else
#define demote_A()		smp_wmb()
#endif
