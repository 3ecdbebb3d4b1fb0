"""What does a worker pay for a filter that reports its bind(2), and how long does an
answered one take?"""

import subprocess

from bench import Table, harness, middle, say

ROWS = (("a system call without the filter", "ns"), ("a system call with it", "ns"),
        ("bind(2) without the filter", "µs"), ("bind(2) that goes on untouched", "µs"),
        ("bind(2) that is answered with a held socket", "µs"))


def measure(scale):
    table = Table("An intercepted bind", ["by", "", "takes", "unit"],
                  "Wall time, getppid(2) for a system call. Each report is caught by a process "
                  "that is made for it, which is most of what an answer takes.")
    say("intercept")
    rounds = 1 if scale.smoke else 4 * scale.rounds
    done = subprocess.run([harness.SUPPORT / "intercept_cost", str(rounds)],
                          capture_output=True, text=True)
    taken = list(zip(*(map(float, line.split()) for line in done.stdout.splitlines())))
    if done.returncode or len(taken) != len(ROWS):
        table.row("holdport", "not measured", done.stderr.strip(), "–")
    else:
        for (name, unit), values in zip(ROWS, taken):
            table.row("holdport", name, middle(values), unit)
    yield table
