/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decoders: payloads of known producers as text and as members of a JSON
 * object. A new one is a row of the table in decode.c.
 */
#ifndef RINGBUF_CLI_DECODE_H
#define RINGBUF_CLI_DECODE_H

#include <libringbuf.h>
#include "out.h"

/**
 * struct decoder - What a producer's records mean
 * @name: for --decode
 * @brief: one line
 * @head: column heads of the text, or NULL
 * @decode: puts a line of text, or ",\"name\":value" for each member; nothing,
 *	and false, for a record that it does not know. The payload is anybody's:
 *	a length or a NUL in it may be missing.
 */
struct decoder {
	const char *name;
	const char *brief;
	const char *head;
	bool (*decode)(struct out *out, const struct ringbuf_entry *e, bool json);
};

const struct decoder *decoder_find(const char *name);
void decoder_list(void);

#endif /* RINGBUF_CLI_DECODE_H */
