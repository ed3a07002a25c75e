#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# doc_messages.py PAGE: does Documentation/operators.rst know what the module and the
# command say when something is wrong, and do they say what it knows? In the page a
# message is a line that is one literal, ``message``, where WORDS in capitals stand
# for what changes. Tests PAGE against kmod/ and userspace/cli/, in TAP; without one,
# prints what the sources say.
import glob
import re
import sys

STRING = r'"(?:[^"\\]|\\.)*"'
# Adjacent strings, among them macros
FORMAT = rf"{STRING}(?:\s*(?:{STRING}|[A-Z_][a-zA-Z0-9_]+))*"
# They put what the errno means behind it.
WITH_ERRNO = ["cli_errno", "cli_output_failed"]
PLACE = r"%[-+ #0]*[0-9]*(?:\.[0-9*]+)?(?:hh|ll|[hlzj])?(?:p[a-zA-Z]?|[a-zA-Z])"


def unquote(parts):
    """What C makes of adjacent strings."""
    text = ""
    for part in re.findall(rf"{STRING}|[A-Z_][a-zA-Z0-9_]+", parts):
        if part.startswith("PRI"):
            text += "u"
        else:
            text += part[1:-1] if part[0] == '"' else "%s"
    return text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "")


def said(pattern, calls):
    """(file, message) of each call of @calls in the files of @pattern."""
    found = []
    for name in sorted(glob.glob(pattern)):
        with open(name) as f:
            source = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        for call, first, text in re.findall(
            rf"\b({calls})\(((?:[a-zA-Z0-9_>.()\- ?:]+|{STRING}),\s*)?({FORMAT})", source
        ):
            found.append((name, unquote(text) + (": %s" if call in WITH_ERRNO else "")))
    return found


def kernel():
    files = said("kmod/*.c", "pr_err|pr_warn|pr_notice|pr_info|pr_err_ratelimited|pr_warn_once")
    files += said("kmod/samples/*.c", "pr_err|pr_warn")
    return [
        (f, (f.split("/")[-1][:-2] if "samples" in f else "ringbuf") + ": " + text)
        for f, text in files
    ]


def command():
    """Not what is wrong with arguments, which cli_usage() says."""
    return [
        (f, "ringbuf: " + text)
        for f, text in said("userspace/cli/*.c", "|".join(["cli_error", *WITH_ERRNO]))
    ]


def tells(text):
    """Not only a name and an errno."""
    return len(re.sub(rf"{PLACE}|ringbuf: |[^a-z]", "", text)) > 3


def matcher(text):
    """What may stand in the page for this format."""
    return re.compile(
        ".+".join(re.escape(part) for part in re.split(PLACE, text.replace("%%", "%")))
    )


def main():
    module, cli = kernel(), command()
    if len(sys.argv) < 2:
        for where, text in module + cli:
            print(f"{where}\t{text}")
        return 0
    with open(sys.argv[1]) as f:
        page = re.findall(r"^``(.+)``$", f.read(), flags=re.M)
    count = failed = 0

    def result(good, name):
        nonlocal count, failed
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}")

    result(len(module) >= 7 and len(cli) >= 70, "the sources are understood")
    result(len(page) >= 20 and len(page) == len(set(page)), "the page is understood")
    texts = sorted({text for _, text in module + cli if tells(text)})
    for text in texts:
        result(any(matcher(text).fullmatch(m) for m in page), f"in the page: {text}")
    for message in page:
        result(
            any(matcher(text).fullmatch(message) for text in texts),
            f"somebody says: {message}",
        )
    print(f"1..{count}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
