/* SPDX-License-Identifier: GPL-2.0 */
/* What a test sets and sees of the kernel that shim.h plays. */
#ifndef _SHIM_TEST_H
#define _SHIM_TEST_H

/* Pages that are allocated. */
extern unsigned int shim_pages;
/* The allocation of that number fails; 0: none. */
extern unsigned int shim_fail_after;
/* Called at the next access to user memory, once: what others do meanwhile. */
extern void (*shim_meanwhile)(void);

#endif
