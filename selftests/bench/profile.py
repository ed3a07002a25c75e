#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""For profile.sh: a trace of addresses to tables of instructions per call.

    profile.py CASE PCS SYMBOLS MODULE CSV
    profile.py parts CSV...		of several cases, side by side

A call begins where the program enters the kernel by a system call and ends when it
is back. One in which an interrupt came is left out. Its name is that of the
program's function that makes it: in_write() makes write().
"""
import bisect
import collections
import csv as tables
import os
import re
import subprocess
import sys

KERNEL = 0xffff << 48
STRANGERS = ("asm_sysvec", "asm_exc", "asm_common_interrupt", "asm_spurious")
LEAST = 0.5		# instructions per call that a line of a table is for
# What is done for any file comes first.
PARTS = [
    ("entry and exit", r"(entry_|do_syscall|syscall_|x64_sys|__x64_|arch_exit|fpregs)"),
    ("files, in general", r"(vfs_|ksys_|rw_verify|fdget|fput|__fsnotify|fsnotify)"),
    ("security modules", r"(security_|apparmor_|aa_|bpf_lsm|__rcu_read_)"),
    ("copies", r"(_copy_|copy_|rep_movs|rep_stos|__check_object|.*iov_iter)"),
    ("times", r"(ktime_|read_tsc|timekeeping|current_time|timestamp_|touch_atime|"
              r"atime_|inode_|file_update|make_vfs|mnt_|generic_update|__mark_inode)"),
    ("locks and wakeups", r"(mutex_|_raw_spin|__wake|kill_fasync|__cond_resched|"
                          r"__mutex|.*_lock)"),
    ("its own", r""),
]


class Symbols:
    def __init__(self, path):
        self.rows = []
        with open(path) as f:
            for line in f:
                address, name, *module = line.split()
                self.rows.append((int(address, 16), name, module[0] if module else ""))
        self.rows.sort(key=lambda r: r[0])
        self.starts = [r[0] for r in self.rows]

    def find(self, pc):
        """(start, name, module)"""
        return self.rows[bisect.bisect_right(self.starts, pc) - 1]


class Program:
    """What it does itself, between its calls."""
    def __init__(self):
        self.counts = collections.Counter()
        self.rounds = 0

    def add(self, name, before):
        self.counts[name] += 1
        self.rounds += name == "in_write" != before


class Calls:
    """Of one kind."""
    def __init__(self):
        self.lengths = collections.Counter()
        self.pcs = collections.Counter()

    def __len__(self):
        return sum(self.lengths.values())

    def add(self, pcs):
        self.lengths[len(pcs)] += 1
        self.pcs.update(pcs)

    def mean(self):
        return sum(n * k for n, k in self.lengths.items()) / len(self)


def addresses(path):
    """One that is there twice was begun again, or is repeated by a prefix."""
    last = None
    with open(path) as f:
        for line in f:
            if line != last:
                yield int(line, 16)
            last = line


def calls_of(path, symbols, program):
    """{name: Calls}; the first of each kind may lack its beginning."""
    found = collections.defaultdict(Calls)
    names = {}
    pcs, here, odd = None, "", False
    begun = set()
    for pc in addresses(path):
        name = names.get(pc)
        if name is None:
            name = names[pc] = symbols.find(pc)[1]
        if pc < KERNEL:
            if pcs and not odd and here in begun:
                found[here].add(pcs)
            if pcs:
                begun.add(here)
            program.add(name, here)
            pcs, here = None, name
            continue
        if pcs is None:
            # What interrupts the program is none of its calls.
            pcs, odd = [], name != "entry_SYSCALL_64"
        pcs.append(pc)
        odd = odd or name.startswith(STRANGERS)
    return {n: c for n, c in found.items() if n.startswith("in_")}


def rows(counts, total, least=LEAST):
    for name, n in sorted(counts.items(), key=lambda x: (-x[1], x[0])):
        if n >= least:
            print(f"| {name:<48} | {n:12.1f} | {100 * n / total:6.1f} |")


def heads(title):
    print(f"\n| {title:<48} | {'instructions':>12} | {'%':>6} |")
    print(f"| :{'-' * 47} | {'-' * 11}: | {'-' * 5}: |")


def inlined(module, offsets):
    """{offset: functions, the innermost last}, as far as the debug information goes"""
    done = subprocess.run(["addr2line", "-a", "-i", "-f", "-e", module, "-j", ".text"],
                          input="\n".join(hex(o) for o in offsets), text=True,
                          capture_output=True)
    frames, here = {}, []
    for line in done.stdout.splitlines():
        if line.startswith("0x"):
            here = frames.setdefault(int(line, 16), [])
        else:
            here.append(line)
    return {o: f[::2][::-1] for o, f in frames.items() if f and f[0] != "??"}


def module_offsets(module):
    """{function: its place in the module's .text}"""
    done = subprocess.run(["nm", module], text=True, capture_output=True, check=True)
    rows_ = (line.split() for line in done.stdout.splitlines())
    return {r[2]: int(r[0], 16) for r in rows_ if len(r) == 3 and r[1] in "tT"}


def inside(calls, symbols, module):
    """Of the module's functions: which function that was put in line takes what."""
    starts = module_offsets(module)
    where = {}
    for pc in calls.pcs:
        start, name, owner = symbols.find(pc)
        if owner == "[ringbuf]" and name in starts:
            where[pc] = starts[name] + pc - start
    frames = inlined(module, sorted(set(where.values())))
    counts = collections.Counter()
    for pc, offset in where.items():
        chain = frames.get(offset)
        if chain:
            # Two are enough to know it by; helpers of the kernel's own are their users'.
            ours = [f for f in chain if f == chain[0] or not f.startswith("__")]
            name = ours[0] + ("" if len(ours) == 1 else ": " + " > ".join(ours[-2:])
                              if len(ours) > 2 else ": " + ours[-1])
            counts[name] += calls.pcs[pc] / len(calls)
    return counts


def tell(case, call, calls, symbols, module, csv):
    counts = collections.Counter()
    for pc, n in calls.pcs.items():
        counts[symbols.find(pc)[1]] += n / len(calls)
    total = calls.mean()
    heads(f"{case}, {call}()")
    rows(counts, total)
    print(f"| {'all':<48} | {total:12.1f} | {100:6.1f} |")
    usual, often = calls.lengths.most_common(1)[0]
    print(f"\n{len(calls)} calls of {min(calls.lengths)} to {max(calls.lengths)} "
          f"instructions, {often * 100 // len(calls)} % of them of {usual}.")
    for name, n in counts.items():
        csv.write(f"{call},{name},{n:.3f}\n")
    own = inside(calls, symbols, module)
    if own:
        heads(f"{case}, {call}(): in the module, put in line")
        rows(own, total, 4 * LEAST)


def parts(paths):
    columns = {}
    for path in paths:
        with open(path, newline="") as f:
            for call, function, n in list(tables.reader(f))[1:]:
                column = f"{os.path.basename(path)[:-4]}, {call}()"
                part = next(name for name, what in PARTS if re.match(what, function))
                counts = columns.setdefault(column, collections.Counter())
                counts[part] += float(n)
    print(f"\n| {'instructions of a call':<22} |" +
          "".join(f" {c:>16} |" for c in columns))
    print(f"| :{'-' * 21} |" + "".join(f" {'-' * (max(16, len(c)) - 1)}: |" for c in columns))
    for part in [name for name, _ in PARTS] + ["all"]:
        print(f"| {part:<22} |" + "".join(
            f" {sum(k.values()) if part == 'all' else k[part]:>{max(16, len(c))}.0f} |"
            for c, k in columns.items()))


def main():
    if sys.argv[1] == "parts":
        return parts(sys.argv[2:])
    case, pcs, table, module, csv = sys.argv[1:]
    symbols = Symbols(table)
    program = Program()
    found = calls_of(pcs, symbols, program)
    if not found or not all(len(c) for c in found.values()):
        sys.exit("profile.py: no system call of the program in the trace")
    with open(csv, "w") as out:
        out.write("call,function,instructions\n")
        for name in sorted(found, reverse=True):
            tell(case, name[3:], found[name], symbols, module, out)
    if "mapped" in case:
        heads(f"{case}: in the program")
        counts = {n: k / program.rounds for n, k in program.counts.items()}
        rows(counts, sum(counts.values()))


if __name__ == "__main__":
    main()
