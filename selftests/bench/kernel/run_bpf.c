// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/bpf.h>
#include "run.h"

#define PAGE	4096

/* In one run of a program, which has a cost of its own. */
#define PER_RUN	16

static int map_fd = -1, payload_fd = -1, test_fd = -1;
static uint64_t *consumer, *producer;	/* positions */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

unsigned long symbol(const char *name)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long addr;
	char line[512], found[256];

	if (!f)
		err(1, "/proc/kallsyms");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %255s", &addr, found) == 2 &&
		    !strcmp(found, name)) {
			fclose(f);
			return addr;
		}
	}
	fclose(f);
	return 0;
}

void bpf_open(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_RINGBUF,
		.max_entries = KBENCH_BUFFER,
	};
	struct kbench_bpf b = {
		.reserve = symbol("bpf_ringbuf_reserve"),
		.submit = symbol("bpf_ringbuf_submit"),
		.output = symbol("bpf_ringbuf_output"),
	};
	void *page;

	map_fd = bpf(BPF_MAP_CREATE, &attr);
	if (map_fd < 0) {
		warn("BPF ringbuf: left out: BPF_MAP_CREATE");
		return;
	}
	b.fd = map_fd;
	if (ioctl(bench_fd, KBENCH_IOC_BPF, &b)) {
		warn("BPF ringbuf: left out: its functions");
		return;
	}
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (page == MAP_FAILED)
		err(1, "BPF ringbuf");
	consumer = page;
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, map_fd, PAGE);
	if (page == MAP_FAILED)
		err(1, "BPF ringbuf");
	producer = page;
}

/* All has been read. */
void bpf_make_room(void)
{
	if (consumer)
		__atomic_store_n(consumer, __atomic_load_n(producer, __ATOMIC_ACQUIRE),
				 __ATOMIC_RELEASE);
}

#define INSN(op, d, s, i) \
	((struct bpf_insn){ .code = (op), .dst_reg = (d), .src_reg = (s), .imm = (i) })

/* A program of PER_RUN publishes, or of what is left without the call. */
static int load(unsigned int len, bool empty)
{
	static struct bpf_insn insns[PER_RUN * 8 + 2];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (uintptr_t)insns,
		.license = (uintptr_t)"GPL",
	};
	struct bpf_insn *i = insns;

	for (unsigned int n = 0; n < PER_RUN; n++) {
		*i++ = INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1,
			    BPF_PSEUDO_MAP_FD, map_fd);
		*i++ = INSN(0, 0, 0, 0);
		*i++ = INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2,
			    BPF_PSEUDO_MAP_VALUE, payload_fd);
		*i++ = INSN(0, 0, 0, 0);
		*i++ = INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, len);
		*i++ = INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0);
		if (!empty)
			*i++ = INSN(BPF_JMP | BPF_CALL, 0, 0,
				    BPF_FUNC_ringbuf_output);
	}
	*i++ = INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0);
	*i++ = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0);
	attr.insn_cnt = i - insns;
	return bpf(BPF_PROG_LOAD, &attr);
}

/* Kernels without networking have no programs that run many times. */
bool bpf_program(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4096,
		.max_entries = 1,
	};

	if (!consumer)
		return false;
	if (payload_fd < 0)
		payload_fd = bpf(BPF_MAP_CREATE, &attr);
	if (payload_fd >= 0 && test_fd < 0)
		test_fd = load(16, true);
	if (test_fd < 0)
		warn("BPF programs: left out");
	return test_fd >= 0;
}

static double run(int fd, unsigned int runs)
{
	static char packet[64];
	union bpf_attr attr = {
		.test = {
			.prog_fd = fd,
			.data_size_in = sizeof(packet),
			.data_in = (uintptr_t)packet,
			.repeat = runs,
		},
	};

	bpf_make_room();
	if (bpf(BPF_PROG_TEST_RUN, &attr))
		err(1, "BPF_PROG_TEST_RUN");
	return (double)attr.test.duration / PER_RUN;
}

double bpf_run(unsigned int len, unsigned int count, bool empty)
{
	static int fds[4096 + 1][2];
	int *fd = &fds[len][empty];

	if (!*fd)
		*fd = load(len, empty);
	if (*fd < 0)
		err(1, "BPF_PROG_LOAD");
	run(*fd, count / PER_RUN + 1);
	return run(*fd, count / PER_RUN + 1);
}
