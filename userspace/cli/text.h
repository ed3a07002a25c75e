/* SPDX-License-Identifier: GPL-2.0 */
/* Payloads, which are nobody's friends, as text. */
#ifndef RINGBUF_CLI_TEXT_H
#define RINGBUF_CLI_TEXT_H

#include "out.h"

/* Nothing in it that a terminal would obey: \xNN for that and for no UTF-8. */
void text_escaped(struct out *out, const void *data, size_t len);

/* Of UTF-8: is there something that a terminal would obey? */
bool text_has_control(const char *text);

bool text_is_utf8(const void *data, size_t len);

/* A JSON string, of valid UTF-8. */
void text_json(struct out *out, const void *data, size_t len);

/* As hexadecimal digits only. */
void text_digits(struct out *out, const void *data, size_t len);

/* Lines as of xxd. */
void text_hex(struct out *out, const void *data, size_t len);

#endif /* RINGBUF_CLI_TEXT_H */
