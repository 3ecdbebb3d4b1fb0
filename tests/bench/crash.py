"""kill -9 of a server until the service answers again."""

import statistics
import time

from bench import Table, harness, middle, say
import serving

AIM = "1.2 times the bare loop, also for the second crash in a row"
START_UPS = (0, 100)    # ms that the server takes to start
THROTTLE = 2.5          # s, after which every peer has forgotten the last crash
STORM = 0.25            # s between rounds: holdport slows what crashes 10 times a second
PAUSE = 0.0001          # s between two tries of a client that was refused


def outage(server):
    """ms from kill -9 to the first whole answer."""
    pid = server.answers()
    began = time.monotonic()
    harness.kill(pid)
    while True:
        answer = server.answers()
        if answer and answer != pid:
            return (time.monotonic() - began) * 1000
        time.sleep(PAUSE)
        assert time.monotonic() < began + 30, f"{server.name} does not answer again"


def crashes(running, rounds, pause):
    """server -> its first and its second outages; servers take turns."""
    say(f"crash: {rounds} rounds, {', '.join(server.name for server in running)}")
    found = {server: ([], []) for server in running}
    for number in range(rounds):
        for server in running:
            for times in found[server]:
                times.append(outage(server))
        time.sleep(pause if number + 1 < rounds else 0)
    return found


def ratio(times, floor):
    return f"{statistics.median(times) / statistics.median(floor):.2f}"


def table_of(start_up, found):
    table = Table(f"kill -9 until the service answers again, a server that starts in {start_up} ms",
                  ["supervisor", "first crash, ms", "over bare", "second in a row, ms", "over bare"],
                  f"Aim: {AIM}.")
    floor = next(times for server, times in found.items() if server.name == serving.Bare.name)
    for server, (first, second) in found.items():
        table.row(server.name, middle(first), ratio(first, floor[0]), middle(second),
                  ratio(second, floor[1]))
    return table


def measure(scale):
    kinds = [kind for kind in serving.kinds(scale) if kind.there()]
    for start_up in (0,) if scale.smoke else START_UPS:
        running = []
        try:
            for kind in kinds:
                running.append(kind("--start-delay", start_up))
            # two that are compared closely come first, by themselves and more often
            close = crashes(running[:2], scale.rounds * (1 if scale.smoke else 8), STORM)
            others = crashes(running[2:], scale.rounds, THROTTLE) if running[2:] else {}
            table = table_of(start_up, {**close, **others})
        finally:
            for server in running:
                server.end()
        for kind in serving.kinds(scale):
            if not kind.there():
                table.row(kind.name, "not installed", "", "", "")
        yield table
