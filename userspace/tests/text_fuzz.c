// SPDX-License-Identifier: GPL-2.0
/*
 * text_fuzz N SEED: N payloads, random and not so random, through what shows them,
 * with sanitizers. Each ends at the end of its memory. Prints, for a JSON parser
 * to compare: the payload in hex, and its JSON, with a tab in between.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "decode.h"
#include "text.h"

volatile int cli_stopped;

static const char *const pieces[] = {
	"", "\"", "\\", "\n", "\033[31m", "caf\xc3\xa9", "\xe2\x82\xac",
	"\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
	"\xe2\x82", "\xf0\x9f", "\xc2\x9b", "\x7f", "\xff", "</script>",
	"\xe2\x80\xa8",
};

static size_t payload(unsigned char *to)
{
	size_t n = 1 + random() % 80, i = 0;
	bool raw = random() % 4 == 0;
	const char *piece;

	while (i < n) {
		piece = pieces[random() % (sizeof(pieces) / sizeof(*pieces))];
		if (raw)
			to[i++] = random();
		else if (random() % 3)
			to[i++] = random() % 8 ? 'a' + random() % 26 : 0;
		else
			i += strlen(strcpy((char *)to + i, piece));
	}
	return i;
}

/* Nothing that a terminal obeys: printable ASCII, UTF-8, tabs and newlines. */
static void check_tame(const struct out *out, const char *what)
{
	const unsigned char *s = (unsigned char *)out->data;
	size_t i;

	if (out->error || !text_is_utf8(s, out->len))
		errx(1, "%s is no UTF-8", what);
	for (i = 0; i < out->len; i++)
		if ((s[i] < 0x20 && s[i] != '\n' && s[i] != '\t') ||
		    s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0))
			errx(1, "%s has a control character", what);
}

static void show(const void *data, size_t len)
{
	struct out out = { .fd = -1 };

	text_digits(&out, data, len);
	out_char(&out, '\t');
	if (text_is_utf8(data, len)) {
		text_json(&out, data, len);
	} else {
		out_char(&out, '"');
		text_digits(&out, data, len);
		out_char(&out, '"');
	}
	out_char(&out, '\n');
	check_tame(&out, "JSON");
	fwrite(out.data, 1, out.len, stdout);
	out.len = 0;
	text_escaped(&out, data, len);
	check_tame(&out, "escaped text");
	out.len = 0;
	text_hex(&out, data, len);
	check_tame(&out, "a dump");
	out_free(&out);
}

static void decode(const struct ringbuf_entry *e)
{
	struct out out = { .fd = -1 };

	out_string(&out, "00\t[0");
	if (decoder_find("proc")->decode(&out, e, true)) {
		out.len = 0;
		/* Members, to be seen as an object. */
		out_string(&out, "-\t{\"seq\":1");
		decoder_find("proc")->decode(&out, e, true);
		out_string(&out, "}\n");
		check_tame(&out, "decoded JSON");
		fwrite(out.data, 1, out.len, stdout);
		out.len = 0;
		decoder_find("proc")->decode(&out, e, false);
		check_tame(&out, "decoded text");
		if (memchr(out.data, '\n', out.len) != out.data + out.len - 1)
			errx(1, "decoded text is not one line");
	} else if (out.len != 5) {
		errx(1, "put something for what it does not know");
	}
	out_free(&out);
}

int main(int argc, char **argv)
{
	unsigned char raw[512];
	struct ringbuf_entry e;
	char *copy;
	long i;

	if (argc != 3)
		errx(2, "usage: text_fuzz N SEED");
	srandom(atoi(argv[2]));
	for (i = 0; i < atol(argv[1]); i++) {
		memset(&e, 0, sizeof(e));
		e.len = payload(raw);
		e.type = random() % 5;
		e.seq = i;
		/* So that a byte too many is noticed. */
		copy = malloc(e.len);
		memcpy(copy, raw, e.len);
		e.data = copy;
		show(e.data, e.len);
		decode(&e);
		free(copy);
	}
	return 0;
}
