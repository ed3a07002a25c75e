#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Parses what text_fuzz printed: JSON, and that of the payload it came from."""
import json
import sys

lines = objects = strings = 0
for line in sys.stdin.buffer:
    hexa, text = line.rstrip(b"\n").split(b"\t", 1)
    value = json.loads(text.decode("utf-8"))
    lines += 1
    if hexa == b"-":
        assert value["event"] in ("fork", "exec", "exit") and value["seq"] == 1
        objects += 1
        continue
    payload = bytes.fromhex(hexa.decode())
    try:
        wanted = payload.decode("utf-8")
        strings += 1
    except UnicodeDecodeError:
        wanted = payload.hex()
    assert value == wanted, (value, wanted)
print(f"{lines} lines, {strings} strings, {objects} events")
sys.exit(not (strings and objects and lines > strings + objects))
