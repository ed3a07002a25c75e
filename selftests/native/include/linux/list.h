/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NATIVE_LIST_H
#define _NATIVE_LIST_H

#include <linux/compiler.h>

struct list_head {
	struct list_head *next, *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

#endif
