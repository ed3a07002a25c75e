#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# metrics.py: is stdin sound as text that Prometheus reads? Prints what is not, and
# with a list of samples on the command line, NAME{LABELS} VALUE, those that lack.
import re
import sys

NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
LABEL = rf'{NAME}="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
UNITS = {"bytes", "seconds", "records"}

bad = []
raw = sys.stdin.buffer.read()
try:
    text = raw.decode()
except UnicodeDecodeError as e:
    sys.exit(f"no UTF-8: {e}")
if not text.endswith("\n"):
    bad.append("the last line does not end")

kinds, helps, done, samples = {}, {}, set(), {}
current = None
for line in text.split("\n")[:-1]:
    if line.startswith("# "):
        _, word, name, rest = line.split(" ", 3)
        seen = {"HELP": helps, "TYPE": kinds}.get(word)
        if seen is None or name in seen:
            bad.append(f"what is this: {line}")
            continue
        seen[name] = rest
        if name in done:
            bad.append(f"samples of {name} before {word}")
        if word == "TYPE":
            current = name
            if rest not in ("counter", "gauge"):
                bad.append(f"{name}: no type {rest}")
            if (rest == "counter") != name.endswith("_total"):
                bad.append(f"{name}: a counter's name, and no other, ends in _total")
        continue
    match = SAMPLE.fullmatch(line)
    if not match:
        bad.append(f"no sample: {line!r}")
        continue
    name, labels, value = match.groups()
    done.add(name)
    if name != current:
        bad.append(f"{name}: a sample among those of {current}")
    if name not in helps or name not in kinds:
        bad.append(f"{name}: without HELP or TYPE")
    if (name, labels) in samples:
        bad.append(f"twice: {name}{{{labels}}}")
    samples[name, labels] = value
    try:
        float(value)
    except ValueError:
        bad.append(f"{name}: no number: {value}")
for name in kinds:
    if name not in done:
        bad.append(f"{name}: no sample")
for wanted in sys.argv[1:]:
    if wanted not in text.split("\n"):
        bad.append(f"lacks {wanted}")
print("\n".join(bad), end="\n" if bad else "")
sys.exit(bool(bad))
