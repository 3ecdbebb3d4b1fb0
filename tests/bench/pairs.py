"""Two ways to do one thing, measured in turns until it is known how much they differ."""

import math
import statistics
import time

CLOSE_ENOUGH = 0.02         # of the ratio: as wide is the interval of its median at most
LEAST, LONGEST = 60, 75     # pairs; s


def interval(values):
    """Between which values the median lies, 19 times of 20 (order statistics)."""
    values = sorted(values)
    middle, reach = len(values) / 2, 0.98 * math.sqrt(len(values))
    return (values[max(0, math.floor(middle - reach))],
            values[min(len(values) - 1, math.ceil(middle + reach))])


def is_known(ratios):
    low, high = interval(ratios)
    return high - low < CLOSE_ENOUGH


def take(next_pair, scale):
    """Pairs (without, with) of next_pair(number)."""
    least, longest = (2, 0) if scale.smoke else (LEAST, LONGEST)
    until = time.monotonic() + longest
    found = []
    while True:
        found.append(next_pair(len(found)))
        late = time.monotonic() > until
        if len(found) >= least and (late or is_known([b / a for a, b in found])):
            return found


def cells(found):
    """How many, without, with, and their ratio with its interval."""
    ratios = [b / a for a, b in found]
    low, high = interval(ratios)
    return (len(found), *(f"{statistics.median(side):.1f}" for side in zip(*found)),
            f"{statistics.median(ratios):.3f} [{low:.3f}–{high:.3f}]")
