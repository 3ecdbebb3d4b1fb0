#!/usr/bin/python3
"""The shape of the code as a trend: how long functions and files are, how deep
they nest.  Fails only past generous edges, and names what shape.txt excuses."""

import re
import subprocess
import sys

from source import ROOT, bare, rows, sources

EDGES = {"function": 80, "file": 600, "nesting": 4}
# What is to stay smaller than others, lines with all that is in them, and why.
SMALL = {"src/keeper/keeper.c": (500, "docs/decisions/0014-how-small-the-keeper-is.md")}
BLOCK = re.compile(r"(?:\)|\belse|\bdo)\s*\{|\{|\}")


def functions(files):
    """(file, name, first line, last line), as ctags sees them"""
    out = subprocess.run(["ctags", "-x", "--language-force=C", "--kinds-C=f",
                          "--_xformat=%F\t%N\t%n\t%e", *map(str, files)],
                         check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        file, name, first, last = line.split("\t")
        if last.isdigit():
            yield file, name, int(first), int(last)


def nesting(lines):
    """Blocks inside blocks; the body itself and initialisers do not count."""
    stack, deepest = [], 0
    for found in BLOCK.finditer("\n".join(lines)):
        if found[0] != "}":
            stack.append(found[0] != "{")
            deepest = max(deepest, sum(stack) - 1)
        elif stack:
            stack.pop()
    return max(deepest, 0)


def spread(name, values):
    values = sorted(values) or [0]
    p90 = values[int((len(values) - 1) * 0.9)]
    print(f"shape: {name:9} {len(values):5} x  median {values[len(values) // 2]:4}"
          f"  p90 {p90:4}  most {values[-1]:4}  (edge {EDGES[name]})")


def main():
    excused = {line.split()[0] for line in rows("shape.txt")}
    files = sources("src", "tests/support")
    text = {str(f): bare(f.read_text()).splitlines() for f in files}
    found = {"function": {}, "nesting": {}, "file": {}}
    for file in files:
        found["file"][str(file.relative_to(ROOT))] = len(text[str(file)])
    for file, name, first, last in functions(files) if files else []:
        place = f"{file[len(str(ROOT)) + 1:]}:{name}"
        found["function"][place] = last - first + 1
        found["nesting"][place] = nesting(text[file][first - 1:last])
    faults = 0
    for what, values in found.items():
        spread(what, values.values())
        for place, value in sorted(values.items()):
            if value > EDGES[what] and place not in excused:
                print(f"{place}: {what} {value}, more than {EDGES[what]}")
                faults += 1
    for place, (edge, why) in SMALL.items():
        lines = len((ROOT / place).read_text().splitlines())
        if lines >= edge:
            print(f"{place}: {lines} lines, not below {edge}: see {why}")
            faults += 1
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
