// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records of one type, checked by the compiler: a pointer to anything else than
 * struct sample does not compile.
 *
 *	typed VALUE...	publishes samples
 *	typed		prints them; those of producer.ko, too
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libringbuf.h>
#include "sample.h"

/* Defines sample_put(), sample_write() and sample_next(). */
DEFINE_RINGBUF_TYPED(sample, struct sample);

static int write_samples(char **values)
{
	struct ringbuf_publisher *p;
	struct sample s = { 0 };
	int ret, err;
	char *end;

	ret = ringbuf_publisher_open(&p, NULL, 0);
	if (ret)
		return ret;
	for (; !ret && *values; values++, s.count++) {
		s.value = strtoll(*values, &end, 0);
		ret = *end ? -EINVAL : sample_put(p, &s);
	}
	/* Publishes what was put. */
	err = ringbuf_publisher_close(p);
	return ret ? ret : err;
}

static int read_samples(void)
{
	struct ringbuf_reader *r;
	struct ringbuf_stats stats;
	__u64 lost = 0;
	struct sample s;
	int ret;

	ret = ringbuf_reader_open(&r, NULL, 0);
	if (ret)
		return ret;
	while ((ret = ringbuf_wait(r, -1)) > 0) {
		while ((ret = sample_next(r, &s)) > 0 || ret == -EPROTO) {
			if (ret == -EPROTO)
				printf("not a sample\n");
			else
				printf("%llu: %lld\n",
				       (unsigned long long)s.count,
				       (long long)s.value);
		}
		if (!ret)
			ret = ringbuf_reader_stats(r, &stats);
		if (ret)
			break;
		if (stats.lost_records != lost)
			printf("lost %llu records so far\n",
			       (unsigned long long)stats.lost_records);
		lost = stats.lost_records;
		if (fflush(stdout)) {
			ret = -errno;
			break;
		}
	}
	ringbuf_reader_close(r);
	return ret;
}

int main(int argc, char **argv)
{
	int ret = argc > 1 ? write_samples(argv + 1) : read_samples();

	if (ret)
		fprintf(stderr, "typed: %s\n", strerror(-ret));
	return ret != 0;
}
