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


def await_over(path, seconds=300):
    """Looks often: what is measured takes a second."""
    until = time.monotonic() + seconds
    while not ends_with_over(path):
        if time.monotonic() > until:
            raise AssertionError(f"no last line in {path}")
        time.sleep(0.002)


def busy(pid):
    """Processor time that a process has taken, s."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def piped(*logger):
    """A logger that reads its standard input, until it has ended."""
    def run(size, where):
        words = [w.format(where=where, turn=TURN, kept=KEPT) for w in logger]
        began = time.monotonic()
        source = subprocess.Popen(talker(size), stdout=subprocess.PIPE)
        with open(where / "file", "wb") as out:
            child = subprocess.Popen(words, stdin=source.stdout, stdout=out)
            source.stdout.close()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        took = time.monotonic() - began
        assert child.returncode == 0, words
        source.wait()
        return took, used.ru_utime + used.ru_stime
    return run


def svlogd(size, where):
    (where / "config").write_text(f"s{TURN}\nn{KEPT}\n")
    return piped("svlogd", "{where}")(size, where)


def supervisord(size, where):
    """From its own start on: to start one program is all that it does else."""
    (where / "say.py").write_text(SAY)
    words = " ".join([sys.executable, str(where / "say.py"), *talker(size)[3:]])
    (where / "conf").write_text(f"[supervisord]\nnodaemon=true\nuser=root\nlogfile={where}/own\n"
                                f"pidfile={where}/pid\nchildlogdir={where}\n[program:one]\n"
                                f"command={words}\nstartsecs=0\nautorestart=false\nredirect_stderr=true\n"
                                f"stdout_logfile={where}/log\nstdout_logfile_maxbytes={TURN}\n"
                                f"stdout_logfile_backups={KEPT}\n")
    began = time.monotonic()
    child = subprocess.Popen(["supervisord", "-c", where / "conf"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env={**os.environ, "PATH": PATH})
    try:
        await_over(where / "log")
        return time.monotonic() - began, busy(child.pid)
    finally:
        child.terminate()
        child.wait()


def scribe():
    return next(p for p, name in harness.descendants().items() if name == "holdport-scribe")


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
            await_over(path)
            return time.monotonic() - began, busy(scribe())
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
    ("supervisord", RAW, "supervisord", supervisord),
    ("holdport log", STAMPED, None, ours("stdout = log", "log_file = {path}")),
    ("s6-log T", STAMPED, "s6-log", piped("s6-log", "T", "n{kept}", "s{turn}", "{where}")),
]


def measure(scale):
    size = (2 if scale.smoke else 1024) * 1024 * 1024
    table = Table("Output to files that are turned over",
                  ["logger", "lines", "MB/s", "over cat", "its processor time, s a GB"],
                  f"{size // 1024 // 1024} MiB in lines of 100 bytes, 64 KiB a write, files of 10 MB "
                  "in memory; from the start of who says them until the last one is in the file. Over "
                  "cat: of the same round. Of holdport it is the process that writes.")
    there = [one for one in LOGGERS if not one[2] or shutil.which(one[2], path=PATH)]
    took = {name: [] for name, *_ in there}
    for _ in range(scale.rounds):
        for name, _, _, run in there:
            say(f"capture: {name}")
            where = directory()
            try:
                took[name].append(run(size, Path(where)))
            finally:
                shutil.rmtree(where)
    for name, lines, *_ in LOGGERS:
        if name not in took:
            table.row(name, lines, "not installed", "–", "–")
            continue
        cat = took[LOGGERS[0][0]]
        table.row(name, lines, middle((size / 1e6 / s for s, _ in took[name]), "{:.0f}"),
                  middle((c[0] / s for (s, _), c in zip(took[name], cat)), "{:.2f}"),
                  middle((cpu / (size / 1e9) for _, cpu in took[name]), "{:.2f}"))
    yield table
