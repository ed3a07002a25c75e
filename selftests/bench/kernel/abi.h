/* SPDX-License-Identifier: GPL-2.0 */
/* Between the module that measures and the program that tells it what. */
#ifndef RINGBUF_BENCH_ABI_H
#define RINGBUF_BENCH_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KBENCH_NODE	"/dev/kbench"
#define KBENCH_RING	"kbench"	/* no timestamps */
#define KBENCH_RING_TS	"kbench-ts"

/* Bytes of every contender's buffer. */
#define KBENCH_BUFFER	(256 << 10)
#define KBENCH_NAME	56

/* A contender's name, by its number; ENOENT: no more. */
struct kbench_name {
	__u32 contender;
	__u32 pad;
	char name[KBENCH_NAME];
};

/* Publish records of len bytes: count of them untimed, then as many timed. */
struct kbench_publish {
	__u32 contender;
	__u32 len;
	__u32 count;
	__u32 pad;
	__u64 ns;	/* of all */
};

/* read() in the kernel from a file, calls times, at most size bytes each. */
struct kbench_read {
	__s32 fd;
	__u32 size;
	__u32 calls;
	__u32 pad;
	__u64 bytes;	/* that all calls gave */
	__u64 ns;
};

/* A BPF ring's map, and the kernel's functions that publish in one. */
struct kbench_bpf {
	__s32 fd;
	__u32 pad;
	__u64 reserve;
	__u64 submit;
	__u64 output;
};

#define KBENCH_IOC_NAME		_IOWR(0xf5, 1, struct kbench_name)
#define KBENCH_IOC_PUBLISH	_IOWR(0xf5, 2, struct kbench_publish)
#define KBENCH_IOC_READ		_IOWR(0xf5, 3, struct kbench_read)
#define KBENCH_IOC_BPF		_IOW(0xf5, 4, struct kbench_bpf)

#endif /* RINGBUF_BENCH_ABI_H */
