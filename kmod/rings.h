/* SPDX-License-Identifier: GPL-2.0 */
/* The rings there are: by name and by device number. */
#ifndef _RINGBUF_RINGS_H
#define _RINGBUF_RINGS_H

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include "ring.h"

#define RINGBUF_DEFAULT_NAME	"ringbuf"
#define RINGBUF_DEFAULT_SIZE	SZ_1M
#define RINGBUF_DEFAULT_MODE	0600

/* Whoever sets up a ring is held to these. */
static inline bool ringbuf_valid_size(unsigned long size)
{
	return is_power_of_2(size) && size >= PAGE_SIZE && size <= SZ_1G;
}

static inline bool ringbuf_valid_mode(umode_t mode)
{
	return !(mode & ~0666);
}

static inline bool ringbuf_valid_consumers(unsigned int max_consumers)
{
	return max_consumers <= INT_MAX;
}

bool ringbuf_valid_name(const char *name);
int ringbuf_clock_parse(const char *name);
const char *ringbuf_clock_name(enum ringbuf_clock clock);

int ringbuf_rings_init(void);
void ringbuf_rings_exit(void);

struct ringbuf *ringbuf_ring_add(const struct ringbuf_config *config);
void ringbuf_ring_remove(struct ringbuf *rb);

extern const struct attribute_group *ringbuf_ring_groups[];

#if IS_ENABLED(CONFIG_CONFIGFS_FS)
void ringbuf_configfs_init(void);
void ringbuf_configfs_exit(void);
#else
static inline void ringbuf_configfs_init(void)
{
}

static inline void ringbuf_configfs_exit(void)
{
}
#endif

#endif /* _RINGBUF_RINGS_H */
