/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Records of the ringbuf_proc sample: what became of which process.
 *
 * The type of a record is one of RINGBUF_PROC_*, its payload the structure of
 * that name. Numbers are in the reader's byte order, ids are those of the
 * initial namespaces. Later versions may make a structure longer at its end,
 * and add types: readers skip what they do not know.
 */
#ifndef _RINGBUF_PROC_H
#define _RINGBUF_PROC_H

#include <linux/types.h>
#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

#define RINGBUF_PROC_FORK	1 /* struct ringbuf_proc_fork: a process is new */
#define RINGBUF_PROC_EXEC	2 /* struct ringbuf_proc_exec: it runs a program */
#define RINGBUF_PROC_EXIT	3 /* struct ringbuf_proc_exit: it has ended */

#define RINGBUF_PROC_COMM_SIZE	16

/* Bytes of a file name that are published, with the NUL at its end. */
#define RINGBUF_PROC_NAME_SIZE	512

/**
 * struct ringbuf_proc_task - Whom a record is about
 * @pid: process id (that of the thread group)
 * @ppid: that of its parent; 0: none
 * @uid: real user id
 * @comm: name of the thread that did it, NUL-terminated and zero-padded
 */
struct ringbuf_proc_task {
	__u32	pid;
	__u32	ppid;
	__u32	uid;
	char	comm[RINGBUF_PROC_COMM_SIZE];
};

/**
 * struct ringbuf_proc_fork - A process is new
 * @task: the child; its ppid is who will be told of its end, its comm still
 *	that of the thread that made it
 */
struct ringbuf_proc_fork {
	struct ringbuf_proc_task task;
};

/**
 * struct ringbuf_proc_exec - A process runs another program from now on
 * @task: the process, under its new name
 * @name_len: bytes of the file name, without a NUL
 * @name: the file as it was asked for, NUL-terminated, to the end of the
 *	record; only its beginning if @name_len is RINGBUF_PROC_NAME_SIZE or more
 */
struct ringbuf_proc_exec {
	struct ringbuf_proc_task task;
	__u32	name_len;
	char	name[];
};

/**
 * struct ringbuf_proc_exit - A process has ended
 * @task: the process, named after the last of its threads
 * @status: as from wait(): WIFEXITED(), WEXITSTATUS(), WTERMSIG() apply
 *
 * A process ends once, when the last of its threads does: not when one of many
 * threads ends, were it the first one, nor when exec() removes the others.
 */
struct ringbuf_proc_exit {
	struct ringbuf_proc_task task;
	__u32	status;
};

/* So no record carries stale memory of the kernel's. */
static_assert(sizeof(struct ringbuf_proc_task) == 28, "no padding");
static_assert(sizeof(struct ringbuf_proc_fork) == 28, "no padding");
static_assert(sizeof(struct ringbuf_proc_exec) == 32, "no padding");
static_assert(sizeof(struct ringbuf_proc_exit) == 32, "no padding");

#endif /* _RINGBUF_PROC_H */
