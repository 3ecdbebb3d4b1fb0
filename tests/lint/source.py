"""C sources as the lints read them: without comments, texts and characters."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SILENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def sources(*folders):
    return sorted(f for folder in folders for f in (ROOT / folder).rglob("*.[ch]"))


def bare(text):
    """The same lines, with comments and what stands in quotes made blank."""
    def blank(found):
        lines = found[0].count("\n")
        return '""' if found[0][0] in "\"'" else "\n" * lines or " "
    return SILENT.sub(blank, text)


def rows(name):
    """The lines of a list here, without comments and empty ones."""
    return [line for line in (HERE / name).read_text().splitlines()
            if line.strip() and not line.startswith("#")]
