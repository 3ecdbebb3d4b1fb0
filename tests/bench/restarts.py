"""What clients wait for while a server is restarted again and again."""

import statistics
import time

from bench import Table, harness, middle, say
import serving

AIM = "1.5 times of steady state where the new one starts before the old one stops"
SERVICE_MS = 5
LOAD = ["--rate", 200, "--keep-alive", 10, "--interval", 50]    # 400 requests a second
SECONDS = 3         # of steady load, and at least of restarts


def under_load(server, work):
    """The report of the load generator over the time that work() takes."""
    load = harness.Load([harness.SUPPORT / "load", "--address", server.address,
                         "--until-stdin-closes", *map(str, LOAD)], server.environment)
    try:
        load.await_first_answer()
        load.restarts = work()
        return load, load.stop()
    finally:
        load.kill()


def restart_for(server, seconds):
    """How many restarts were begun and done."""
    until, count = time.monotonic() + seconds, 0
    while count < 2 or time.monotonic() < until:
        old = server.answers()
        server.run_restart()
        harness.eventually(lambda: server.answers() not in (None, old), 20, "the new answers")
        count += 1
    return count


class Figures:
    def __init__(self):
        self.steady, self.during, self.ratio, self.ratio_max = [], [], [], []
        self.max, self.failed, self.asked, self.restarts = [], 0, 0, 0

    def add(self, steady, during, restarts):
        self.steady.append(steady["p99_ms"])
        self.during.append(during["p99_ms"])
        self.max.append(during["max_ms"])
        self.ratio.append(during["p99_ms"] / steady["p99_ms"])
        self.ratio_max.append(during["max_ms"] / steady["max_ms"])
        self.failed += during["failed"]
        self.asked += during["ok"] + during["failed"]
        self.restarts += restarts

    def cells(self):
        return (self.restarts, f"{self.failed * 10000 / self.asked:.0f}",
                f"{statistics.median(self.steady):.1f} → {statistics.median(self.during):.1f}",
                middle(self.ratio, "{:.2f}"), f"{statistics.median(self.max):.0f}",
                middle(self.ratio_max, "{:.1f}"))


def round_of(server, seconds):
    _, steady = under_load(server, lambda: time.sleep(seconds))
    load, during = under_load(server, lambda: restart_for(server, seconds))
    return steady, during, load.restarts


def measure(scale):
    kinds = [kind for kind in serving.kinds(scale) if kind.again and kind.there()]
    for start_up in scale.start_ups:
        table = Table(f"Restarts under load, a server that starts in {start_up} ms",
                      ["supervisor", "restarts", "failed of 10,000", "p99, ms: steady → during",
                       "p99 over steady", "max, ms", "max over steady"],
                      f"One after the other, under 200 new connections and 200 kept-alive "
                      f"requests a second; {SERVICE_MS} ms for each answer. Aim: {AIM}.")
        found, running = {}, []
        try:
            running += [kind("--start-delay", start_up, "--service-delay", SERVICE_MS)
                        for kind in kinds]
            for number in range(1 if scale.smoke else 3):
                for server in running:
                    say(f"restarts: {server.name}, {start_up} ms, round {number + 1}")
                    found.setdefault(server.name, Figures()).add(
                        *round_of(server, 0.1 if scale.smoke else SECONDS))
            for name, figures in found.items():
                table.row(name, *figures.cells())
        finally:
            for server in running:
                server.end()
        for kind in serving.kinds(scale):
            if not kind.there():
                table.row(kind.name, "not installed", *[""] * 5)
        yield table
