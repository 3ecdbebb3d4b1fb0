"""What the benches share: how much to measure, tables, a look at processes.

Importing it makes the harness of the stories (tests/story/holdport.py) known as
`harness`; the programs are those of $HOLDPORT_BUILD, which `run` has set.
"""

import os
import re
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "story"))
import holdport as harness  # noqa: E402


PATH = os.environ.get("PATH", "") + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin"


def directory():
    """One to work in, in memory where it can be: as /run is, where supervisors
    have their sockets and pipes."""
    memory = "/dev/shm"
    return Path(tempfile.mkdtemp(prefix="hp-bench.",
                                 dir=memory if os.access(memory, os.W_OK) else "/tmp"))


@dataclass(frozen=True)
class Scale:
    """How much is measured; `smoke` is only to see that a bench works."""
    smoke: bool = False
    rounds: int = 5                     # interleaved: ours, the peer's, ours, …
    programs: tuple = (1, 100, 1000)
    idle: float = 60                    # s
    start_ups: tuple = (100, 1500)      # ms that the server takes to start


FULL = Scale()
SMOKE = Scale(smoke=True, rounds=1, programs=(1, 3), idle=0.2, start_ups=(20,))


class Table:
    """Rows as they stand in docs/performance.md."""

    def __init__(self, title, columns, note=""):
        self.title, self.columns, self.note, self.rows = title, columns, note, []

    def row(self, *cells):
        assert len(cells) == len(self.columns), cells
        self.rows.append([str(c) for c in cells])

    def __str__(self):
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += ["| " + " | ".join(cells) + " |"
                  for cells in [self.columns, ["---"] * len(self.columns), *self.rows]]
        return "\n".join(lines) + "\n"


def say(text):
    """What is under way; tables go to stdout."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def middle(values, form="{:.1f}"):
    """The median, and between which values: "2.1 [1.9–4.0]"."""
    values = list(values)
    if not values:
        return "–"
    text = form.format(statistics.median(values))
    if len(values) == 1:
        return text
    return f"{text} [{form.format(min(values))}–{form.format(max(values))}]"


# Processes


def below(pid):
    """pid -> name, the process itself first, parents before their children."""
    return {pid: Path(f"/proc/{pid}/comm").read_text().strip(), **harness.descendants(pid)}


def pss(pids):
    """kB of memory, shared pages by their share."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return total


def wake_ups(pids):
    """Context switches so far, of all their threads."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{task}/status").read_text()
            total += sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", text))
    return total
