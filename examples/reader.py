#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
# reader.py [DEVICE]: whole frames by read(), losses among them. No library.
import fcntl
import os
import struct
import sys

RINGBUF_IOC_SET_CONSUMER = 0x4020BC01  # of most architectures, see <linux/ioctl.h>
RINGBUF_CONSUMER_FRAMED = RINGBUF_RECORD_LOST = 1
RECORD = struct.Struct("=IHHQQ")  # len, type, flags, seq, time_ns

fd = os.open(sys.argv[1] if len(sys.argv) > 1 else "/dev/ringbuf", os.O_RDONLY)
framed = RINGBUF_CONSUMER_FRAMED
consumer = struct.pack("=IIIIQII", 32, framed, 0, 0, 0, framed, 0)  # mask: that alone
fcntl.ioctl(fd, RINGBUF_IOC_SET_CONSUMER, consumer)
while frames := os.read(fd, 1 << 20):  # a larger record would be EMSGSIZE
    at = 0
    while at < len(frames):
        size, _, flags, seq, _ = RECORD.unpack_from(frames, at)
        data = frames[at + RECORD.size : at + RECORD.size + size]
        if flags & RINGBUF_RECORD_LOST:
            print(f"lost {struct.unpack('=QQ', data)[0]} records")
        else:
            print(f"{seq}: {data.decode(errors='replace')}")
        at += (RECORD.size + size + 7) & ~7
    sys.stdout.flush()
