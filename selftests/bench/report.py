#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""From CSV (setting,case,contender,round,ns) to tables, plots and verdicts.

    report.py tables CSV            Markdown: all that was measured by system calls
    report.py goals CSV             Markdown: the goals, met or not
    report.py readme CSV            Markdown: what fits into the README
    report.py plots CSV DIRECTORY   SVG, by gnuplot
    report.py ref CSV MACHINE       what `check` compares with
    report.py check CSV REF MACHINE TAP: has a ratio become worse than its noise?

Ratios are taken within a round, where all take turns: the machine may be slower
in one round than in another, but hardly so for one contender only.
"""
import csv
import fnmatch
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKS = 3		# of rounds, that tell how far a median is to be trusted
FLOOR = {"icount": 0.005}	# no noise is believed to be less
WALL_FLOOR = 0.05
STRANGE = 0.04		# more, for instructions, with another compiler or kernel
TIMES = 3		# of its noise: what is not worse yet
SETTINGS = {
    "native": "natively", "uml": "in a kernel that is a process",
    "vm": "in a guest, emulated: time", "icount": "in a guest: instructions",
}


def die(text):
    sys.exit(f"report.py: {text}")


def load(path):
    """{(setting, case): {contender: {round: ns}}}"""
    data = {}
    with open(path, newline="") as f:
        rows = csv.reader(f)
        if next(rows, None) != ["setting", "case", "contender", "round", "ns"]:
            die(f"{path} has not the columns it should have")
        for setting, case, contender, turn, ns in rows:
            contenders = data.setdefault((setting, case), {})
            contenders.setdefault(contender, {})[int(turn)] = float(ns)
    return data


def quartiles(values):
    values = sorted(values)
    n = len(values)
    return values[n // 4], values[n // 2], values[n * 3 // 4]


def ratios(contenders, one, other):
    """Of the rounds that have both, in their order."""
    a, b = contenders.get(one, {}), contenders.get(other, {})
    return [a[r] / b[r] for r in sorted(a) if r in b and b[r] > 0]


def noise(values, setting):
    """How far the medians of parts of the rounds are from each other."""
    floor = FLOOR.get(setting, WALL_FLOOR)
    parts = [values[i * len(values) // BLOCKS:(i + 1) * len(values) // BLOCKS]
             for i in range(BLOCKS)]
    medians = [statistics.median(p) for p in parts if p]
    if len(medians) < 2:
        return floor
    return max(floor, (max(medians) - min(medians)) / statistics.median(values))


class Gate:
    def __init__(self, setting, case, one, other, goal=None):
        self.key = (setting, case, one, other)
        self.setting, self.case, self.one, self.other = self.key
        self.goal = goal

    def values(self, data):
        return ratios(data.get((self.setting, self.case), {}), self.one, self.other)

    def __str__(self):
        return f"{self.setting}, {self.case}: {self.one} of {self.other}"


def lines(path):
    with open(path, newline="") as f:
        yield from csv.reader(line for line in f if not line.startswith("#"))


def contenders(data, setting, case, pattern):
    if "*" not in pattern:
        return [pattern]
    return [c for c in data.get((setting, case), {}) if fnmatch.fnmatchcase(c, pattern)]


def gates(data):
    """All that gates.csv means, each once; with a goal if there is one."""
    found = {}
    for settings, case, one, other, goal in lines(os.path.join(HERE, "gates.csv")):
        for setting in settings.split():
            names = [c for s, c in data if s == setting and fnmatch.fnmatchcase(c, case)]
            for name in names or ([case] if goal else []):
                for who in contenders(data, setting, name, one):
                    gate = Gate(setting, name, who, other, float(goal) if goal else None)
                    found.setdefault(gate.key, gate)
    return list(found.values())


def number(x):
    if x >= 100:
        return f"{x:.0f}"
    return f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def table(heads, rows):
    """Markdown, as wide as it needs to be; the first column is text."""
    width = [max(len(str(r[i])) for r in [heads] + rows) for i in range(len(heads))]
    out = ["| " + " | ".join(str(h).ljust(w) if not i else str(h).rjust(w)
                             for i, (h, w) in enumerate(zip(heads, width))) + " |",
           "| " + " | ".join((":" + "-" * (w - 1)) if not i else ("-" * (w - 1) + ":")
                             for i, w in enumerate(width)) + " |"]
    for row in rows:
        out.append("| " + " | ".join(str(c).ljust(w) if not i else str(c).rjust(w)
                                     for i, (c, w) in enumerate(zip(row, width))) + " |")
    return "\n".join(out) + "\n"


def base_of(contenders):
    return "pipe" if "pipe" in contenders else None


def cells(contenders, name, base):
    """Ratio, its middle half, ns, theirs."""
    if name not in contenders:
        return ["", "", "", ""]
    low, mid, high = quartiles(list(contenders[name].values()))
    ns = [number(mid), f"{number(low)} - {number(high)}"]
    values = ratios(contenders, name, base) if base else []
    if not values:
        return ["", ""] + ns
    low, mid, high = quartiles(values)
    return [f"{mid:.3f}", f"{low:.3f} - {high:.3f}"] + ns


def order(contenders):
    """By the median, the base first."""
    base = base_of(contenders)
    return sorted(contenders, key=lambda c: (
        c != base, statistics.median(contenders[c].values())))


def case_table(data, case):
    vm, icount = data.get(("vm", case), {}), data.get(("icount", case), {})
    base = base_of(vm or icount)
    heads = [case, "to pipe", "middle half", "ns", "middle half",
             "to pipe", "instructions"]
    rows = []
    for name in order(vm or icount):
        counted = cells(icount, name, base)
        rows.append([name] + cells(vm, name, base) + [counted[0], counted[2]])
    if not vm:
        heads, rows = [heads[:1] + heads[5:]] + [[r[:1] + r[5:] for r in rows]]
    elif not icount or case.endswith(("p99", "p99.9")):
        heads, rows = [heads[:5]] + [[r[:5] for r in rows]]
    return table(heads, rows)


def syscall_cases(data):
    seen = []
    for setting, case in data:
        if setting in ("vm", "icount") and case not in seen and \
           case.startswith(("write + read", "read:", "wake:")):
            seen.append(case)
    kinds = ["write + read: 1", "write + read: 2", "write + read: 4", "write + read: 8",
             "write + read: 64", "read:", "wake: 2 CPUs", "wake: 1 CPU"]
    return sorted(seen, key=lambda c: (
        next((i for i, k in enumerate(kinds) if c.startswith(k)), 99), len(c), c))


def tables(data):
    return "\n".join(case_table(data, case) for case in syscall_cases(data))


def goals(data):
    rows = []
    settings = {s for s, _ in data}
    for gate in gates(data):
        if gate.goal is None or gate.setting not in settings:
            continue
        values = gate.values(data)
        what = f"{gate.case}: {gate.one}"
        if not values:
            rows.append([what, gate.other, gate.setting, gate.goal, "-", "-", "not measured"])
            continue
        low, mid, high = quartiles(values)
        met = "yes" if mid <= gate.goal else "no"
        if gate.setting != "icount" and low <= gate.goal <= high:
            met += ", within the spread"
        rows.append([what, gate.other, gate.setting, gate.goal, f"{mid:.3f}",
                     f"{low:.3f} - {high:.3f}", met])
    return table(["ringbuf", "of", "setting", "goal", "median", "middle half", "met"], rows)


def readme(data):
    """The least that tells the story: time and instructions, of a pipe."""
    def pick(case, names):
        rows = []
        for name in names:
            row = [name]
            for setting in ("vm", "icount"):
                contenders = data.get((setting, case), {})
                row += [cells(contenders, name, "pipe")[i] for i in (0, 2)]
            if any(row[1:]):
                rows.append(row)
        return table([case, "of a pipe's time", "ns", "of its instructions",
                      "instructions"], rows)
    return "\n".join([
        pick("write + read: 1 reader", [
            "pipe", "SOCK_SEQPACKET", "POSIX mq", "eventfd (8 bytes)", "/dev/kmsg",
            "BPF ringbuf", "ringbuf read()", "ringbuf mapped"]),
        pick("write + read: 4 readers", [
            "pipe", "SOCK_SEQPACKET", "POSIX mq", "/dev/kmsg", "BPF ringbuf",
            "ringbuf read()", "ringbuf mapped", "ringbuf mapped + 64 idle"]),
        pick("read: 640 are there", [
            "pipe", "pipe 64 KiB read()", "ringbuf FRAMED read()", "ringbuf mapped"]),
        pick("wake: 2 CPUs p50", ["pipe", "POSIX mq", "ringbuf read()"]),
    ])


STYLE = """set terminal svg size 760,{height} noenhanced font "sans-serif,12" background "white"
set output "{out}"
set title "{title}"
set key outside top horizontal
set grid {grid} lc "#cccccc"
"""


GREENS = ["#1b6e2f", "#5fb36f", "#a3d9ad"]
COLORS = ["#c0392b", "#2e6da4", "#e08e0b", "#7d3c98", "#16a085", "#7f8c8d", "#8d6e63",
          "#d81b60", "#34495e"]


def gnuplot(path, title, script, height=360, grid="x"):
    text = STYLE.format(out=path, title=title, height=height, grid=grid) + script
    done = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True)
    if done.returncode or not os.path.getsize(path):
        die(f"gnuplot: {done.stderr}")
    return os.path.basename(path)


def quoted(name):
    return '"' + name.replace('"', "") + '"'


def bars(path, title, rows, unit):
    """rows: (name, low, median, high); the first one on top."""
    text = "$d << EOD\n"
    for i, (name, low, mid, high) in enumerate(reversed(rows)):
        color = "0x2a7f3f" if name.startswith("ringbuf") else "0x7f8fa6"
        text += f"{i} {quoted(name)} {mid:.4f} {low:.4f} {high:.4f} {color}\n"
    text += f"""EOD
unset key
set style fill solid 0.9
set xlabel "{unit}"
set xrange [0:*]
set yrange [-0.6:{len(rows) - 0.4}]
plot $d using ($3/2):1:($3/2):(0.35):6:ytic(2) with boxxyerror lc rgb variable, \\
     $d using 3:1:4:5 with xerrorbars pt 0 lc "black"
"""
    return gnuplot(path, title, text, height=110 + 24 * len(rows))


def curves(path, title, series, xlabel, ylabel, ticks):
    """series: {name: [(x, low, median, high)]}"""
    text, plots = "", []
    others = iter(COLORS * 2)
    greens = iter(GREENS * 2)
    last = sorted(series.items(), key=lambda x: -x[1][-1][2])
    for i, (name, points) in enumerate(last):
        text += f"$s{i} << EOD\n" + "".join(
            f"{x} {mid:.4f} {low:.4f} {high:.4f}\n" for x, low, mid, high in points) + "EOD\n"
        ours = name.startswith("ringbuf")
        look = f"lc '{next(greens) if ours else next(others)}' lw {3 if ours else 1.5}"
        plots.append(f"$s{i} using 1:2:3:4 with yerrorlines {look} pt {i % 13 + 1} ps 0.6 "
                     f"title {quoted(name)}")
    text += f"""set logscale xy
set xtics ({ticks})
set format y "%.0f"
set xrange [*<0.9:*]
set xlabel "{xlabel}"
set ylabel "{ylabel}"
set key outside right vertical
plot {", ".join(plots)}
"""
    return gnuplot(path, title, text, height=440, grid="y")


def plots(data, out):
    made = []
    for setting in ("vm", "icount"):
        unit = "of a pipe's " + ("time" if setting == "vm" else "instructions")
        for case, name in (("write + read: 1 reader", "single"),
                           ("read: 640 are there", "backlog"),
                           ("wake: 2 CPUs p50", "wake-p50"), ("wake: 2 CPUs p99", "wake-p99")):
            contenders = data.get((setting, case), {})
            rows = [(c,) + quartiles(ratios(contenders, c, "pipe"))
                    for c in order(contenders) if ratios(contenders, c, "pipe")]
            if rows and not (setting == "icount" and name == "wake-p99"):
                made.append(bars(f"{out}/{name}-{setting}.svg",
                                 f"{case}, 64 bytes ({SETTINGS[setting]})", rows, unit))
    series = {}
    for n in (1, 2, 4, 8):
        contenders = data.get(("vm", f"write + read: {n} reader{'s' * (n > 1)}"), {})
        for c, rounds in contenders.items():
            if c in ("eventfd (8 bytes)", "pipe O_DIRECT") or "idle" in c:
                continue
            series.setdefault(c, []).append((n,) + quartiles(list(rounds.values())))
    if series:
        made.append(curves(f"{out}/readers-vm.svg", "One record of 64 bytes to all readers "
                           "(in a guest, emulated)", series, "readers", "ns",
                           '"1" 1, "2" 2, "4" 4, "8" 8'))
    for setting in ("uml", "icount"):
        contenders = data.get((setting, "publish-64"), {})
        rows = [(c,) + quartiles(list(contenders[c].values()))
                for c in sorted(contenders, key=lambda c: statistics.median(
                    contenders[c].values())) if not c.startswith("part:")]
        if rows:
            made.append(bars(f"{out}/kernel-{setting}.svg",
                             f"Publish 64 bytes in the kernel ({SETTINGS[setting]})", rows,
                             "instructions" if setting == "icount" else "ns"))
    for readers in (1, 4):
        series = {}
        for batch in (1, 16, 64):
            case = f"broadcast: {readers} reader{'s' * (readers > 1)} {batch} at once"
            for c, rounds in data.get(("native", case), {}).items():
                if c == "memcpy on one CPU" or c.startswith(("dirty", "cache line")):
                    continue
                series.setdefault(c, []).append((batch,) + quartiles(list(rounds.values())))
        if series:
            made.append(curves(f"{out}/native-{readers}.svg", f"A record of 64 bytes to "
                               f"{readers} reader{'s' * (readers > 1)}, natively", series,
                               "records at once", "ns per record",
                               '"1" 1, "16" 16, "64" 64'))
    return "\n".join(made)


def text_of(path):
    with open(path) as f:
        return f.read().strip()


def ref(data, machine):
    out = ["# SPDX-License-Identifier: GPL-2.0",
           "# Measured ratios and how far to trust them: see report.py. By make bench-docs.",
           "# toolchain: " + text_of(machine)]
    for gate in gates(data):
        values = gate.values(data)
        if values:
            out.append(",".join([*gate.key, f"{statistics.median(values):.4f}",
                                 f"{noise(values, gate.setting):.4f}"]))
    return "\n".join(out)


def verdict(gate, data, known, strange):
    """(state, text)"""
    values = gate.values(data)
    if gate.key not in known:
        return "skip", "not in the reference"
    if not values:
        return "missing", "not measured"
    was, off = known[gate.key]
    now, off_now = statistics.median(values), noise(values, gate.setting)
    limit = was * (1 + TIMES * off)
    if gate.setting == "icount" and strange:
        limit += was * STRANGE
    # What this run is not sure of itself is no proof.
    sure = now if gate.setting == "icount" else now * (1 - off_now)
    text = f"{now:.3f}, reference {was:.3f}, limit {limit:.3f}"
    return ("worse" if sure > limit else "ok"), text


def check(data, path, machine):
    known = {tuple(r[:4]): (float(r[4]), float(r[5])) for r in lines(path)}
    strange = "# toolchain: " + text_of(machine) not in open(path).read()
    settings = {s for s, _ in data}
    count, bad = 0, 0
    if strange:
        print("# another compiler or kernel than the reference's: "
              f"{STRANGE:.0%} more are allowed in instructions")
    wanted = {g.key: g for g in gates(data)}
    for key in known:
        wanted.setdefault(key, Gate(*key))
    for gate in wanted.values():
        if gate.setting not in settings:
            continue
        state, text = verdict(gate, data, known, strange)
        count += 1
        # Another system may lack a queue to compare with, but not the ring.
        ring = data.get((gate.setting, gate.case), {}).get(gate.one)
        if state == "missing" and ring:
            state, text = "skip", f"{gate.other} is not here"
        if state == "skip":
            print(f"ok {count} {gate} # SKIP {text}")
            continue
        bad += state != "ok"
        print(f"{'' if state == 'ok' else 'not '}ok {count} {gate}: {text}")
    print(f"1..{count}")
    if not count:
        die("nothing was compared")
    return bad == 0


def main():
    if len(sys.argv) < 3:
        die(__doc__)
    what, path, *rest = sys.argv[1:]
    data = load(path)
    if what == "check":
        sys.exit(0 if check(data, *rest) else 1)
    print({"tables": tables, "goals": goals, "readme": readme, "plots": plots,
           "ref": ref}[what](data, *rest))


if __name__ == "__main__":
    main()
