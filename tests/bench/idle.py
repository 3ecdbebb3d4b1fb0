"""Does a supervisor sleep while nothing happens?"""

import time

from bench import Table, say, wake_ups
import sleepers

SETTLED = 3     # s after the last start: what is proved by living for a second is proved


def measure(scale):
    table = Table("Wake-ups of an idle supervisor",
                  ["supervisor", "programs", f"context switches in {scale.idle:g} s"],
                  "Programs that sleep. Aim: none, however many programs.")
    wanted = [(kind, n) for kind in sleepers.kinds(scale)
              for n in (scale.programs[0], scale.programs[-1])
              if kind.there() and n <= kind.most]
    runs = []
    try:
        for kind, n in wanted:
            say(f"idle: {kind.name}, {n} programs")
            runs.append(kind(n))
        time.sleep(0 if scale.smoke else SETTLED)
        before = [wake_ups(run.supervisors()) for run in runs]
        say(f"idle: for {scale.idle:g} s")
        time.sleep(scale.idle)
        for run, was in zip(runs, before):
            table.row(run.name, run.count, wake_ups(run.supervisors()) - was)
    finally:
        for run in runs:
            run.end()
    for kind in sleepers.kinds(scale):
        if not kind.there():
            table.row(kind.name, "", "not installed")
    yield table
