"""Output of one program to files that are turned over, beside cat and other loggers."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench import PATH, Table, directory, harness, middle, say

BLOCK = 655                 # lines of 100 bytes in a write of about 64 KiB
TURN = 10_000_000           # bytes, of each file
KEPT = 5

SAY = """
import os, sys
line = b"x" * 99 + b"\\n"
block, writes = line * int(sys.argv[1]), int(sys.argv[2])
for _ in range(writes):
    left = block
    while left:
        left = left[os.write(1, left):]
os.write(1, b"over\\n")
"""


def talker(size):
    return [sys.executable, "-c", SAY, str(BLOCK), str(size // (BLOCK * 100))]


def ends_with_over(path):
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 6))
        return file.read().endswith(b"over\n")
    return False                # it is just being turned over


def piped(*logger):
    """A logger that reads its standard input, until it has ended."""
    def run(size, where):
        words = [w.format(where=where, turn=TURN, kept=KEPT) for w in logger]
        began = time.monotonic()
        source = subprocess.Popen(talker(size), stdout=subprocess.PIPE)
        with open(where / "file", "wb") as out:
            subprocess.run(words, stdin=source.stdout, stdout=out, check=True)
        source.stdout.close()
        source.wait()
        return time.monotonic() - began
    return run


def svlogd(size, where):
    (where / "config").write_text(f"s{TURN}\nn{KEPT}\n")
    return piped("svlogd", "{where}")(size, where)


def ours(*lines):
    """holdport: from `start` until the last line is in the file."""
    def run(size, where):
        hp = harness.Holdport()
        (hp.dir / "say.py").write_text(SAY)
        words = f"{sys.executable} {hp.dir}/say.py {' '.join(talker(size)[3:])}"
        path = where / "log"
        hp.write_config("\n".join(["[program:one]", f"command = {words}", "start = manual",
                                   "restart = never", f"log_max_size = {TURN}", f"log_keep = {KEPT}",
                                   *(line.format(path=path) for line in lines)]))
        try:
            hp.run()
            began = time.monotonic()
            hp.cmd("start", "one", "--no-wait")
            harness.eventually(lambda: ends_with_over(path), 300)
            return time.monotonic() - began
        finally:
            hp.stop()
            hp.remove()
    return run


RAW, STAMPED = "raw", "with times"
LOGGERS = [
    ("cat (turns nothing over)", RAW, "cat", piped("cat")),
    ("holdport file:", RAW, None, ours("stdout = file:{path}")),
    ("svlogd", RAW, "svlogd", svlogd),
    ("s6-log", RAW, "s6-log", piped("s6-log", "n{kept}", "s{turn}", "{where}")),
    ("multilog", RAW, "multilog", piped("multilog", "n{kept}", "s{turn}", "{where}")),
    ("rotatelogs", RAW, "rotatelogs", piped("rotatelogs", "-n", "{kept}", "{where}/log", "10M")),
    ("holdport log", STAMPED, None, ours("stdout = log", "log_file = {path}")),
    ("s6-log T", STAMPED, "s6-log", piped("s6-log", "T", "n{kept}", "s{turn}", "{where}")),
]


def measure(scale):
    size = (2 if scale.smoke else 1024) * 1024 * 1024
    table = Table("Output to files that are turned over", ["logger", "lines", "MB/s"],
                  f"{size // 1024 // 1024} MiB in lines of 100 bytes, 64 KiB a write, files of 10 MB "
                  "in memory; from the start of who says them until the last one is in the file.")
    there = [one for one in LOGGERS if not one[2] or shutil.which(one[2], path=PATH)]
    rates = {name: [] for name, *_ in there}
    for _ in range(scale.rounds):
        for name, _, _, run in there:
            say(f"capture: {name}")
            where = directory()
            try:
                rates[name].append(size / 1e6 / run(size, Path(where)))
            finally:
                shutil.rmtree(where)
    for name, lines, *_ in LOGGERS:
        table.row(name, lines, middle(rates[name], "{:.0f}") if name in rates else "not installed")
    yield table
