/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NATIVE_COMPILER_H
#define _NATIVE_COMPILER_H

/* Marked accesses are relaxed atomics, so that TSan knows them. */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define __rcu

#endif
