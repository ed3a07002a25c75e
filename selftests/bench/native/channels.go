// SPDX-License-Identifier: GPL-2.0
/*
 * Go channels, one for each reader, as a program for the bench (see procs.h).
 * Batches are channels of arrays. 64-byte records by value.
 */
package main

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

const bytes = 256 << 10 /* as RING_BYTES */
const ints = 256        /* as the ancestor's own benchmark has it */

type record [8]uint64

type tally struct {
	sum, next, bad uint64
}

func (t *tally) record(r *record) {
	t.bad |= r[0] ^ t.next
	t.next++
	t.sum += r[0] + r[1] + r[2] + r[3] + r[4] + r[5] + r[6] + r[7]
}

func (r *record) fill(n uint64) {
	for i := range r {
		r[i] = n + uint64(i)
	}
}

func (t *tally) check(records, sum uint64) {
	if t.next != records || t.bad != 0 || t.sum != sum {
		fmt.Fprintln(os.Stderr, "channels: wrong records")
		os.Exit(1)
	}
}

func sumOf(n uint64) uint64 {
	return n * (n - 1) / 2
}

/* One function for each size, since Go 1.18's generics know no array sizes. */
func single(readers int, records uint64) time.Duration {
	chans := make([]chan record, readers)
	tallies := make([]tally, readers)
	var wg sync.WaitGroup
	for i := range chans {
		chans[i] = make(chan record, bytes/64)
	}
	start := time.Now()
	for i := range chans {
		wg.Add(1)
		go func(c chan record, to *tally) {
			var t tally
			for t.next < records {
				r := <-c
				t.record(&r)
			}
			*to = t
			wg.Done()
		}(chans[i], &tallies[i])
	}
	var r record
	for n := uint64(0); n < records; n++ {
		r.fill(n)
		for _, c := range chans {
			c <- r
		}
	}
	wg.Wait()
	took := time.Since(start)
	for i := range tallies {
		tallies[i].check(records, 8*sumOf(records)+28*records)
	}
	return took
}

type batches interface {
	[16]record | [64]record
}

func consume[B batches](c chan B, records uint64, to *tally, wg *sync.WaitGroup) {
	var t tally
	for t.next < records {
		b := <-c
		for i := 0; i < len(b); i++ {
			t.record(&b[i])
		}
	}
	*to = t
	wg.Done()
}

func batched[B batches](readers int, records uint64) time.Duration {
	chans := make([]chan B, readers)
	tallies := make([]tally, readers)
	var wg sync.WaitGroup
	var b B
	for i := range chans {
		chans[i] = make(chan B, bytes/64/len(b))
	}
	start := time.Now()
	for i := range chans {
		wg.Add(1)
		go consume(chans[i], records, &tallies[i], &wg)
	}
	for n := uint64(0); n < records; {
		for i := 0; i < len(b); i++ {
			b[i].fill(n)
			n++
		}
		for _, c := range chans {
			c <- b
		}
	}
	wg.Wait()
	took := time.Since(start)
	for i := range tallies {
		tallies[i].check(records, 8*sumOf(records)+28*records)
	}
	return took
}

func sequential(records uint64) time.Duration {
	var t tally
	c := make(chan uint64, ints)
	start := time.Now()
	for n := uint64(0); n < records; n++ {
		c <- n
		m := <-c
		t.bad |= m ^ t.next
		t.next++
		t.sum += m
	}
	took := time.Since(start)
	t.check(records, sumOf(records))
	return took
}

func concurrent(records uint64) time.Duration {
	var t tally
	c := make(chan uint64, ints)
	done := make(chan bool)
	start := time.Now()
	go func() {
		for n := uint64(0); n < records; n++ {
			m := <-c
			t.bad |= m ^ t.next
			t.next++
			t.sum += m
		}
		done <- true
	}()
	for n := uint64(0); n < records; n++ {
		c <- n
	}
	<-done
	took := time.Since(start)
	t.check(records, sumOf(records))
	return took
}

func run(shape string, readers, batch int, records uint64) time.Duration {
	switch {
	case shape == "sequential":
		return sequential(records)
	case shape == "concurrent":
		return concurrent(records)
	case batch == 1:
		return single(readers, records)
	case batch == 16:
		return batched[[16]record](readers, records)
	default:
		return batched[[64]record](readers, records)
	}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	for {
		var shape string
		var readers, batch int
		var records uint64
		_, err := fmt.Fscan(in, &shape, &readers, &batch, &records)
		if err != nil {
			return
		}
		fmt.Println(run(shape, readers, batch, records).Nanoseconds())
	}
}
