// SPDX-License-Identifier: GPL-2.0

// stream WAY [DEVICE]: copies what it reads to stdout, in one of Go's ways to read.
// From DEVICE, which it opens, without an end; else from stdin.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(f *os.File, size int) {
	buf := make([]byte, size)
	for {
		n, err := f.Read(buf)
		os.Stdout.Write(buf[:n])
		if err == io.EOF {
			return
		}
		check(err)
	}
}

func scan(f *os.File, max int) error {
	s := bufio.NewScanner(f)
	if max > 0 {
		s.Buffer(nil, max)
	}
	for s.Scan() {
		fmt.Println(s.Text())
	}
	return s.Err()
}

// openEnds opens a device as os.Open does, which lets Go's poller wait for it, and has it
// end when all is read.
func openEnds(path string) *os.File {
	f, err := os.Open(path)
	check(err)
	conn, err := f.SyscallConn()
	check(err)
	// struct ringbuf_consumer: flags and mask are RINGBUF_CONSUMER_EOF.
	eof := [8]uint32{32, 4, 0, 0, 0, 0, 4, 0}
	var errno syscall.Errno
	check(conn.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, 0x4020bc01,
			uintptr(unsafe.Pointer(&eof)))
	}))
	if errno != 0 {
		check(errno)
	}
	return f
}

// drain reads all that is there, and sees a deadline pass.
func drain(f *os.File) {
	buf := make([]byte, 4096)
	for {
		check(f.SetReadDeadline(time.Now().Add(500 * time.Millisecond)))
		n, err := f.Read(buf)
		os.Stdout.Write(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		check(err)
	}
}

// closeBlocked closes a file that a goroutine reads.
func closeBlocked(f *os.File) {
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			os.Stdout.Write(buf[:n])
			if errors.Is(err, os.ErrClosed) {
				return
			}
			check(err)
		}
	}()
	time.Sleep(500 * time.Millisecond)
	check(f.Close())
	wg.Wait()
}

func main() {
	f := os.Stdin
	switch os.Args[1] {
	case "Read":
		read(f, 512)
	case "Scanner":
		check(scan(f, 1<<20))
	case "Scanner, 64 KiB":
		check(scan(f, 0))
	case "ReadAll":
		all, err := io.ReadAll(f)
		check(err)
		os.Stdout.Write(all)
	case "Copy":
		_, err := io.Copy(os.Stdout, f)
		check(err)
	case "ReadString":
		r := bufio.NewReader(f)
		for {
			line, err := r.ReadString('\n')
			fmt.Print(line)
			if err == io.EOF {
				return
			}
			check(err)
		}
	case "Open, Read":
		read(openEnds(os.Args[2]), 512)
	case "Open, ReadAll":
		all, err := io.ReadAll(openEnds(os.Args[2]))
		check(err)
		os.Stdout.Write(all)
	case "Deadline":
		f, err := os.Open(os.Args[2])
		check(err)
		drain(f)
	case "Close":
		f, err := os.Open(os.Args[2])
		check(err)
		closeBlocked(f)
	case "Seek":
		// Go does that for some calls, to see where it is.
		if at, err := f.Seek(0, io.SeekCurrent); err == nil {
			check(fmt.Errorf("it has a position: %d", at))
		}
		read(f, 512)
	default:
		check(errors.New("no such way"))
	}
}
