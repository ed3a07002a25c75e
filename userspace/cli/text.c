// SPDX-License-Identifier: GPL-2.0
/* Payloads, which are nobody's friends, as text. */

#include <string.h>
#include "text.h"

/*
 * Bytes of the UTF-8 character at @s, 0 if it is none: what is too long, a
 * surrogate, or beyond U+10FFFF, neither.
 */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int c = s[0];
	size_t n, i;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	c &= 0x7f >> n;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}

bool text_is_utf8(const void *data, size_t len)
{
	const unsigned char *s = data;
	size_t n;

	for (; len; s += n, len -= n) {
		n = utf8_length(s, len);
		if (!n)
			return false;
	}
	return true;
}

/* U+0000 to U+001F, U+007F to U+009F: some terminals obey the latter, too. */
static bool is_control(const unsigned char *s, size_t n)
{
	if (n == 1)
		return *s < 0x20 || *s == 0x7f;
	return n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

bool text_has_control(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	/* The bytes behind the first one of a character are 0x80 to 0xbf. */
	for (; *s; s++)
		if (is_control(s, 1) || is_control(s, 2))
			return true;
	return false;
}

static void hex_bytes(struct out *out, const unsigned char *s, size_t n)
{
	while (n--)
		out_format(out, "\\x%02x", *s++);
}

void text_escaped(struct out *out, const void *data, size_t len)
{
	const unsigned char *s = data, *from = s, *end = s + len;
	size_t n;

	while (s < end) {
		n = utf8_length(s, end - s);
		if (n && (!is_control(s, n) || *s == '\t' || *s == '\n')) {
			s += n;
			continue;
		}
		out_bytes(out, from, s - from);
		n = n ? n : 1;
		hex_bytes(out, s, n);
		s += n;
		from = s;
	}
	out_bytes(out, from, s - from);
}

static void json_control(struct out *out, const unsigned char *s, size_t n)
{
	static const char from[] = "\b\f\n\r\t", to[] = "bfnrt";
	const char *p = *s ? strchr(from, *s) : NULL;

	if (n == 1 && p)
		out_format(out, "\\%c", to[p - from]);
	else
		out_format(out, "\\u%04x", s[n - 1]);
}

void text_json(struct out *out, const void *data, size_t len)
{
	const unsigned char *s = data, *from = s, *end = s + len;
	size_t n;

	out_char(out, '"');
	while (s < end) {
		n = utf8_length(s, end - s);
		n = n ? n : 1;
		if (!is_control(s, n) && *s != '"' && *s != '\\') {
			s += n;
			continue;
		}
		out_bytes(out, from, s - from);
		if (*s == '"' || *s == '\\')
			out_format(out, "\\%c", *s);
		else
			json_control(out, s, n);
		s += n;
		from = s;
	}
	out_bytes(out, from, s - from);
	out_char(out, '"');
}

void text_digits(struct out *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *s = data;
	char pair[2];

	while (len--) {
		pair[0] = digits[*s >> 4];
		pair[1] = digits[*s++ & 15];
		out_bytes(out, pair, 2);
	}
}

static void hex_line(struct out *out, const unsigned char *s, size_t n)
{
	size_t i;

	for (i = 0; i < 16; i++) {
		if (i % 2 == 0)
			out_char(out, ' ');
		if (i < n)
			text_digits(out, s + i, 1);
		else
			out_string(out, "  ");
	}
	out_string(out, "  ");
	for (i = 0; i < n; i++)
		out_char(out, s[i] >= ' ' && s[i] <= '~' ? s[i] : '.');
	out_char(out, '\n');
}

void text_hex(struct out *out, const void *data, size_t len)
{
	const unsigned char *s = data;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = len - i < 16 ? len - i : 16;
		out_format(out, "%08zx:", i);
		hex_line(out, s + i, n);
	}
}
