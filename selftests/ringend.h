/* SPDX-License-Identifier: GPL-2.0 */
/* A ring that ends, in both ways, with a writer and a reader of it. */
#ifndef RINGBUF_TEST_RINGEND_H
#define RINGBUF_TEST_RINGEND_H

#include "epoll.h"
#include "rings.h"

#define NAME	"end"
#define FRAMED	RINGBUF_CONSUMER_FRAMED
#define ENDS	RINGBUF_CONSUMER_EOF
#define RELIABLE RINGBUF_CONSUMER_RELIABLE

FIXTURE(ring) {
	int w;
	int r;
	int ep;		/* an epoll that watches nothing yet */
};

FIXTURE_VARIANT(ring) {
	bool by_rmdir;
};

FIXTURE_VARIANT_ADD(ring, live) { .by_rmdir = false };
FIXTURE_VARIANT_ADD(ring, rmdir) { .by_rmdir = true };

FIXTURE_SETUP(ring)
{
	RINGS_LOAD();
	ASSERT_EQ(0, ring_new(NAME, "size=4096 reliable=1"));
	self->w = ring_open(NAME, O_WRONLY);
	self->r = ring_open(NAME, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->r);
	self->ep = epoll_create1(EPOLL_CLOEXEC);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->w);
	close(self->r);
	close(self->ep);
	EXPECT_EQ(0, rings_clear());
	/* And nothing of it is left. */
	EXPECT_EQ(0, rb_remove_wait());
}

#define END()	ASSERT_EQ(0, ring_end(NAME, variant->by_rmdir))

#endif /* RINGBUF_TEST_RINGEND_H */
