/* SPDX-License-Identifier: GPL-2.0 */
/* Tables whose columns are as wide as what is in them. */
#ifndef RINGBUF_CLI_TABLE_H
#define RINGBUF_CLI_TABLE_H

#include "out.h"

/* "framed,reliable,eof,demoted,writer", "writer 4194303 (systemd-journal)" */
#define TABLE_CELL	48

/**
 * struct column - A column
 * @head: its heading
 * @left: text, not numbers
 * @width: at least, so that what changes does not make others move
 * @drop: where it is too tight the column with the highest goes first; 0: none
 */
struct column {
	const char *head;
	bool left;
	size_t width;
	int drop;
};

/**
 * struct table - A table to be printed
 * @columns: of it
 * @n_columns: how many
 * @cells: row by row
 * @count: how many
 * @room: for how many
 */
struct table {
	const struct column *columns;
	size_t n_columns;
	char (*cells)[TABLE_CELL];
	size_t count;
	size_t room;
};

/* The next cell. Without memory it is left out. */
void table_cell(struct table *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Prints it with its heading in at most @width columns (0: any), and empties it. */
void table_print(struct table *t, struct out *out, size_t width);

void table_free(struct table *t);

/* Lines of at most @width columns; @text is ASCII. */
void table_line(struct out *out, size_t width, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes all of it, which is no records. Returns 0 or a negative errno. */
int table_flush(struct out *out);

/* A process's name, in which there may be anything, as ASCII. */
const char *table_comm(char to[TABLE_CELL], const char *comm);

/* A cell: the process, and how many more have the same file if @shared is over 1. */
void table_who(struct table *t, const char *comm, unsigned int shared);

#endif /* RINGBUF_CLI_TABLE_H */
