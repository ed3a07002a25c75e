#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Counts what a publish executes, in a guest, by qemu's gdbstub and its log.

trace.py SOCKET LOG GUEST-OUTPUT RECORDS LISTING

The guest (kbench -t RECORDS) says where the marks are that enclose the publishes,
and whose are next. Between them qemu logs each instruction; each is looked up where
it is in memory, as the kernel has patched it, and counted by what it does. CSV to
stdout: contender and counts per record, with all that is between the marks, taking
the time twice, too. LISTING gets the instructions, and how often each was executed.
"""
import collections
import re
import socket
import subprocess
import sys
import tempfile
import time


class Stub:
    """The part of gdb's remote protocol that stepping takes."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.buf = b''
        self.ask('qSupported:multiprocess+')

    def receive(self):
        while True:
            m = re.search(rb'\$([^#]*)#[0-9a-f]{2}', self.buf)
            if m:
                self.buf = self.buf[m.end():]
                self.sock.sendall(b'+')
                return m.group(1).decode('latin-1')
            more = self.sock.recv(65536)
            if not more:
                sys.exit('trace.py: the guest is gone')
            self.buf += more

    def send(self, text):
        check = sum(text.encode()) & 0xff
        self.sock.sendall(f'${text}#{check:02x}'.encode())

    def ask(self, text):
        self.send(text)
        while True:
            reply = self.receive()
            # Of the stop that connecting was.
            if not reply.startswith('T') or text.startswith('vCont'):
                return reply

    def monitor(self, command):
        reply = self.ask('qRcmd,' + command.encode().hex())
        while reply.startswith('O') and reply != 'OK':
            reply = self.receive()
        if reply != 'OK':
            sys.exit(f'trace.py: {command}: {reply}')

    def memory(self, addr, size):
        return bytes.fromhex(self.ask(f'm{addr:x},{size:x}'))

    def breakpoint(self, what, addr):
        if self.ask(f'{what}0,{addr:x},1') != 'OK':
            sys.exit(f'trace.py: no breakpoint at {addr:#x}')


def run_to(stub, addr):
    """Returns the number of the CPU that got there."""
    stub.breakpoint('Z', addr)
    reply = stub.ask('vCont;c')
    stub.breakpoint('z', addr)
    thread = re.search(r'thread:(?:p[0-9a-f]+\.)?([0-9a-f]+)', reply)
    stub.ask('Hg' + re.search(r'thread:([^;]+)', reply).group(1))
    return int(thread.group(1), 16) - 1


def run_logged(stub, log, cpu, end):
    """How often each instruction is executed before the end is reached."""
    stub.monitor('singlestep on')
    stub.monitor('log exec,nochain')
    run_to(stub, end)
    stub.monitor('log none')
    stub.monitor('singlestep off')
    executed = re.compile(rf'Trace {cpu}: \S+ \[[0-9a-f]+/([0-9a-f]+)/')
    seen = collections.Counter()
    for line in log:
        m = executed.match(line)
        if m:
            seen[int(m.group(1), 16)] += 1
    del seen[end]
    return seen


def disassemble(stub, addrs):
    """The text of the instructions at these addresses."""
    order = sorted(addrs)
    with tempfile.NamedTemporaryFile() as code:
        for addr in order:
            # What follows an instruction may decode as anything, but not beyond.
            code.write(stub.memory(addr, 16) + b'\x90' * 16)
        code.flush()
        out = subprocess.run(
            ['objdump', '-D', '-b', 'binary', '-m', 'i386:x86-64',
             '--no-show-raw-insn', code.name],
            check=True, capture_output=True, text=True).stdout
    text = {}
    for line in out.splitlines():
        m = re.match(r'\s*([0-9a-f]+):\s+(.*\S)', line)
        if m and int(m.group(1), 16) % 32 == 0:
            text[order[int(m.group(1), 16) // 32]] = m.group(2)
    return text


PLAIN_LOADS = ('cmp', 'test', 'bt')
STORES_ALL = ('mov', 'set', 'movnti')


def classify(insn):
    """What an instruction does: a set of columns."""
    kinds = set()
    words = insn.replace('notrack ', '').split()
    locked = words[0] == 'lock'
    if locked:
        words = words[1:]
    op = words[0]
    operands = ' '.join(words[1:]).split('#')[0].strip()
    memory = '(' in operands or re.search(r'%[fg]s:', operands)
    if op.startswith('xchg') and memory:
        locked = True
    if locked:
        kinds.add('locked')
    if locked or op in ('mfence',):
        kinds.add('full_barrier')
    if op in ('cli', 'sti', 'pushf', 'popf', 'pushfq', 'popfq'):
        kinds.add('irq')
    if op.startswith('call'):
        kinds.add('call')
    if op.startswith(('push', 'call')):
        kinds.add('stack')
    elif op.startswith(('pop', 'ret', 'leave')):
        kinds.add('stack')
    elif memory and not op.startswith(('lea', 'nop', 'prefetch')):
        into = operands.endswith(')') or re.search(r',%[fg]s:[^,]*$|^%[fg]s:[^,]*$', operands)
        if op.startswith(PLAIN_LOADS) or not into:
            kinds.add('load')
        elif op.startswith(STORES_ALL):
            kinds.add('store')
        else:
            kinds |= {'load', 'store'}
    return kinds


COLUMNS = ('instructions', 'load', 'store', 'stack', 'call', 'irq', 'locked', 'full_barrier')


def wait_for(path, pattern):
    for _ in range(3000):
        with open(path, encoding='utf-8') as f:
            m = re.search(pattern, f.read(), re.M)
        if m:
            return m
        time.sleep(0.1)
    sys.exit(f'trace.py: the guest does not say {pattern}')


def count(seen, text):
    sums = collections.Counter()
    for addr, n in seen.items():
        sums['instructions'] += n
        for kind in classify(text[addr]):
            sums[kind] += n
    return sums


def write_listing(out, name, seen, text, records):
    out.write(f'== {name}\n')
    for addr in sorted(seen):
        kinds = ' '.join(sorted(classify(text[addr])))
        out.write(f'{addr:x} {seen[addr] / records:8.2f} {text[addr]:50} {kinds}\n')


def main():
    path, log, output, records = *sys.argv[1:4], int(sys.argv[4])
    m = wait_for(output, r'^trace (\S+) (\S+)\r?$')
    begin, end = int(m.group(1), 16), int(m.group(2), 16)
    stub = Stub(path)
    print('contender,' + ','.join(COLUMNS))
    with open(log, encoding='utf-8') as log, open(sys.argv[5], 'w', encoding='utf-8') as listing:
        while True:
            cpu = run_to(stub, begin)
            # What it has said last is whose turn it is.
            with open(output, encoding='utf-8') as said:
                name = re.findall(r'^next (.*?)\r?$', said.read(), re.M)[-1]
            if name == 'end':
                break
            seen = run_logged(stub, log, cpu, end)
            text = disassemble(stub, set(seen))
            sums = count(seen, text)
            print(name + ''.join(f',{sums[c] / records:.2f}' for c in COLUMNS), flush=True)
            write_listing(listing, name, seen, text, records)
    stub.ask('D;1')


if __name__ == '__main__':
    main()
