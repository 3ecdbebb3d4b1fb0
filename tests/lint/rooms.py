#!/usr/bin/python3
"""Every word in its room, every #include looking down (rooms.txt, layers.txt)."""

import re
import sys

from source import ROOT, bare, rows, sources

SRC = ROOT / "src"


def read_layers():
    """room -> height, and for those outside: room -> what they may look at"""
    height, outside = {}, {}
    for line in rows("layers.txt"):
        if ":" in line:
            room, allowed = line.split(":")
            outside[room] = allowed.split() + [room]
        else:
            height.update({room: len(height) for room in line.split()})
            top = max(height.values())
            height.update({room: top for room in line.split()})
    return height, outside


def read_words():
    for line in rows("rooms.txt"):
        word, homes, why = re.split(r"\t+", line, maxsplit=2)
        yield word, re.compile(r"(?<!\w)" + re.escape(word)), homes.split(), why


def lives_in(path, homes):
    return any(path == home or path.startswith(home + "/") for home in homes)


def strays(path, lines, words):
    for n, line in enumerate(lines, 1):
        for word, pattern, homes, why in words:
            if pattern.search(line) and not lives_in(path, homes):
                home = "nowhere" if homes == ["-"] else "in " + " ".join(homes)
                yield f"src/{path}:{n}: \"{word}\" lives {home}: {why}"


def lookups(path, text, height, outside):
    room = path.split("/")[0]
    for n, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"(([^/"]+)/[^"]+)"', line)
        if not found or not (SRC / found[2]).is_dir():
            continue
        if room not in height and room not in outside:
            yield f"src/{path}: room \"{room}\" has no layer in tests/lint/layers.txt"
            return
        if room in outside:
            up = not lives_in(found[1], outside[room])
        else:
            up = found[2] not in height or height[found[2]] > height[room]
        if up:
            yield f"src/{path}:{n}: {room} looks up at {found[1]}"


def main():
    height, outside = read_layers()
    words = list(read_words())
    faults = []
    for file in sources("src"):
        path, text = str(file.relative_to(SRC)), file.read_text()
        faults += strays(path, bare(text).splitlines(), words)
        faults += lookups(path, text, height, outside)
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"rooms: {len(sources('src'))} files, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
