/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the library on the host, where there is no device: TAP. */
#ifndef LIB_HOST_H
#define LIB_HOST_H

#include <stdio.h>
#include "lib.h"
#include "lib_feed.h"

struct host_test {
	const char *name;
	bool (*run)(void);
};

#define CHECK(cond) do {						\
	if (!(cond)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);	\
		return false;						\
	}								\
} while (0)

#define CHECK_EQ(want, got) do {					\
	unsigned long long __w = (want), __g = (got);			\
									\
	if (__w != __g) {						\
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__,	\
		       __LINE__, #got, __g, __w);			\
		return false;						\
	}								\
} while (0)

/* How often readers of this thread told the kernel where they are. */
extern __thread unsigned int host_told;
extern __thread uint64_t host_pos;
/* lib_none.c: what a reader has set last */
extern struct ringbuf_consumer none_set;

/* A mapped reader of @f, from @pos and @seq on, without a file. */
struct ringbuf_reader *host_reader(struct feed *f, uint64_t pos, uint64_t seq);
/* One that has its frames from the pipe @fd, which stays the caller's. */
struct ringbuf_reader *host_stream(struct feed *f, int fd);
void host_close(struct ringbuf_reader *reader);

/* Is @e record @seq of @words words, intact? */
bool host_record(const struct ringbuf_entry *e, uint64_t seq, uint32_t words);

uint64_t host_random(void);
int host_run(const struct host_test *tests, int count);

#endif
