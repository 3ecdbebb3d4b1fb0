"""What does it cost to know how many connections a worker has?"""

import statistics
import subprocess

from bench import Table, harness, middle, say

OTHERS = (0, 10_000, 100_000)
WAYS = ("holdport", "holdport, 100 sockets at once", "reading /proc/net/tcp", "ss")


def run(others, rounds):
    """One list of microseconds for each way, round by round; what went wrong instead."""
    done = subprocess.run([harness.SUPPORT / "count_cost", str(others), str(rounds)],
                          capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip()
    return list(zip(*(map(float, line.split()) for line in done.stdout.splitlines())))


def times(of, ours):
    return f"{statistics.median(a / b for a, b in zip(of, ours)):.1f}"


def measure(scale):
    table = Table("One count of connections",
                  ["by", "other connections", "processor time, µs", "times ours"],
                  "User and system time, in turns; a worker has 10 connections. Both ends of "
                  "the others are on this host, so their sockets are twice as many. Ours knows "
                  "whose each connection is, the others only how many there are. "
                  "Aim: a tenth of /proc/net/tcp, half of ss, whatever is asked about.")
    for others in (0, 50) if scale.smoke else OTHERS:
        say(f"count: {others} others")
        taken = run(others, 2 if scale.smoke else 3 * scale.rounds)
        if isinstance(taken, str):
            table.row(WAYS[0], others, f"not measured: {taken}", "–")
            continue
        for way, values in zip(WAYS, taken):
            if min(values) < 0:
                table.row(way, others, "not installed", "–")
            else:
                table.row(way, others, middle(values, "{:.0f}"), times(values, taken[0]))
    yield table
