/* SPDX-License-Identifier: GPL-2.0 */
/* The files, user memory, and what others do while it is touched. */
#ifndef RINGBUF_FILE_USER_H
#define RINGBUF_FILE_USER_H

#include "fuzz.h"
#include "shim.h"

#define FILES		4

struct opened {
	struct file file;
	bool open;
	bool sought;
	u64 first_seq;
	u64 first_pos;
};

extern struct opened files[FILES];
/* The file that does something while user memory is touched; has it done so? */
extern struct opened *other;
extern bool disturbed;
/* By read() and write() themselves, not by their vectors. */
extern bool direct;

u8 *user_memory(struct input *in, size_t n);
void user_end(void);
void disturb(struct input *in);
struct iov_iter user_iter(struct input *in, size_t n);

#endif
