"""What supervising costs: memory, and the time until all programs run."""

from bench import Table, middle, pss, say
import sleepers

AIM = "1 MB and 4 kB a program; 1000 up no slower than 1000 dumb-inits started in a loop"


def one(kind, count):
    """PSS in kB, and seconds until the last program ran."""
    run = kind(count)
    try:
        return pss(run.supervisors()), run.up_after
    finally:
        run.end()


def measure(scale):
    rounds = 1 if scale.smoke else 3
    table = Table("Footprint of the supervising processes",
                  ["supervisor"] + [f"PSS with {n}, kB" for n in scale.programs]
                  + [f"{scale.programs[-1]} up after, s"],
                  f"Programs that sleep. Aim: {AIM}.")
    figures = {}
    for number in range(rounds):
        for kind in sleepers.kinds(scale):
            if not kind.there():
                continue
            for count in scale.programs:
                # memory does not vary; the slow ones are started once
                if count > kind.most or (number and (count < scale.programs[-1] or
                                                     kind is sleepers.Supervisord)):
                    continue
                say(f"footprint: {kind.name}, {count} programs")
                figures.setdefault((kind, count), []).append(one(kind, count))
    for kind in sleepers.kinds(scale):
        if not kind.there():
            table.row(kind.name, *["not installed"] * (len(scale.programs) + 1))
            continue
        cells = [figures.get((kind, n)) for n in scale.programs]
        table.row(kind.name, *[c[0][0] if c else "–" for c in cells],
                  middle([up for _, up in cells[-1]], "{:.2f}") if cells[-1] else "–")
    yield table
