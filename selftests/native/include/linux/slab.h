/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NATIVE_SLAB_H
#define _NATIVE_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL			0
#define kvmalloc_array(n, size, gfp)	calloc(n, size)
#define kvfree(p)			free((void *)(p))

#endif
