"""From the moment a new server says that it is ready to the return of the command."""

from bench import Table, harness, middle, say
import serving

AIM = "10 ms"
START_UP = 100      # ms


def delay(server):
    """ms from READY=1 of the new server to the end of the command that restarts."""
    old, was_ready = server.answers(), server.last_ready()
    returned = server.run_restart()
    # some return before the new one is ready
    harness.eventually(lambda: server.last_ready() > was_ready, 10, "the new one is ready")
    ready = server.last_ready()
    harness.eventually(lambda: server.answers() not in (None, old), 10, "the new one answers")
    return returned - ready


def measure(scale):
    table = Table("From READY=1 to the return of the restart command",
                  ["supervisor", "ms"],
                  f"A server that starts in {START_UP} ms. Below zero: the command returns "
                  f"before the new server is ready. Aim: {AIM}.")
    found, running = {}, []
    kinds = [kind for kind in serving.kinds(scale) if kind.again and kind.there()]
    try:
        running += [kind("--start-delay", START_UP) for kind in kinds]
        for number in range(scale.rounds):
            say(f"command: round {number + 1} of {scale.rounds}")
            for server in running:
                found.setdefault(server.name, []).append(delay(server))
        for server in running:
            table.row(server.name, middle(found[server.name]))
    finally:
        for server in running:
            server.end()
    for kind in serving.kinds(scale):
        if not kind.there():
            table.row(kind.name, "not installed")
    yield table
