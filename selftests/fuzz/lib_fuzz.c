// SPDX-License-Identifier: GPL-2.0
/*
 * The library's readers on a ring that makes no sense: mapped, where all words of
 * the page and of the data area may be anything and change at any time; and by
 * read(), where frames may. Between guard pages; whatever is shown can be touched
 * whole.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"
#include "lib.h"

#define PAGE		4096UL
#define SIZE		4096UL
#define MAX_RECORD	(SIZE / 4 - sizeof(struct ringbuf_record))
#define STEPS		300

static unsigned char *map;
static uint64_t sink;

/* In the place of the library's name.c, with lib_none.c: there is no device. */
int get_info(int fd, struct ringbuf_info *info)
{
	(void)fd;
	memset(info, 0, sizeof(*info));
	info->data_size = SIZE;
	info->max_record = MAX_RECORD;
	return 0;
}

int get_stats(int fd, struct ringbuf_stats *stats)
{
	(void)fd;
	memset(stats, 0, sizeof(*stats));
	return 0;
}

int set_pos(int fd, uint64_t pos)
{
	(void)fd;
	(void)pos;
	return 0;
}

/* [guard] page [guard] head page [guard] data data [guard] */
static void make_map(void)
{
	const int flags = MAP_SHARED | MAP_FIXED, prot = PROT_READ | PROT_WRITE;
	int fd = memfd_create("ring", 0);

	HOLDS(fd >= 0 && !ftruncate(fd, 2 * PAGE + SIZE));
	map = mmap(NULL, 6 * PAGE + 2 * SIZE, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	HOLDS(map != MAP_FAILED);
	HOLDS(mmap(map + PAGE, PAGE, prot, flags, fd, 0) != MAP_FAILED);
	HOLDS(mmap(map + 3 * PAGE, PAGE, prot, flags, fd, PAGE) != MAP_FAILED);
	HOLDS(mmap(map + 5 * PAGE, SIZE, prot, flags, fd, 2 * PAGE) !=
	      MAP_FAILED);
	HOLDS(mmap(map + 5 * PAGE + SIZE, SIZE, prot, flags, fd, 2 * PAGE) !=
	      MAP_FAILED);
	close(fd);
}

static struct ringbuf_page *page(void)
{
	return (void *)(map + PAGE);
}

static struct ringbuf_head *head_page(void)
{
	return (void *)(map + 3 * PAGE);
}

static unsigned char *data(void)
{
	return map + 5 * PAGE;
}

/* What a program does with a record that it is shown. */
static void touch(const struct ringbuf_entry *e)
{
	const unsigned char *p = e->data;
	uint32_t i;

	HOLDS(e->len);
	for (i = 0; i < e->len; i++)
		sink += __atomic_load_n(&p[i], __ATOMIC_RELAXED);
}

DEFINE_RINGBUF_TYPED(word, uint64_t);

/* Whatever the ring is. */
static void use(struct ringbuf_reader *r, uint8_t what)
{
	struct ringbuf_entry e;
	uint64_t w;
	int ret;

	switch (what % 8) {
	case 0:
		ret = ringbuf_read(r, &e);
		break;
	case 1:
		ret = word_next(r, &w);
		ret = ret == -EPROTO ? 0 : ret;
		e.len = 0;
		break;
	case 2:
		ret = ringbuf_arm(r);
		e.len = 0;
		break;
	case 3:
		ringbuf_release(r);
		return;
	case 4:
		ret = ringbuf_wait(r, 0);
		e.len = 0;
		break;
	default:
		ret = ringbuf_next(r, &e);
	}
	HOLDS(ret == 1 || ret == 0 || ret == -EBADMSG || ret == -ENODEV ||
	      ret == -ENODATA);
	if (ret == 1 && e.len) {
		if (whole(r)->page && what % 8)
			HOLDS((const unsigned char *)e.data + e.len <=
			      data() + 2 * SIZE);
		touch(&e);
	}
	if (what & 8)
		ringbuf_release(r);
}

static struct reader *new_reader(struct input *in)
{
	struct reader *r = calloc(1, sizeof(*r));
	uint8_t how = input_u8(in);

	HOLDS(r);
	r->fd = -1;
	r->size = SIZE;
	r->max_record = MAX_RECORD;
	r->reliable = how & 1;
	r->marked = how & 2;
	r->flags = how & 4 ? RINGBUF_READER_EOF : 0;
	r->pub.at = input_u8(in) & 1 ? input_u64(in) & ~7ULL : 0;
	r->pub.seq = input_u8(in) & 1 ? input_u64(in) : 0;
	r->pub.end = r->pub.at;
	/* Exactly as large as the real one, for ASan to see its end. */
	r->buffer_size = r->size / 4 + MIN_BUFFER;
	r->buffer = malloc(r->buffer_size);
	HOLDS(r->buffer);
	return r;
}

static void free_reader(struct reader *r)
{
	free(r->buffer);
	free(r);
}

/* Records as a writer would put them, as far as that goes. */
static void make_records(struct reader *r, struct input *in)
{
	uint64_t pos = r->pub.at, seq = r->pub.seq;
	struct ringbuf_record *rec;
	uint8_t n = input_u8(in) % 32;

	page()->tail = pos;
	while (n--) {
		rec = (void *)(data() + (pos & (SIZE - 1)));
		rec->len = 1 + input_u8(in);
		if (pos + RINGBUF_FRAME_SIZE(rec->len) - page()->tail > SIZE)
			break;
		rec->type = input_u8(in) % 4;
		rec->flags = 0;
		rec->seq = seq++;
		rec->time_ns = seq;
		pos += RINGBUF_FRAME_SIZE(rec->len);
	}
	head_page()->head = pos;
}

static void spoil(struct input *in, uint8_t what)
{
	uint64_t *words = (uint64_t *)page();
	uint64_t *ends[] = { (uint64_t *)&head_page()->head,
			     (uint64_t *)&page()->tail };
	uint16_t where = input_u16(in);
	struct ringbuf_record *rec =
		(void *)(data() + (page()->tail & (SIZE - 1) & ~7ULL));

	switch (what / 16) {
	case 0:
		words[where % (sizeof(struct ringbuf_page) / 8)] = input_u64(in);
		break;
	case 1 ... 2:
		*ends[what / 16 - 1] = input_u64(in);
		break;
	case 3:
		*ends[where % 2] += (int8_t)input_u8(in) * 8;
		break;
	case 4:
		page()->flags = where;
		break;
	case 5:
		rec->len = input_u32(in);
		break;
	case 6:
		rec->seq = input_u64(in);
		break;
	default:
		((uint64_t *)data())[where % (SIZE / 8)] = input_u64(in);
	}
}

static void fuzz_map(struct input *in)
{
	struct reader *r = new_reader(in);
	int i, ret;
	uint8_t what;

	memset(page(), 0, PAGE);
	memset(head_page(), 0, PAGE);
	memset(data(), 0, SIZE);
	input_bytes(in, page(), 32);
	/* A page that is none is refused; one that says what it has to is not. */
	ret = map_attach(r, page(), head_page(), data());
	HOLDS(ret == 0 || ret == -EBADMSG);
	page()->magic = RINGBUF_PAGE_MAGIC;
	page()->abi = RINGBUF_ABI;
	page()->struct_size = sizeof(*page());
	page()->data_size = SIZE;
	HOLDS(!map_attach(r, page(), head_page(), data()));
	make_records(r, in);
	for (i = 0; in->left && i < STEPS; i++) {
		what = input_u8(in);
		if (what & 128)
			spoil(in, what & 127);
		else
			use(&r->pub, what);
	}
	free_reader(r);
}

static void make_frames(struct input *in, int fd)
{
	struct ringbuf_record rec;
	unsigned char frame[320];
	uint64_t seq = 0;
	uint8_t n = input_u8(in) % 32, how;

	while (n--) {
		how = input_u8(in);
		memset(frame, how, sizeof(frame));
		memset(&rec, 0, sizeof(rec));
		rec.len = how & 1 ? 16 : 1 + input_u8(in) % 250;
		rec.flags = how & 1 ? RINGBUF_RECORD_LOST : 0;
		rec.seq = seq;
		seq += how & 1 ? how / 32 : 1;
		if (how % 16 == 15)
			input_bytes(in, &rec, sizeof(rec));
		memcpy(frame, &rec, sizeof(rec));
		input_bytes(in, frame + sizeof(rec), how & 2 ? 16 : 0);
		rec.len %= 256;
		if (write(fd, frame, RINGBUF_FRAME_SIZE(rec.len) -
			  (how & 64 ? how / 64 : 0)) < 0)
			break;
	}
}

static void fuzz_stream(struct input *in)
{
	struct reader *r = new_reader(in);
	uint64_t bytes, records;
	uint8_t what;
	int fds[2], i;

	HOLDS(!pipe2(fds, O_NONBLOCK));
	r->fd = fds[0];
	r->pub.mask = ~0ULL;
	r->pub.tail = &r->run;
	stream_drop(r);
	for (i = 0; in->left && i < STEPS; i++) {
		what = input_u8(in);
		if (what & 128)
			make_frames(in, fds[1]);
		else
			use(&r->pub, what);
		stream_lost(r, &bytes, &records);
		sink += stream_at_hand(r);
	}
	close(fds[0]);
	close(fds[1]);
	free_reader(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };

	if (!map)
		make_map();
	if (input_u8(&in) & 1)
		fuzz_stream(&in);
	else
		fuzz_map(&in);
	return 0;
}
