"""A held address is bound anew under load: how many clients are lost, how long do
the others wait, how long does the change take?"""

import time

from bench import Table, harness, middle, say
from test_3_rebind import changes, rejoin, ways, write

RATE = 1000                 # new connections a second


def held(way):
    """How many sockets: of a group, one for each of the two workers."""
    listen, option = ways[way]
    return (1 + listen.count(",")) * (2 if "reuse_port = yes" in option else 1)


def one(way, other, host, times):
    """The report of the load, and seconds that each change took."""
    run, took = harness.Holdport(), []
    try:
        port = run.port()
        write(run, way, port)
        run.run()
        run.await_("web")
        with run.load(f"{host}:{port}", "--rate", RATE, "--keep-alive", 20) as load:
            for to in (other, way) * times:
                write(run, to, port)
                began = time.monotonic()
                run.ok("reload")
                took.append(time.monotonic() - began)
                rejoin(run, held(to))
        return load.report, took
    finally:
        run.stop()
        run.remove()


def text(way):
    listen, option = ways[way]
    return f"`{listen.replace('{port}', '80')}`" + (f", `{option}`" if option else "")


def measure(scale):
    table = Table("A held address bound anew under load",
                  ["", "there and back", "changes", "requests", "lost",
                   "slowest answer, ms", "a change takes, ms"],
                  f"{RATE} new connections a second and 20 kept alive; two workers. A change is "
                  "a `reload` until the new generation serves.")
    groups = [c for c in changes if "group" in c]
    for way, other, host in changes[:1] + groups[:1] if scale.smoke else changes:
        say(f"rebind: {way}, {other}")
        report, took = one(way, other, host, 1 if scale.smoke else 50)
        table.row("holdport", f"{text(way)} ↔ {text(other)}", len(took), report["ok"],
                  report["failed"], report["max_ms"], middle((t * 1000 for t in took)))
    yield table
