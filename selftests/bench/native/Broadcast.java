// SPDX-License-Identifier: GPL-2.0
/*
 * LMAX Disruptor: one ring of 64-byte events and a BatchEventProcessor for each
 * reader, as a program for the bench (see procs.h).
 */

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.YieldingWaitStrategy;
import java.util.Scanner;
import java.util.concurrent.CountDownLatch;

public class Broadcast {
	static final int RECORDS = (256 << 10) / 64;	/* as RING_BYTES */

	static final class Event {
		long w0, w1, w2, w3, w4, w5, w6, w7;

		void fill(long n) {
			w0 = n;
			w1 = n + 1;
			w2 = n + 2;
			w3 = n + 3;
			w4 = n + 4;
			w5 = n + 5;
			w6 = n + 6;
			w7 = n + 7;
		}
	}

	static final class Reader implements EventHandler<Event> {
		final long records;
		final boolean numbers;
		final CountDownLatch done;
		long sum, next, bad;

		Reader(long records, boolean numbers, CountDownLatch done) {
			this.records = records;
			this.numbers = numbers;
			this.done = done;
		}

		public void onEvent(Event e, long sequence, boolean last) {
			bad |= e.w0 ^ next;
			if (numbers)
				sum += e.w0;
			else
				sum += e.w0 + e.w1 + e.w2 + e.w3 +
				       e.w4 + e.w5 + e.w6 + e.w7;
			if (++next == records)
				done.countDown();
		}

		void check() {
			long expected = records * (records - 1) / 2;

			if (!numbers)
				expected = 8 * expected + 28 * records;
			if (bad != 0 || next != records || sum != expected) {
				System.err.println("Disruptor: wrong records");
				System.exit(1);
			}
		}
	}

	static void produce(RingBuffer<Event> ring, int batch, long records) {
		for (long n = 0; n < records;) {
			long high = ring.next(batch);
			long low = high - batch + 1;

			for (long s = low; s <= high; s++)
				ring.get(s).fill(n++);
			ring.publish(low, high);
		}
	}

	static void produceNumbers(RingBuffer<Event> ring, long records) {
		for (long n = 0; n < records; n++) {
			long s = ring.next();

			ring.get(s).w0 = n;
			ring.publish(s);
		}
	}

	static long run(boolean numbers, int readers, int batch, long records)
			throws InterruptedException {
		boolean share = readers >= Runtime.getRuntime().availableProcessors();
		WaitStrategy wait = share ? new YieldingWaitStrategy()
					  : new BusySpinWaitStrategy();
		RingBuffer<Event> ring = RingBuffer.createSingleProducer(
				Event::new, RECORDS, wait);
		SequenceBarrier barrier = ring.newBarrier();
		CountDownLatch done = new CountDownLatch(readers);
		Reader[] handlers = new Reader[readers];
		Thread[] threads = new Thread[readers];
		@SuppressWarnings({"unchecked", "rawtypes"})
		BatchEventProcessor<Event>[] processors =
				new BatchEventProcessor[readers];

		for (int i = 0; i < readers; i++) {
			handlers[i] = new Reader(records, numbers, done);
			processors[i] = new BatchEventProcessor<>(ring, barrier,
								  handlers[i]);
			ring.addGatingSequences(processors[i].getSequence());
			threads[i] = new Thread(processors[i]);
			threads[i].start();
		}
		while (!running(processors))
			Thread.yield();
		long start = System.nanoTime();
		if (numbers)
			produceNumbers(ring, records);
		else
			produce(ring, batch, records);
		done.await();
		long took = System.nanoTime() - start;

		for (int i = 0; i < readers; i++) {
			processors[i].halt();
			threads[i].join();
			handlers[i].check();
		}
		return took;
	}

	static boolean running(BatchEventProcessor<Event>[] processors) {
		for (BatchEventProcessor<Event> p : processors)
			if (!p.isRunning())
				return false;
		return true;
	}

	public static void main(String[] args) throws InterruptedException {
		Scanner in = new Scanner(System.in);

		/* What the compiler makes of it comes with use. */
		for (int i = 0; i < 3; i++) {
			run(false, 1, 1, 200000);
			run(false, 1, 16, 200000);
			run(true, 1, 1, 200000);
		}
		System.out.println("ready");
		while (in.hasNext()) {
			String shape = in.next();
			int readers = in.nextInt(), batch = in.nextInt();
			long records = in.nextLong();

			if (shape.equals("sequential"))
				System.out.println("unsupported");
			else
				System.out.println(run(shape.equals("concurrent"),
						       readers, batch, records));
		}
	}
}
