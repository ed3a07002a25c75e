/* SPDX-License-Identifier: GPL-2.0 */
/* Everything at once: what the supervisor and its processes share. */
#ifndef SOAK_H
#define SOAK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct soak {
	atomic_bool stop;	/* this round */
	atomic_int found;
	char text[8][160];
	atomic_ullong written;
	atomic_ullong read;
	atomic_ullong lost;
	atomic_ullong ends;	/* accounts that were checked to the last record */
	atomic_ullong accounts;
	atomic_ullong demoted;
};

extern struct soak *soak;

void found(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Random numbers: splitmix64. */
static inline uint64_t rnd(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Each ends by itself, at the latest when the round stops. */
void soak_write(const char *device, uint64_t seed);
void soak_read(const char *device, uint64_t seed);

#endif /* SOAK_H */
