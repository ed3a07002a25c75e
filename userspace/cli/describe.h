/* SPDX-License-Identifier: GPL-2.0 */
/* What several commands say of rings and processes, as text and as JSON. */
#ifndef RINGBUF_CLI_DESCRIBE_H
#define RINGBUF_CLI_DESCRIBE_H

#include "out.h"
#include "procs.h"

/* "1234 (cat), fd 3", "none", "the kernel" */
void describe_writer(char *to, size_t size, const struct ring *ring,
		     const struct holders *all);

/* Whom the writer waits for: "1234 (cat)", or that it is its own file */
void describe_holder(char *to, size_t size, const struct ring *ring,
		     const struct holders *all);

const char *json_bool(bool value);
/* With ", " behind it, as the next one. */
void json_field(struct out *out, const char *name, uint64_t value);
void json_writer(struct out *out, const struct ring *ring,
		 const struct holders *all);
void json_process(struct out *out, const struct holder *h);
/* Members "path" and "name". */
void json_names(struct out *out, const struct ring *ring);

/* Columns of the terminal; 0 where there is none, so that nothing is cut off. */
size_t describe_width(void);

#endif /* RINGBUF_CLI_DESCRIBE_H */
