/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the core takes from the kernel's headers, in userspace. The files beside
 * this one stand in for those of the same name.
 */
#ifndef _NATIVE_TYPES_H
#define _NATIVE_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef unsigned long long u64;
typedef long long s64;

#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
#define U64_MAX		(~0ULL)

#endif
