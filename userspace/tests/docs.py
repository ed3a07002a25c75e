#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""docs.py OUT [TREE]: takes the commands and the C programs out of the documentation.

A command is a line of an indented block of a .md file, of one below "::" in a .rst
file, or of a display in the EXAMPLES of ringbuf(1). Before each block, in a comment,

    run: WHERE [needs PROGRAM...]
    first: COMMAND      before the block
    then: COMMAND       behind it: has it done what it says?
    until: COMMAND      as if "until ^C" stood behind it

where WHERE is host, in a copy of the tree; guest, with a fresh /dev/ringbuf; or
guest-bare, with no module. What goes on until somebody stops it says so: "until ^C".
Commands that are not run stand in docs.skip, with the reason.

Writes OUT/host.sh and OUT/guest.sh, calls of functions that docs.sh defines; OUT/c/,
the programs: blocks of C that begin with their name; and OUT/broken, what is wrong
with the pages themselves.
"""
import glob
import os
import re
import shlex
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))


class Block:
    def __init__(self, where, plan):
        self.where = where
        self.lines = []
        self.place, self.needs, self.first, self.then, self.until = None, [], [], [], []
        for line in plan:
            word, _, rest = line.strip().partition(": ")
            if word == "run":
                self.place, _, needs = rest.partition(" needs ")
                self.needs = needs.split()
            elif word == "until":
                self.until.append(rest)
            elif word in ("first", "then"):
                getattr(self, word).append(rest)


def indented(line):
    return line.startswith(("    ", "\t"))


def take(lines, i, more=indented):
    """The indented lines from @i on, and where they end."""
    found = []
    while i < len(lines) and not lines[i].strip():
        i += 1
    while i < len(lines) and (not lines[i].strip() or more(lines[i])):
        found.append(lines[i])
        i += 1
    return textwrap.dedent("\n".join(found)).split("\n"), i


def deeper(line):
    """What is indented more than this line."""
    depth = len(line.expandtabs()) - len(line.expandtabs().lstrip())
    return lambda x: len(x.expandtabs()) - len(x.expandtabs().lstrip()) > depth


def markdown(name, lines):
    shell, programs, plan, i, inside = [], [], [], 0, False
    blank = True
    while i < len(lines):
        line = lines[i]
        if line.startswith("```"):
            end = lines.index("```", i + 1)
            if line == "```c":
                programs.append(lines[i + 1 : end])
            i, blank = end + 1, False
        elif line.startswith("<!--"):
            end = i
            while "-->" not in lines[end]:
                end += 1
            text = "\n".join(lines[i : end + 1]).replace("<!--", "").replace("-->", "")
            plan = [x for x in text.split("\n") if x.strip()]
            i, blank = end + 1, True
        elif blank and indented(line) and not inside:
            block = Block(f"{name}:{i + 1}", plan)
            block.lines, i = take(lines, i)
            shell.append(block)
            plan, blank = [], True
        else:
            inside = line.startswith(("- ", "  ")) and bool(line.strip())
            blank = not line.strip()
            plan = plan if blank else []
            i += 1
    return shell, programs


def rst(name, lines):
    shell, programs, plan, i = [], [], [], 0
    while i < len(lines):
        line = lines[i]
        if line.lstrip().startswith(".. code-block:: "):
            found, i = take(lines, i + 1, deeper(line))
            if line.endswith(":: c"):
                programs.append(found)
            elif line.endswith((":: sh", ":: console", ":: bash")):
                raise SystemExit(f"{name}:{i}: shell stands below ::")
        elif line.startswith(".. run: "):
            plan = [line[3:]]
            i += 1
            while lines[i].startswith("   "):
                plan.append(lines[i])
                i += 1
        elif line.rstrip().endswith("::") and not line.startswith(".. "):
            block = Block(f"{name}:{i + 1}", plan)
            block.lines, i = take(lines, i + 1, deeper(line))
            shell.append(block)
            plan = []
        else:
            i += 1
    return shell, programs


def mdoc(name, lines):
    shell, plan, i, examples = [], [], 0, False
    while i < len(lines):
        line = lines[i]
        if line.startswith(".Sh "):
            examples = line == ".Sh EXAMPLES"
        elif line.startswith('.\\" run: ') or (plan and line.startswith('.\\" ')):
            plan.append(line[4:])
        elif examples and line.startswith(".Bd -literal"):
            block = Block(f"{name}:{i + 1}", plan)
            end = lines.index(".Ed", i)
            block.lines = [x.replace("\\-", "-").replace("\\e", "\\") for x in lines[i + 1 : end]]
            # C is compiled by man.sh.
            if not any(x.startswith("#include") for x in block.lines):
                shell.append(block)
            plan, i = [], end
        i += 1
    return shell, []


def complete(text):
    done = subprocess.run(["bash", "-n", "-c", text], stderr=subprocess.PIPE, check=False)
    return not done.returncode and not done.stderr and not text.endswith("\\")


def commands(block):
    """Several lines of it may be one."""
    text = ""
    for line in block.lines:
        text += line + "\n"
        if complete(text[:-1]):
            if text.strip():
                yield text.strip()
            text = ""
    if text.strip():
        raise SystemExit(f"{block.where}: no end of: {text}")


def plain(command):
    """Without a comment behind it."""
    return re.sub(r"\s{2,}# .*$", "", command).strip()


def page_of(block):
    return block.where.split(":")[0]


def main():
    out = sys.argv[1]
    os.makedirs(out + "/c", exist_ok=True)
    out = os.path.abspath(out)
    os.chdir(sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "..", ".."))
    skips, used, broken = {}, set(), []
    with open(HERE + "/docs.skip") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                command, _, why = line.rstrip("\n").partition("\t")
                skips[command] = why.strip()
    shell, programs = [], []
    parsers = {".md": markdown, ".rst": rst}
    pages = sorted(
        glob.glob("*.md") + glob.glob("Documentation/*.rst") + glob.glob("userspace/man/*.[1-9]")
        + glob.glob("examples/**/*.md", recursive=True)
    )
    for page in pages:
        with open(page) as f:
            found = parsers.get(os.path.splitext(page)[1], mdoc)(page, f.read().split("\n"))
        shell += found[0]
        programs += found[1]
    for lines in programs:
        match = re.fullmatch(r"/\* ([a-z_]+\.c) \*/", lines[0])
        if match:
            with open(f"{out}/c/{match.group(1)}", "w") as f:
                f.write("\n".join(lines).rstrip("\n") + "\n")
    script = {"host": "", "guest": ""}
    count = 0
    for block in shell:
        todo = ""
        for command in commands(block):
            count += 1
            name = plain(command)
            where = f"{block.where}: {name}".replace("\n", " ").replace("#", "")
            if name.startswith("#"):
                continue
            page = page_of(block)
            skipped = [x for x in (name, f"{page}: {name}", f"{page}: *") if x in skips]
            if skipped:
                used.add(skipped[0])
                todo += f"skip {shlex.quote(where)} {shlex.quote(skips[skipped[0]])}\n"
            elif not block.place:
                broken.append(f"neither run nor in docs.skip: {where}")
            else:
                stopped = "until ^C" in command or name in block.until
                kind = "endless" if stopped else "run"
                todo += f"{kind} {shlex.quote(where)} {shlex.quote(name)}\n"
        if not todo:
            continue
        place = block.place or "host"
        if place not in ("host", "guest", "guest-bare"):
            broken.append(f"{block.where}: run where? {place}")
            continue
        do = f"begin {place} {' '.join(block.needs)}\n"
        do += "".join(f"first {shlex.quote(c)}\n" for c in block.first)
        do += todo
        do += "".join(f"then_ {shlex.quote(block.where)} {shlex.quote(c)}\n" for c in block.then)
        # Each in a shell of its own: directories and variables are the block's.
        script[place.split("-")[0]] += f"(\n{do}end\n)\n"
    for command in skips:
        page = command.split(": ")[0]
        if command not in used and not (page.endswith((".md", ".rst")) and page not in pages):
            broken.append(f"no page has it any more: {command}")
    if count < 60:
        broken.append(f"only {count} commands found")
    for place, text in script.items():
        with open(f"{out}/{place}.sh", "w") as f:
            f.write(text)
    with open(out + "/broken", "w") as f:
        f.writelines(line + "\n" for line in broken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
